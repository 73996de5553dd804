import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { CliResult } from '../../support/cli.ts'
import type { SnapshotId } from '../../support/mirrored.ts'
import { placeOf, readAllReceipts } from '../../support/receipts.ts'
import { type HavenState, readState } from '../promises.ts'
import { nodeJudge } from './judge-node.ts'
import { type Contents, contentsOf, type Known, type Recording } from './recording.ts'
import { SCENARIOS } from './scenarios.ts'

/** What is wrong with a state: as the cut left it, once it was recovered, and when a run has come to its end. */
export interface Judge {
	cut: (disk: string) => string[]
	recovered: (disk: string) => string[]
	finished: (disk: string, ran: CliResult) => string[]
}

/** The judge of a recorded run's states. */
export function judgeOf(recording: Recording, known: Known): Judge {
	const scenario = SCENARIOS[recording.scenario]
	if (scenario?.disk === 'restored') return restoredJudge(recording, known)
	if (scenario?.disk !== 'node') return havenJudge(recording, known, scenario ?? {})
	const { cut, finished } = nodeJudge(recording, known)
	return {
		cut: (disk) => cut(contentsOf(disk)),
		recovered: () => [],
		finished: (disk, ran) => [...endedWell(recording.exitCode, ran), ...finished(contentsOf(disk))],
	}
}

/** What stands under a table's name is whole, and all is there that was told. */
function restoredJudge({ after, exitCode }: Recording, { told }: Known): Judge {
	const cut = (disk: string) => {
		const { files } = contentsOf(disk)
		const isOurs = (path: string) => /(^|\/)\./.test(path)
		const tables = existsSync(disk) ? readdirSync(disk, { recursive: true, encoding: 'utf8' }) : []
		const standing = tables.filter((path) => /^[^./]+\/[^./]+$/.test(path))
		const owed = [...told].map((id) => id.replace(/-[0-9a-f]{32}\/.*$/, ''))
		return [...new Set([...standing, ...owed])].flatMap((table) =>
			Object.entries(after.files)
				.filter(([path, crc]) => !isOurs(path) && path.startsWith(`${table}/`) && files[path] !== crc)
				.map(([path]) => `${path} is not as it was sealed`),
		)
	}
	return {
		cut,
		recovered: () => [],
		finished: (disk, ran) => [...endedWell(exitCode, ran), ...cut(disk), ...otherThan(after, contentsOf(disk))],
	}
}

function havenJudge(
	{ before, after, exitCode }: Recording,
	known: Known,
	{ removes = /^$/, mends }: { removes?: RegExp; mends?: boolean },
): Judge {
	const stays = before.sealed.filter((id) => !removes.test(id))
	const owed = [...new Set([...stays, ...known.told])]
	const wrongIn = (disk: string, state: HavenState) => [
		...state.lies.map((one) => one.replaceAll(disk, 'DISK')).filter((one) => !before.lies.includes(one)),
		...[...known.removed].filter((id) => state.sealed.has(id)).map((id) => `${id} was removed, and is there again`),
		...notSealed(disk, known.gone).map((path) => `${path} is gone from the node, and not behind a receipt`),
		...(mends ? unlike(contentsOf(disk), before, after) : []),
		...rottenStill(contentsOf(disk), after, known.repaired),
	]
	return {
		cut: (disk) => {
			const state = readState(disk)
			const isThere = (id: SnapshotId) => state.sealed.has(id) || state.inDoubt.has(id) || isRotten(before, id)
			const removed = before.sealed.filter((id) => removes.test(id) && !isThere(id))
			return [
				...wrongIn(disk, state),
				...owed.filter((id) => !isThere(id)).map((id) => `${id} was sealed, and is not there`),
				...forgottenIn(disk, mends ? [] : [...known.told], removed),
				...(loads(contentsOf(disk), before, after) ? [] : ['neither the old live set stands nor the new one']),
			]
		},
		recovered: (disk) => {
			const state = readState(disk)
			const lost = owed.filter((id) => !state.sealed.has(id) && !isRotten(before, id))
			const naked = mends ? [] : nakedIn(disk).map((path) => `${path} stands there without a receipt`)
			return [...wrongIn(disk, state), ...lost.map((id) => `${id} is not there any more`), ...naked]
		},
		finished: (disk, ran) => {
			const state = readState(disk)
			const isPart = (id: SnapshotId) => id.includes('/backups/')
			const lost = after.sealed.filter((id) => !isPart(id) && !state.sealed.has(id))
			return [
				...endedWell(exitCode, ran),
				...wrongIn(disk, state),
				...lost.map((id) => `${id} is not there at the end`),
				...otherThan(mirrorOf(after), mirrorOf(contentsOf(disk))),
				...nakedIn(disk).map((path) => `${path} has no receipt at the end`),
				// A run that finds nothing to mend takes no lease, and clears nobody's folder.
				...(mends ? [] : leftIn(disk)),
			]
		},
	}
}

