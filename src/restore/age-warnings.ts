import { readWhole } from '../files/contents.ts'
import { each, hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { snapshotFolder } from '../haven/layout.ts'
import type { SealedHead } from '../haven/read-heads.ts'
import type { Catalog } from '../mirror/read-catalog.ts'
import { nameOf } from './choose.ts'
import { namesIn, tableFolders } from './live-sstables.ts'

const SCHEMA_BYTES_MAX = 16 * 1024 * 1024
const NAMED_MAX = 5

/**
 * Warns of rows that may come back: older than gc_grace_seconds, and from before a TRUNCATE that the haven knows of, or
 * the node by its snapshots.
 */
export function* ageWarnings(
	base: string,
	heads: SealedHead[],
	{ sealed }: Pick<Catalog, 'sealed'>,
	dataDirectories: string[],
): Io<string[]> {
	const schemas = yield* each(heads, 16, (head) => readSchema(base, head))
	const isOld = (head: SealedHead, at: number) => {
		const graceSeconds = graceOf(schemas[at] ?? '')
		return graceSeconds !== undefined && Date.now() - Date.parse(head.takenAt) > graceSeconds * 1000
	}
	const old = heads.filter(isOld)
	const onNode = yield* each(heads, 16, (head) => tagsOnNode(dataDirectories, head))
	const truncated = heads.filter((head, at) => {
		const sameTable = sealed.filter(({ keyspace, table }) => keyspace === head.keyspace && table === head.table)
		return wasTruncated(head, [...sameTable.map(({ tag }) => tag), ...(onNode[at] ?? [])])
	})
	return [
		...tell(old, 'taken longer ago than gc_grace_seconds, so that rows deleted before or since may come back'),
		...tell(truncated, 'truncated since the snapshot was taken: what that was to remove comes back'),
	]
}

function tell(heads: SealedHead[], what: string): string[] {
	if (heads.length === 0) return []
	const names = heads.slice(0, NAMED_MAX).map((head) => `${head.keyspace}.${nameOf(head)}`)
	const more = heads.length > NAMED_MAX ? ` and ${heads.length - NAMED_MAX} more` : ''
	return [`${what}: ${names.join(', ')}${more}`]
}

/** `gc_grace_seconds` of the first table that a schema.cql makes; undefined where it says nothing. */
export function graceOf(schema: string): number | undefined {
	const text = /\bgc_grace_seconds\s*=\s*(\d+)/.exec(schema)?.[1]
	return text === undefined ? undefined : Number(text)
}

/** Cassandra takes `truncated-<ms>-<table>` of a table before it truncates it, unless auto_snapshot is off. */
function wasTruncated({ takenAt }: SealedHead, tags: string[]): boolean {
	return tags.some((tag) => Number(/^truncated-(\d+)-/.exec(tag)?.[1] ?? 0) > Date.parse(takenAt))
}

function* tagsOnNode(dataDirectories: string[], head: SealedHead): Io<string[]> {
	const tags: string[] = []
	for (const folder of yield* tableFolders(dataDirectories, head.keyspace, nameOf(head))) {
		tags.push(...(yield* namesIn(`${folder}/snapshots`)))
	}
	return tags
}

function* readSchema(base: string, head: SealedHead): Io<string> {
	try {
		const bytes = yield* readWhole(pathOf(`${base}/${snapshotFolder(head)}/schema.cql`), SCHEMA_BYTES_MAX)
		return bytes.toString('utf8')
	} catch (error) {
		// A warning alone hangs on it.
		if (hasCode(error) || error instanceof RangeError) return ''
		throw error
	}
}
