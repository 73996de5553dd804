import type { TableLocation } from '../cassandra/list-snapshot.ts'
import { failure, SnaphavenError } from '../errors.ts'
import { each, hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstatIfThere, type Stat } from '../files/operations.ts'
import { readDoubts } from '../haven/doubt.ts'
import { snapshotFolder } from '../haven/layout.ts'
import type { ReceiptHead } from '../haven/receipt.ts'
import { readSnapshotHead } from '../haven/receipts.ts'
import { onHaven } from '../haven/trouble.ts'
import { isAsSealed, lookCloser, lookForTags, withSnapshots } from './look.ts'

/** What is known of one table's snapshot of a tag. */
export interface TagLook {
	location: TableLocation
	/** Whether it is on the node now. */
	onNode: boolean
	/**
	 * `sealed`: the haven has this very snapshot, or has one that the node has no more; `nothing`; `other`: the node's has
	 * changed since that seal; `in doubt`: it is being sealed or removed, or a run was killed meanwhile.
	 */
	haven: 'sealed' | 'nothing' | 'other' | 'in doubt'
	/** The receipt's head, where the snapshot is sealed. */
	head?: Pick<ReceiptHead, 'id' | 'state' | 'fileCount' | 'byteCount'>
}

const TABLES_IN_FLIGHT = 16

/** Looks for a tag in these tables, and in the haven where there is one. Those that neither has it of are left out. */
export function* lookForTag(base: string | undefined, locations: TableLocation[], tag: string): Io<TagLook[]> {
	const looks = yield* each(locations, TABLES_IN_FLIGHT, (location) => lookAtTag(base, location, tag))
	const found = looks.filter(({ onNode, haven }) => onNode || haven !== 'nothing')
	if (base === undefined || !found.some(({ haven }) => haven === 'sealed')) return found
	const doubts = new Set((yield* onHaven(readDoubts(base))).map(keyOf))
	return yield* each(found, TABLES_IN_FLIGHT, (look) => withoutDoubt(base, look, tag, doubts))
}

function* lookAtTag(base: string | undefined, location: TableLocation, tag: string): Io<TagLook> {
	const head = base === undefined ? undefined : yield* onHaven(readHead(base, location, tag))
	const found = new Map<string, Map<string, Stat>>()
	const heads = new Map(head ? [[tag, head]] : [])
	const looks = withSnapshots(location, function* (opened) {
		yield* lookForTags(opened, found, tag)
		yield* lookCloser(opened, found, heads)
	})
	yield* onNode(location, looks)
	const stats = found.get(tag)
	const seen = { location, onNode: stats !== undefined }
	if (!head) return { ...seen, haven: 'nothing' }
	if (stats && !isAsSealed(head, stats)) return { ...seen, haven: 'other' }
	const { id, state, fileCount, byteCount } = head
	return { ...seen, haven: 'sealed', head: { id, state, fileCount, byteCount } }
}

function* onNode<T>({ keyspace, table }: TableLocation, work: Io<T>): Io<T> {
	try {
		return yield* work
	} catch (error) {
		if (error instanceof SnaphavenError || !hasCode(error)) throw error
		const hint = 'Run as a user who may read Cassandra’s data.'
		throw failure(`${keyspace}/${table} can’t be looked at (${error.code})`, hint, error)
	}
}

/** A receipt counts no more once somebody has removed its copy from the mirror. */
function* readHead(base: string, location: TableLocation, tag: string): Io<ReceiptHead | undefined> {
	const key = { keyspace: location.keyspace, table: location.table, tag }
	const head = yield* readSnapshotHead(base, key)
	if (!head) return undefined
	return (yield* lstatIfThere(pathOf(`${base}/${snapshotFolder(key)}`)))?.isDirectory() ? head : undefined
}

/** A receipt that was there before the intents were read, and is the same one after, was no group's that is in doubt. */
function* withoutDoubt(base: string, look: TagLook, tag: string, doubts: ReadonlySet<string>): Io<TagLook> {
	const { location, onNode, head } = look
	if (!head) return look
	const key = { keyspace: location.keyspace, table: location.table, tag }
	const again = doubts.has(keyOf(key)) ? undefined : yield* onHaven(readSnapshotHead(base, key))
	return again?.id === head.id ? look : { location, onNode, haven: 'in doubt' }
}

function keyOf({ keyspace, table, tag }: { keyspace: string; table: string; tag: string }): string {
	return `${keyspace}/${table}/${tag}`
}
