import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type SnapshotId, snapshotsOf } from '../support/mirrored.ts'
import { liesOf, readAllReceipts } from '../support/receipts.ts'
import type { Tree } from '../support/tree.ts'

/** What a haven holds at an instant at which its writer was stopped. */
export interface HavenState {
	/** Behind a receipt that is true to the byte. */
	sealed: Set<SnapshotId>
	/** Named by an intent: a reader leaves them alone, the next run finishes or undoes them. */
	inDoubt: Set<SnapshotId>
	/** What no stop may leave: receipts that are torn or untrue, and not in doubt. */
	lies: string[]
}

/** Reads a haven as a stranger would. */
export function readState(haven: string): HavenState {
	const inDoubt = intendedIn(haven)
	const sealed = new Set<SnapshotId>()
	const lies: string[] = []
	for (const found of readAllReceipts(haven)) {
		if ('broken' in found) lies.push(`${found.file}: ${found.broken}`)
		else {
			const { keyspace, table, tag } = found.receipt
			const snapshot = `${keyspace}/${table}/${tag}`
			const wrong = liesOf(haven, found.receipt)
			if (wrong.length === 0) sealed.add(snapshot)
			else if (!inDoubt.has(snapshot)) lies.push(...wrong)
		}
	}
	return { sealed, inDoubt, lies }
}

/** What is wrong with a haven after a run that ended well: what is not as it says, what it lacks, what was left over. */
export function unfinishedIn(haven: string, expected: SnapshotId[]): string[] {
	const { sealed, lies } = readState(haven)
	const partial = join(haven, '.snaphaven/partial')
	const left = existsSync(partial) ? readdirSync(partial) : []
	return [
		...lies,
		...expected.filter((id) => !sealed.has(id)).map((id) => `${id} is not behind a receipt`),
		...left.map((name) => `${join(partial, name)} was left behind`),
	]
}

/** The names of a tree's snapshots. */
export function snapshotIds(tree: Tree): SnapshotId[] {
	return snapshotsOf(tree).map(({ id }) => id)
}

/** Each file of a tree's snapshots, by its path below the tree's root: whose it is, and its identity. */
export type Fingerprint = Map<string, { snapshot: SnapshotId; identity: string }>

/** Takes the identity of every file of a tree's snapshots. */
export function fingerprint(tree: Tree): Fingerprint {
	const files: Fingerprint = new Map()
	for (const { id: snapshot, files: paths } of snapshotsOf(tree)) {
		for (const path of paths.values()) {
			files.set(path.slice(tree.root.length), { snapshot, identity: identityOf(path) ?? '' })
		}
	}
	return files
}

/** The snapshots of which a file is gone from the node, or is not what it was. */
export function touched(tree: Tree, before: Fingerprint): Set<SnapshotId> {
	const changed = [...before].filter(([path, { identity }]) => identityOf(tree.root + path) !== identity)
	return new Set(changed.map(([, { snapshot }]) => snapshot))
}

/** Undefined where the file is gone. */
function identityOf(path: string): string | undefined {
	const found = lstatSync(path, { bigint: true, throwIfNoEntry: false })
	return found && `inode ${found.ino}, ${found.size} bytes, changed ${found.mtimeNs}`
}

/** Snapshots, live sets and parts that an intent of any writer names; an intent that was not written whole names none. */
function intendedIn(haven: string): Set<SnapshotId> {
	const partial = join(haven, '.snaphaven/partial')
	if (!existsSync(partial)) return new Set()
	const intents = readdirSync(partial, { withFileTypes: true })
		.filter((writer) => writer.isDirectory())
		.flatMap((writer) => readdirSync(join(partial, writer.name)).map((name) => join(partial, writer.name, name)))
		.filter((path) => /\/(group|removal|live)-\d+\.json$/.test(path))
	return new Set(intents.flatMap(intendedBy))
}

function intendedBy(path: string): SnapshotId[] {
	try {
		const { publications = [], removals = [], turns = [] } = JSON.parse(readFileSync(path, 'utf8'))
		return [...publications, ...removals, ...turns].map(
			({ key }: { key: { keyspace: string; table: string; tag: string } }) => {
				return `${key.keyspace}/${key.table}/${key.tag}`
			},
		)
	} catch {
		return []
	}
}
