import { refreshTable } from '../cassandra/nodetool.ts'
import { parseComponent } from '../cassandra/sstable.ts'
import { failure } from '../errors.ts'
import { hasCode, runAsync } from '../files/io.ts'
import { currentFolder } from './current-folder.ts'
import { refreshNoteIn } from './earlier-moves.ts'
import { idOf } from './free-ids.ts'
import { liveSSTables, namesIn } from './live-sstables.ts'
import { moveAll } from './moves.ts'
import { folderOf, type TablePlace } from './places.ts'
import type { Stage } from './stage.ts'
import { foldersOf, whyNoFolder } from './table-folders.ts'
import type { ImportOptions } from './types.ts'
import { understood } from './understood.ts'

/** Whether a node of this release, as `nodetool version` tells it, has no `nodetool import`: that is before 4.0. */
export function hasNoImport(version: string): boolean {
	const major = /^ReleaseVersion:\s*(\d+)\./m.exec(version)?.[1]
	return major !== undefined && Number(major) < 4
}

/**
 * Far above the numbers that the node gives to new SSTables: it would write over what has the next one. `nodetool refresh`
 * gives each that it takes the next number itself.
 */
const NUMBERS_APART = 1_000_000

/**
 * What stands in a stage's folder of files, by where it goes: into the live folder, each SSTable with a number of its own
 * that none has. Data.db comes last: what has none is no SSTable, and is removed by a node that starts.
 */
export function movesToLive(staged: string[], live: string[]): { from: string; to: string }[] {
	const taken = live.map((name) => Number(idOf(name) ?? 0)).filter(Number.isSafeInteger)
	const first = Math.max(0, ...taken) + NUMBERS_APART
	const sstables = Map.groupBy(
		staged.filter((name) => parseComponent(name)),
		(name) => idOf(name) ?? '',
	)
	return [...sstables].flatMap(([id, names], index) =>
		names
			.toSorted((a, b) => Number(a.endsWith('-Data.db')) - Number(b.endsWith('-Data.db')))
			.map((from) => ({ from, to: from.replace(`-${id}-`, `-${first + index}-`) })),
	)
}

/**
 * Puts what is staged of a table into its live folder of the same data directory, and has the node load that, as Cassandra
 * before 4.0 needs it. Gives why that can't be said to have succeeded. What the node has not loaded then stays: it may be
 * about to, a start loads it, and so does the next run.
 */
export async function putAndRefresh(
	{ dataDirectories, nodetool }: Pick<ImportOptions, 'dataDirectories' | 'nodetool'>,
	place: TablePlace,
	stage: Stage,
	signal: AbortSignal,
): Promise<string | undefined> {
	const { keyspace, name } = place
	const folders = await foldersOf(dataDirectories, place)
	const current = currentFolder(folders)
	if (current === undefined) return whyNoFolder(folders)
	const live = dataDirectories.map((directory) => `${directory}/${keyspace}/${current}`)
	const put = await moveIn(stage, place, live)
	const output = await refreshTable(nodetool, { keyspace, table: name }, signal).catch(understood)
	const left = (await runAsync(liveSSTables(live))).filter(({ prefix }) => put.has(prefix))
	if (left.length === 0) return undefined
	const said = output === '' ? '' : `; nodetool said: ${output}`
	return `the node loaded ${put.size - left.length} of ${put.size} SSTables, which are in its live folder${said}`
}

/** Moves it behind a durable note, since half an SSTable would fail each refresh; gives the SSTables' prefixes then. */
async function moveIn({ directory }: Stage, place: TablePlace, live: string[]): Promise<Set<string>> {
	const staged = folderOf(place)
	const [to = ''] = live.filter((folder) => folder.startsWith(`${directory}/`))
	const there: string[] = []
	for (const folder of live) there.push(...(await runAsync(namesIn(folder))))
	const names = movesToLive(await runAsync(namesIn(staged)), there)
	const moves = names.map((name) => ({ from: `${staged}/${name.from}`, to: `${to}/${name.to}` }))
	try {
		await runAsync(moveAll([refreshNoteIn(directory)], [directory], moves))
	} catch (error) {
		if (!hasCode(error)) throw error
		throw failure(
			`${to} can’t be written to (${error.code})`,
			'Run as the user that Cassandra runs as, or as root.',
			error,
		)
	}
	return new Set(moves.map((move) => parseComponent(move.to)?.prefix ?? ''))
}