/** What is left alone is known for good before anything is sealed, and before anything is removed. */
function forgottenIn(disk: string, told: SnapshotId[], removed: SnapshotId[]): string[] {
	const path = join(disk, '.snaphaven/baseline.json')
	const { keyspaces = {}, pruned = [] } = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
	const known = new Set(pruned.map((one: Record<string, string>) => `${one['keyspace']}/${one['table']}/${one['tag']}`))
	return [
		...told
			.filter((id) => !Object.hasOwn(keyspaces, id.split('/')[0] ?? ''))
			.map((id) => `it is forgotten when ${id} began`),
		...removed.filter((id) => !known.has(id)).map((id) => `it is forgotten that ${id} was pruned`),
	]
}

/**
 * Whether of a live set all stands that it had before, or all that it has after, as every stop has to leave it: but for
 * SSTables of which a file is another in the other set, since they have to make room.
 */
function loads(now: Contents, before: Contents, after: Contents): boolean {
	const sstableOf = (path: string) => /^data\/[^/]+\/[^/]+\/(\w+-\w+)-[^/]*$/.exec(path)?.[1]
	const paths = Object.keys(before.files).filter((path) => path in after.files)
	const apart = paths.filter((path) => before.files[path] !== after.files[path]).map(sstableOf)
	const stands = ({ files }: Contents) =>
		Object.entries(files).every(([path, crc]) => {
			const sstable = sstableOf(path)
			return sstable === undefined || apart.includes(sstable) || now.files[path] === crc
		})
	return stands(before) || stands(after)
}

/** Whether a snapshot was damaged in the haven before the run, which is to mend it. */
function isRotten({ lies }: Contents, id: SnapshotId): boolean {
	const [keyspace, table, tag] = id.split('/')
	return lies.some((lie) => lie.includes(`/${keyspace}/${table}/snapshots/${tag}/`))
}

function endedWell(expected: number, { exitCode, stderr }: CliResult): string[] {
	const isSo = exitCode === expected || exitCode === 0
	return isSo ? [] : [`the run after it ended with ${exitCode}: ${stderr}`]
}

/** The paths of the mirror. */
function mirrorOf({ files }: Contents): Pick<Contents, 'files'> {
	return { files: Object.fromEntries(Object.entries(files).filter(([path]) => path.startsWith('data/'))) }
}

function otherThan({ files: one }: Pick<Contents, 'files'>, { files: other }: Pick<Contents, 'files'>): string[] {
	const paths = [...new Set([...Object.keys(one), ...Object.keys(other)])]
	return paths
		.filter((path) => one[path] !== other[path])
		.map((path) => `${path} is not as an undisturbed run leaves it`)
}

/** What is mended is as it was or as it is to be. */
function unlike(now: Contents, before: Contents, after: Contents): string[] {
	return Object.keys(mirrorOf(after).files)
		.filter((path) => ![before.files[path], after.files[path]].includes(now.files[path]))
		.map((path) => `${path} is neither what it was nor good`)
}

function rottenStill({ files }: Contents, after: Contents, repaired: ReadonlySet<string>): string[] {
	return [...repaired]
		.filter((path) => files[path] !== after.files[path])
		.map((path) => `${path} was repaired, and is not`)
}

/** Files of snapshots, live sets and backups in the mirror that no receipt lists; paths in the haven. */
function nakedIn(disk: string): string[] {
	const listed = listedIn(disk)
	return Object.keys(mirrorOf(contentsOf(disk)).files).filter((path) => !listed.has(path))
}

/** The paths that receipts list, with their CRC-32. */
function listedIn(disk: string): Map<string, string> {
	return new Map(
		readAllReceipts(disk).flatMap((found): [string, string][] => {
			if ('broken' in found) return []
			const place = placeOf('', found.receipt)
			return found.receipt.files.map(({ path, crc32: crc }) => [join(place, path), crc])
		}),
	)
}

/** Files that are gone from the node of which the haven has not the bytes behind a receipt. */
function notSealed(disk: string, gone: ReadonlySet<string>): string[] {
	if (gone.size === 0) return []
	const listed = listedIn(disk)
	return [...gone].filter((path) => {
		// Below the data directory as in the mirror; a folder that went has nothing to be listed.
		const inner = join('data', path.split('/').slice(1).join('/'))
		if (!/\.[a-z0-9]+$/.test(path)) return false
		const place = join(disk, inner)
		const crc = existsSync(place) ? crc32(readFileSync(place)).toString(16).padStart(8, '0') : undefined
		return crc === undefined || listed.get(inner) !== crc
	})
}

function leftIn(disk: string): string[] {
	const partial = join(disk, '.snaphaven/partial')
	const names = existsSync(partial) ? readdirSync(partial) : []
	return names.map((name) => `partial/${name} was left behind`)
}
