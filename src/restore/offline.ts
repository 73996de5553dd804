import { ownAs, readWhole } from '../files/contents.ts'
import { FOLDER, makeFolder, removeTree } from '../files/folders.ts'
import { type Io, runAsync } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import { fchmod, lstatIfThere, withOpen } from '../files/operations.ts'
import type { Haven } from '../haven/haven.ts'
import { readSealed } from '../haven/read-sealed.ts'
import { onHaven } from '../haven/trouble.ts'
import { freeNames, idOf } from './free-ids.ts'
import { namesIn } from './live-sstables.ts'
import { finishMoves, type Move, moveAll } from './moves.ts'
import { holdFolder } from './one-at-a-time.ts'
import { folderOf } from './places.ts'
import { requireSpace } from './plan.ts'
import { filesToPut, type OfflinePlan, type OfflineTable } from './plan-offline.ts'
import { restoreTable } from './restore-table.ts'
import { refuseRunning } from './running.ts'
import { clearStage, makeStage, type Stage, stageRoot } from './stage.ts'
import type { OfflineOptions, RestoreEvent } from './types.ts'

/** What a restore into live folders works with. */
interface Offline {
	haven: Haven
	plan: OfflinePlan
	options: OfflineOptions
	signal: AbortSignal
	tell: (event: RestoreEvent) => void
	/** Where what is replaced goes, within each data directory. */
	aside: string
}

/**
 * Puts what a plan says into the live folders of a stopped node, table by table: gathered in the data directory, held
 * against the receipts, and then moved in by renames behind a durable note, so that a run that was killed is finished by
 * the next one. Throws as `restore` does, and where the node is started meanwhile.
 */
export async function restoreOffline(work: Omit<Offline, 'aside'>): Promise<void> {
	const { plan, options, signal } = work
	requireSpace(plan, plan.stage.root)
	const aside = `.snaphaven-replaced-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`
	const [dataDirectory = ''] = options.dataDirectories
	const release = await holdFolder(dataDirectory)
	try {
		for (const path of options.dataDirectories) await finishEarlier(path)
		for (const table of plan.tables.filter(({ isThere }) => !isThere)) {
			signal.throwIfAborted()
			await refuseRunning(options.dataDirectories)
			await putTable({ ...work, aside }, table)
			await clearStage(plan.stage)
		}
	} finally {
		release()
	}
}

/** The note of moves, in the stage of a data directory. */
const noteIn = (stage: string) => `${stage}/moves.json`

async function finishEarlier(dataDirectory: string): Promise<void> {
	await runAsync(finishMoves(noteIn(stageRoot(dataDirectory))))
	await runAsync(removeTree(stageRoot(dataDirectory)))
}

async function putTable(work: Offline, table: OfflineTable): Promise<void> {
	const { haven, plan, options, signal, tell, aside } = work
	const { head, place } = table
	const { keyspace, name } = place
	const refuse = (reason: string, isDamage: boolean, damage: { path: string; reason: string }[] = []) =>
		tell({ type: 'refused', refusal: { keyspace, name, reason, isDamage }, damage, table })
	const read = await runAsync(onHaven(readSealed(haven.base, head)))
	if (!('receipt' in read)) return refuse(read.problem, !read.gone)
	if (read.receipt.id !== head.id) return refuse('it was sealed anew meanwhile: run it again', false)
	const files = await filesToPut(read.receipt, { ...options, folderName: table.folderName })
	const folders = read.receipt.folders.filter(({ path }) => files.some((file) => file.path.startsWith(`${path}/`)))
	await makeStage(plan.stage, keyspace)
	await runAsync(removeTree(folderOf(place)))
	const onBytes = (bytes: number) => tell({ type: 'progress', bytes })
	const { acceptDamaged } = options
	const receipt = { ...read.receipt, folders, files }
	const order = {
		base: haven.base,
		receipt,
		place,
		link: false,
		acceptDamaged,
		owner: plan.stage.owner,
		signal,
		onBytes,
	}
	const { restored, damage, leftOut, changed } = await runAsync(restoreTable(order, false))
	if (changed !== undefined) return refuse(`its snapshot was replaced or removed meanwhile (${changed})`, false)
	if (!restored) return refuse('the haven’s copy is damaged', true, damage)
	for (const one of damage) tell({ type: 'damaged file', table, ...one })
	signal.throwIfAborted()
	await refuseRunning(options.dataDirectories)
	const brought = files.map(({ path }) => path).filter((path) => !leftOut.includes(path))
	const moves = await runAsync(planMoves(work, table, brought))
	if (moves === undefined) return refuse('an SSTable of one of its ids is there already, with other contents', false)
	await runAsync(moveAll(noteIn(plan.stage.root), moves))
	for (const folder of new Set(moves.flatMap(({ to }) => asideIn(to, aside)))) tell({ type: 'replaced', table, folder })
	tell({ type: 'restored', table, leftOut })
}

function asideIn(path: string, aside: string): string[] {
	const at = path.indexOf(`/${aside}/`)
	return at === -1 ? [] : [path.slice(0, at + 1 + aside.length)]
}

/** Undefined where an id is taken that can't be given another number. */
function* planMoves({ plan, options, aside }: Offline, table: OfflineTable, paths: string[]): Io<Move[] | undefined> {
	const { keyspace } = table.place
	const within = `${keyspace}/${table.folderName}`
	const { stage } = plan
	const live = `${stage.root.slice(0, stage.root.lastIndexOf('/'))}/${within}`
	const moves: Move[] = []
	for (const dataDirectory of options.replace ? options.dataDirectories : []) {
		moves.push(...(yield* movesAside(dataDirectory, within, aside, stage.owner)))
	}
	const leaving = new Set(moves.map(({ from }) => from))
	for (const index of new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/') + 1)))) {
		yield* makeOwned(`${live}/${index}`, stage.owner)
		const folders = options.dataDirectories.map((path) => `${path}/${within}/${index}`)
		const names = paths.filter((path) => path.startsWith(index)).map((path) => path.slice(index.length))
		const free = freeNames(
			names.filter((name) => !name.includes('/')),
			yield* takenIn(folders, leaving),
		)
		if (free === undefined) return undefined
		for (const [name, to] of free) {
			moves.push({ from: `${folderOf(table.place)}/${index}${name}`, to: `${live}/${index}${to}` })
		}
	}
	return moves
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
	for (const { to } of moves) {
		const parts = to
			.slice(dataDirectory.length + 1)
			.split('/')
			.slice(0, -1)
		for (const at of parts.keys()) yield* makeOwned(`${dataDirectory}/${parts.slice(0, at + 1).join('/')}`, owner)
	}
	return moves
}

/** Makes a folder that is missing, of that owner, with the mode of a data directory's. */
function* makeOwned(path: string, owner: Stage['owner']): Io<void> {
	if (yield* lstatIfThere(pathOf(path))) return
	yield* makeFolder(pathOf(path), 0o755)
	yield* withOpen(pathOf(path), FOLDER, function* (fd) {
		yield* ownAs(fd, owner)
		yield* fchmod(fd, 0o755)
	})
}
