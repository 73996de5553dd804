import { tableName } from '../cassandra/find-tables.ts'
import { failure } from '../errors.ts'
import { runAsync } from '../files/io.ts'
import { findUnknown, isHaven } from '../haven/adopted.ts'
import type { SnapshotKey } from '../haven/layout.ts'
import { onHaven } from '../haven/trouble.ts'
import type { AdoptionAnswer } from '../mirror/draft-adoption.ts'
import type { Selection } from '../mirror/read-catalog.ts'
import type { Tending } from '../mirror/tend.ts'
import { amount, count, counted } from '../report/amounts.ts'
import { describeError } from '../report/errors.ts'
import { errorObject } from '../report/json-events.ts'
import { describeEvent, pathName, problemLine, resultLine, shortName } from '../report/messages.ts'
import { onSignals } from './interruption.ts'
import type { Places } from './shared-options.ts'
import { openTeller, type Teller, type Telling } from './teller.ts'
import { withTending } from './with-tending.ts'

/** What is to be adopted, and where. */
export interface AdoptOptions extends Places {
	selection: Selection
	dryRun: boolean
}

/** How long a copy without a manifest must have been quiet, in ms. */
const SETTLE_MS = 60_000

/** Adopts and tells. Returns the exit code. */
export async function runAdopt(options: AdoptOptions, telling: Telling): Promise<number> {
	const teller = await openTeller(telling)
	const interruption = onSignals((message) => teller.print(problemLine('signal', 'doubtful', message)))
	const sums: Sums = { adopted: 0, files: 0, bytes: 0, refused: 0, damaged: 0 }
	const { signal } = interruption
	try {
		const keys = await findCopies(options)
		if (options.dryRun) return tellFound(keys, teller)
		const ways = { ...options, make: true, settleMs: SETTLE_MS, teller, signal }
		if (keys.length > 0) await withTending(ways, ({ adopt: by }) => adoptEach({ keys, by, sums, teller, signal }))
		return tellEnd(sums, keys.length, teller)
	} catch (error) {
		teller.endProgress()
		const { lines, message, hint, exitCode } = describeError(error)
		for (const line of lines) teller.print(line)
		teller.printJson({ ...errorObject(exitCode, message, hint), ...sums })
		return exitCode
	} finally {
		interruption.release()
	}
}

/** Copies without a receipt; the folder need not be a haven yet, but is to have some where it is none. */
async function findCopies({ haven, selection }: AdoptOptions): Promise<SnapshotKey[]> {
	const unknown = await runAsync(onHaven(findUnknown(haven)))
	const wanted = unknown.filter(
		({ keyspace, table, tag }) => selection.wantsTable(keyspace, tableName(table)) && selection.wantsTag(tag),
	)
	if (unknown.length > 0) return wanted
	const known = await runAsync(onHaven(isHaven(haven)))
	if (known) return []
	throw failure(
		`there is nothing to adopt in ${haven}`,
		`Copies are looked for in ${haven}/data/KEYSPACE/TABLE-ID/snapshots/TAG. Is it mounted?`,
	)
}

function tellFound(keys: SnapshotKey[], teller: Teller): number {
	for (const key of keys) {
		teller.print(resultLine('would look at', shortName(key), 'plain'))
		teller.printJson({ type: 'unknown', ...key })
	}
	teller.print({ ...resultLine('would look at', counted(keys.length, 'snapshot'), 'plain'), importance: 'summary' })
	teller.printJson({ type: 'summary', exitCode: 0, dryRun: true, snapshots: keys.length })
	return 0
}

interface Sums {
	adopted: number
	files: number
	bytes: number
	refused: number
	damaged: number
}

interface Run {
	keys: SnapshotKey[]
	by: Tending['adopt']
	sums: Sums
	teller: Teller
	signal: AbortSignal
}

const SNAPSHOTS_AT_A_TIME = 8

async function adoptEach({ keys, by, sums, teller, signal }: Run): Promise<void> {
	for (let at = 0; at < keys.length && !signal.aborted; at += SNAPSHOTS_AT_A_TIME) {
		teller.showProgress(`${count(at)}/${counted(keys.length, 'snapshot')} looked at · ${amount(sums)} adopted`)
		const some = keys.slice(at, at + SNAPSHOTS_AT_A_TIME)
		for (const [index, answer] of (await by(some)).entries()) {
			const key = some[index]
			if (key) tellAnswer(key, answer, sums, teller)
		}
	}
	teller.endProgress()
}

function tellAnswer(key: SnapshotKey, answer: AdoptionAnswer, sums: Sums, teller: Teller): void {
	if (answer.answer === 'known') return
	teller.printJson({ type: answer.answer, ...key, ...answer })
	if (answer.answer === 'refused') {
		sums.refused += 1
		if (answer.damaged) sums.damaged += 1
		teller.print(problemLine('not adopted', answer.damaged ? 'bad' : 'doubtful', `${pathName(key)}: ${answer.reason}`))
		return
	}
	const { state, damage, files, bytes } = answer
	sums.adopted += 1
	sums.files += files
	sums.bytes += bytes
	if (state === 'damaged') sums.damaged += 1
	for (const line of describeEvent({ type: 'adopted', snapshot: key, state, files, bytes })) teller.print(line)
	for (const { path, reason } of damage) {
		teller.print(problemLine('damaged', 'bad', `${pathName(key)}/${path}: ${reason}`))
	}
}

function tellEnd(sums: Sums, found: number, teller: Teller): number {
	const { adopted, refused, damaged } = sums
	const left = found - adopted - refused
	const exitCode = damaged > 0 ? 3 : refused + left > 0 ? 1 : 0
	const rest = refused > 0 ? `; ${counted(refused, 'other')} left alone` : ''
	const more = left > 0 ? `; ${counted(left, 'snapshot')} not looked at: run it again to go on` : ''
	const text =
		found === 0 ? 'nothing: all has receipts' : `${counted(adopted, 'snapshot')} (${amount(sums)})${rest}${more}`
	teller.print({ ...resultLine('adopted', text, exitCode === 0 ? 'good' : 'doubtful'), importance: 'summary' })
	teller.printJson({ type: 'summary', exitCode, dryRun: false, ...sums, notLookedAt: left })
	return exitCode
}
