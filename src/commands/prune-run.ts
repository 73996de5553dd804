import { openForReading } from '../haven/open-for-reading.ts'
import { type Catalog, readCatalog } from '../mirror/read-catalog.ts'
import type { Removable, Removed } from '../mirror/remover.ts'
import { type PlannedGroup, planPrune } from '../prune/plan-prune.ts'
import { bytes, count, counted } from '../report/amounts.ts'
import { describeError } from '../report/errors.ts'
import { errorObject } from '../report/json-events.ts'
import { type Line, problemLine, resultLine, shortName } from '../report/messages.ts'
import { quoted } from '../report/printable.ts'
import { onSignals } from './interruption.ts'
import type { PruneOptions } from './prune-options.ts'
import { planCounts, planLines, tagObjects } from './prune-report.ts'
import { openTeller, type Teller, type Telling } from './teller.ts'
import { withTending } from './with-tending.ts'

/** Plans, tells the plan, and removes what goes by it. Returns the exit code. */
export async function runPrune(options: PruneOptions, telling: Telling): Promise<number> {
	const teller = await openTeller(telling)
	const interruption = onSignals((message) => teller.print(problemLine('signal', 'doubtful', message)))
	const done: Done = { snapshots: 0, bytes: 0, changed: 0 }
	const { signal } = interruption
	let exitCode = 0
	try {
		const act = async (remove?: Remove) => {
			exitCode = await planAndRemove({ options, teller, signal, done }, remove)
		}
		if (options.dryRun) await act()
		else await withTending({ ...options, teller, signal }, ({ prune }) => act(prune))
		return exitCode
	} catch (error) {
		teller.endProgress()
		const { lines, message, hint, exitCode } = describeError(error)
		for (const line of lines) teller.print(line)
		if (done.snapshots > 0) teller.print(removedLine('removed before that:', done))
		teller.printJson({
			...errorObject(exitCode, message, hint),
			removedSnapshots: done.snapshots,
			freedBytes: done.bytes,
		})
		return exitCode
	} finally {
		interruption.release()
	}
}

interface Run {
	options: PruneOptions
	teller: Teller
	signal: AbortSignal
	done: Done
}

/** Gives the exit code. Under the lease what an earlier run left half-done is finished by now, and not in doubt. */
async function planAndRemove({ options, teller, signal, done }: Run, remove: Remove | undefined): Promise<number> {
	const catalog = await readHaven(options)
	tellDoubtful(catalog, teller)
	const groups = planPrune(catalog.sealed, options.rules, options.allowEmpty)
	for (const line of await planLines(groups)) teller.print(line)
	for (const object of groups.flatMap(tagObjects)) teller.printJson(object)
	const wanted = wantedOf(groups)
	if (remove) await removeAll(wanted, remove, done, teller, signal)
	const isAll = !remove || done.snapshots + done.changed === wanted.length
	const exitCode = catalog.bad.length > 0 ? 3 : isAll ? 0 : 1
	tellEnd({ groups, done, isAll, options, exitCode }, teller)
	return exitCode
}

async function readHaven({ haven: path, stateDirectory, selection }: PruneOptions): Promise<Catalog> {
	const haven = await openForReading(path, stateDirectory)
	try {
		return await readCatalog(haven.base, selection)
	} finally {
		await haven.close()
	}
}

function tellDoubtful({ inDoubt, bad }: Catalog, teller: Teller): void {
	for (const key of inDoubt) {
		teller.print(problemLine('left alone', 'doubtful', `${shortName(key)}: it is being sealed or removed`))
	}
	for (const { path, reason } of bad) {
		teller.print(problemLine('left alone', 'bad', `the receipt ${quoted(path)} does not count: ${reason}`))
		teller.printJson({ type: 'bad receipt', path, reason })
	}
}

/** The oldest first: what a stop in the middle leaves is what a shorter rule would have left. */
function wantedOf(groups: PlannedGroup[]): Removable[] {
	const tags = groups.flatMap((group) => group.tags).sort((a, b) => a.takenAtMs - b.takenAtMs)
	return tags.flatMap(({ removed }) =>
		removed.map(({ keyspace, table, tag, id }) => ({ key: { keyspace, table, tag }, receiptId: id })),
	)
}

type Remove = (wanted: Removable[]) => Promise<Removed[]>

interface Done {
	snapshots: number
	bytes: number
	/** Sealed anew or gone meanwhile: nothing was removed. */
	changed: number
}

const SNAPSHOTS_AT_A_TIME = 256

async function removeAll(
	wanted: Removable[],
	remove: Remove,
	done: Done,
	teller: Teller,
	signal: AbortSignal,
): Promise<void> {
	for (let at = 0; at < wanted.length && !signal.aborted; at += SNAPSHOTS_AT_A_TIME) {
		const some = wanted.slice(at, at + SNAPSHOTS_AT_A_TIME)
		for (const [index, one] of (await remove(some)).entries()) {
			const key = some[index]?.key
			if (key === undefined) continue
			if (!one.removed) {
				done.changed += 1
				teller.print(problemLine('left alone', 'doubtful', `${shortName(key)}: it has changed since it was planned`))
				continue
			}
			done.snapshots += 1
			done.bytes += one.bytes
			teller.print({ ...resultLine('removed', shortName(key), 'plain'), importance: 'detail' })
			teller.printJson({ type: 'removed', ...key, freedBytes: one.bytes })
		}
		teller.showProgress(
			`${count(done.snapshots)}/${counted(wanted.length, 'snapshot')} removed · ${bytes(done.bytes)} freed`,
		)
	}
	teller.endProgress()
}

interface Ending {
	groups: PlannedGroup[]
	done: Done
	isAll: boolean
	options: PruneOptions
	exitCode: number
}

function tellEnd({ groups, done, isAll, options, exitCode }: Ending, teller: Teller): void {
	const { kept, removed, bytes: planned } = planCounts(groups)
	const line = options.dryRun
		? resultLine('would remove', `${removed}, at most ${bytes(planned)}; would keep ${kept}`, 'plain')
		: isAll
			? removedLine('removed', done, `; kept ${kept}`)
			: removedLine('interrupted: removed', done, ` of ${removed}; run it again to go on`)
	teller.print({ ...line, importance: 'summary' })
	const counts = { removedSnapshots: done.snapshots, freedBytes: done.bytes, changed: done.changed }
	teller.printJson({ type: 'summary', exitCode, dryRun: options.dryRun, ...counts, plannedBytes: planned })
}

function removedLine(label: string, done: Done, rest = ''): Line {
	return resultLine(label, `${counted(done.snapshots, 'snapshot')}, ${bytes(done.bytes)} freed${rest}`)
}
