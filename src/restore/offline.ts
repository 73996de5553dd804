import { runAsync } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import { onHaven } from '../haven/trouble.ts'
import { inDataDirectory } from './data-folders.ts'
import { finishEarlier, noteIn } from './earlier-moves.ts'
import { fillStage } from './fill-stage.ts'
import { moveAll } from './moves.ts'
import { holdFolder } from './one-at-a-time.ts'
import { requireSpace } from './plan.ts'
import { planMoves } from './plan-moves.ts'
import { filesToPut, type OfflinePlan, type OfflineTable } from './plan-offline.ts'
import { readReceiptFor } from './receipt-for.ts'
import type { FileDamage } from './restore-table.ts'
import { refuseRunning } from './running.ts'
import { type Disk, unitOf } from './spread.ts'
import { clearStage, makeStage } from './stage.ts'
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
	requireSpace(plan, plan.disks[0]?.directory ?? '')
	const aside = `.snaphaven-replaced-${new Date().toISOString().replace(/[-:]|\.\d+/g, '')}`
	const [dataDirectory = ''] = options.dataDirectories
	const release = await holdFolder(dataDirectory)
	try {
		await finishEarlier(options.dataDirectories)
		for (const table of plan.tables.filter(({ isThere }) => !isThere)) {
			signal.throwIfAborted()
			await refuseRunning(options.dataDirectories)
			await inDataDirectory(dataDirectory, () => putTable({ ...work, aside }, table))
			for (const { directory } of plan.disks) await inDataDirectory(directory, () => clearStage(directory))
		}
	} finally {
		release()
	}
}

async function putTable(work: Offline, table: OfflineTable): Promise<void> {
	const { haven, plan, options, signal, tell, aside } = work
	const { head, place } = table
	const { keyspace, name } = place
	const refuse = (reason: string, isDamage: boolean, damage: FileDamage[] = []) =>
		tell({ type: 'refused', refusal: { keyspace, name, reason, isDamage }, damage, table })
	const read = await runAsync(onHaven(readReceiptFor(haven.base, head, options)))
	if (!('receipt' in read)) return refuse(read.problem, !read.gone)
	if (read.receipt.id !== head.id) return refuse('it was sealed anew meanwhile: run it again', false)
	const files = await filesToPut(read.receipt, { ...options, folderName: table.folderName })
	const shares = Map.groupBy(files, ({ path }) => plan.disks[table.places.get(unitOf(path)) ?? 0] as Disk)
	const gathered: { path: string; disk: Disk }[] = []
	const damaged: FileDamage[] = []
	const leftOut: string[] = []
	for (const [disk, share] of shares) {
		const folders = read.receipt.folders.filter(({ path }) => share.some((file) => file.path.startsWith(`${path}/`)))
		const result = await fillStage(work, disk, place, { ...read.receipt, folders, files: share })
		const { changed } = result
		if (changed !== undefined) return refuse(`its snapshot was replaced or removed meanwhile (${changed})`, false)
		damaged.push(...result.damage)
		leftOut.push(...result.leftOut)
		if (!result.restored) return refuse('the haven’s copy is damaged', true, damaged)
		const whole = share.filter(({ path }) => !result.leftOut.includes(path))
		gathered.push(...whole.map(({ path }) => ({ path, disk })))
	}
	for (const one of damaged) tell({ type: 'damaged file', table, ...one })
	signal.throwIfAborted()
	await refuseRunning(options.dataDirectories)
	const { disks } = plan
	const moves = await runAsync(planMoves({ table, disks, replace: options.replace, aside, gathered }))
	if (moves === undefined) return refuse('an SSTable of one of its ids is there already, with other contents', false)
	await Promise.all(disks.map((disk) => makeStage(disk, keyspace)))
	const directories = disks.map(({ directory }) => directory)
	await runAsync(moveAll(directories.map(noteIn), directories, moves))
	for (const folder of new Set(moves.flatMap(({ to }) => asideIn(to, aside)))) tell({ type: 'replaced', table, folder })
	tell({ type: 'restored', table, leftOut })
}

function asideIn(path: string, aside: string): string[] {
	const at = path.indexOf(`/${aside}/`)
	return at === -1 ? [] : [path.slice(0, at + 1 + aside.length)]
}
