import { readWhole } from '../files/contents.ts'
import { hasCode, type Io } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { lstatIfThere } from '../files/operations.ts'
import { withDataFolder } from './data-folders.ts'
import { freeNames, idOf } from './free-ids.ts'
import { namesIn } from './live-sstables.ts'
import type { Move } from './make-moves.ts'
import { folderOf } from './places.ts'
import type { OfflineTable } from './plan-offline.ts'
import type { Disk } from './spread.ts'
import type { Stage } from './stage.ts'

/** What is to be moved into a table's live folders. */
interface MovesOrder {
	table: OfflineTable
	disks: Disk[]
	/** Move what is there aside, to the folder of that name within each data directory. */
	replace: boolean
	aside: string
	/** What was gathered: each path within the table's folder, and the disk whose stage has it. */
	gathered: { path: string; disk: Disk }[]
}

/**
 * The moves that put a table in place, all of them within file systems; the folders that they go to are made. Undefined
 * where an id is taken that can't be given another number.
 */
export function* planMoves({ table, disks, replace, aside, gathered }: MovesOrder): Io<Move[] | undefined> {
	const within = `${table.place.keyspace}/${table.folderName}`
	const moves: Move[] = []
	for (const { directory } of disks) yield* refuseForeign(directory, within)
	for (const { directory, owner } of replace ? disks : []) {
		moves.push(...(yield* movesAside(directory, within, aside, owner)))
	}
	const leaving = new Set(moves.map(({ from }) => from))
	for (const [index, files] of Map.groupBy(gathered, ({ path }) => path.slice(0, path.lastIndexOf('/') + 1))) {
		const taken = yield* takenIn(
			disks.map(({ directory }) => `${directory}/${within}/${index}`),
			leaving,
		)
		const free = freeNames(
			files.map(({ path }) => path.slice(index.length)),
			taken,
		)
		if (free === undefined) return undefined
		for (const disk of new Set(files.map((file) => file.disk))) yield* makeFolders(disk, `${within}/${index}`)
		for (const { path, disk } of files) {
			const to = free.get(path.slice(index.length)) ?? ''
			const staged = folderOf({ ...table.place, root: disk.root })
			moves.push({ from: `${staged}/${path}`, to: `${disk.directory}/${within}/${index}${to}` })
		}
	}
	return moves
}

/** Fails before anything is noted where somebody else's link stands in the table's place. */
function* refuseForeign(directory: string, within: string): Io<void> {
	try {
		yield* withDataFolder(directory, within, function* () {})
	} catch (error) {
		if (!hasCode(error, 'ENOENT')) throw error
	}
}

/** The ids of SSTables in these folders, also of those that a transaction log alone still knows. */
function* takenIn(folders: string[], leaving: ReadonlySet<string>): Io<Set<string>> {
	const taken = new Set<string>()
	for (const folder of folders) {
		for (const name of yield* namesIn(folder)) {
			if (leaving.has(`${folder}${name}`)) continue
			const id = idOf(name)
			if (id !== undefined) taken.add(id)
			if (!/_txn_[a-z]+_.*\.log$/.test(name)) continue
			const text = (yield* readWhole(pathOf(`${folder}${name}`), 64 * 1024 * 1024)).toString('latin1')
			for (const [, logged = ''] of text.matchAll(/\/([^/]+)-,/g)) taken.add(idOf(`${logged}-Data.db`) ?? '')
		}
	}
	return taken
}

/** What is live in one data directory's folder of a table goes aside: SSTables, their indexes and logs; never snapshots. */
function* movesAside(dataDirectory: string, within: string, aside: string, owner: Stage['owner']): Io<Move[]> {
	const moves: Move[] = []
	const live = `${dataDirectory}/${within}`
	const indexes = (yield* namesIn(live)).filter((name) => name.startsWith('.')).map((name) => `/${name}`)
	for (const index of ['', ...indexes]) {
		for (const name of yield* namesIn(`${live}${index}`)) {
			const from = `${live}${index}/${name}`
			if ((yield* lstatIfThere(pathOf(from)))?.isFile()) {
				moves.push({ from, to: `${dataDirectory}/${aside}/${within}${index}/${name}` })
			}
		}
	}
	for (const folder of new Set(moves.map(({ to }) => to.slice(dataDirectory.length + 1, to.lastIndexOf('/') + 1)))) {
		yield* makeFolders({ directory: dataDirectory, owner }, folder)
	}
	return moves
}

/** Makes the folders of a path within a data directory that are missing, of that owner, with the mode of a data directory's. */
function* makeFolders({ directory, owner }: Pick<Disk, 'directory' | 'owner'>, path: string): Io<void> {
	yield* withDataFolder(directory, path, function* () {}, { mode: 0o755, owner })
}
