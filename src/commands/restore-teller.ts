import { counted } from '../report/amounts.ts'
import { describeError, isAbort } from '../report/errors.ts'
import { errorObject } from '../report/json-events.ts'
import { type Line, problemLine, shortName } from '../report/messages.ts'
import { Meter } from '../report/meter.ts'
import { quoted } from '../report/printable.ts'
import { progressLine } from '../report/progress-line.ts'
import { stdoutSettled } from '../report/streams.ts'
import { isLive, requireSpace } from '../restore/plan.ts'
import type { PlannedTable, Refusal, RestoreEvent, RestorePlan } from '../restore/types.ts'
import { nextCommands, nextLines, startLine } from './restore-next.ts'
import type { RestoreRun } from './restore-options.ts'
import {
	damageLine,
	planLine,
	plannedLine,
	refusalLine,
	restoredLine,
	schemaLines,
	summaryLine,
	sumOf,
	tableObject,
} from './restore-report.ts'
import { openTeller, type Teller, type Telling } from './teller.ts'

/** Where it is in the end. */
const WORDS = { node: 'running node', 'stopped node': 'live folders of the stopped node' }

/** Progress is told no more often. */
const PROGRESS_MS = 100

/** Tells a restore: its plan, each table, the end and what to do next. */
class RestoreTellerOf {
	readonly #options: RestoreRun
	readonly #teller: Teller
	readonly #meter = new Meter()
	readonly #begunAt = performance.now()
	#plan: RestorePlan | undefined
	/** What is there in the end: restored now, or before. */
	readonly #there: PlannedTable[] = []
	#refused = 0
	#sawDamage = false
	#bytesDone = 0
	#progressAt = Number.NEGATIVE_INFINITY

	constructor(options: RestoreRun, teller: Teller) {
		this.#options = options
		this.#teller = teller
	}

	print(line: Line): void {
		this.#teller.print(line)
	}

	/** What is going to be done, by copies to `where`; with `--dry-run` that is all there is to tell. Throws where it would not fit. */
	tellPlan(plan: RestorePlan, where: string): void {
		this.#plan = plan
		const { dryRun } = this.#options
		for (const message of plan.warnings) this.print(problemLine('warning', 'doubtful', message))
		for (const message of plan.warnings) this.#teller.printJson({ type: 'warning', message })
		for (const refusal of plan.refused) this.#tellRefusal(refusal)
		for (const table of plan.tables) {
			if (dryRun || table.isThere) this.print(plannedLine(table))
			if (table.isThere) this.#there.push(table)
			if (table.isThere || dryRun) {
				this.#teller.printJson(tableObject(table.isThere ? 'there already' : 'planned', table))
			}
		}
		this.print(planLine(plan, where, dryRun))
		if (dryRun) requireSpace(plan, where)
	}

	tellEvent(event: RestoreEvent): void {
		if (event.type === 'progress') this.#bytesDone += event.bytes
		if (event.type === 'damaged file') this.#tellDamage(event.table, event)
		if (event.type === 'replaced') this.#tellReplaced(event)
		if (event.type === 'restored') this.#tellRestored(event)
		if (event.type === 'refused') {
			for (const one of event.damage) this.#tellDamage(event.table, one)
			this.#tellRefusal(event.refusal)
		}
		this.#showProgress()
	}

	/** What makes a table that the node lacks. */
	tellSchema(head: PlannedTable['head'], schema: string): void {
		for (const line of schemaLines(head, schema)) this.print(line)
		const { keyspace, table, tag } = head
		this.#teller.printJson({ type: 'schema', keyspace, table, tag, schema })
	}

	/** Returns the exit code. */
	async tellEnd(): Promise<number> {
		this.#teller.endProgress()
		const { dryRun, target } = this.#options
		const exitCode = this.#sawDamage ? 3 : this.#refused > 0 ? 1 : 0
		const elapsedMs = performance.now() - this.#begunAt
		if (!dryRun) {
			this.print(summaryLine(this.#there, this.#refused, this.#whereText(), elapsedMs))
			const places = this.#plan?.tables.filter((table) => this.#there.includes(table)).map(({ place }) => place)
			if (target.kind === 'folder') {
				const { link, as, when } = target
				const what = { link, isOther: as !== undefined, isLive: isLive(when) }
				for (const line of nextLines(places ?? [], what)) this.print(line)
			}
			if (target.kind === 'stopped node') this.print(startLine)
		}
		const tables = dryRun ? (this.#plan?.tables ?? []) : this.#there
		this.#teller.printJson({
			type: 'summary',
			exitCode,
			dryRun,
			tables: tables.length,
			refused: this.#refused,
			...sumOf(tables),
			bytesNeeded: this.#plan?.bytesNeeded,
			bytesFree: this.#plan?.bytesFree,
			dataDirectories: this.#plan?.disks?.map(({ directory, bytes, bytesFree }) => ({ directory, bytes, bytesFree })),
			elapsedMs: Math.round(elapsedMs),
		})
		await stdoutSettled()
		return exitCode
	}

	/** Tells what ended it. Returns the exit code. */
	tellError(error: unknown, signal: AbortSignal): number {
		this.#teller.endProgress()
		const told = signal.aborted && isAbort(error) ? this.#interruption() : describeError(error)
		const exitCode = this.#sawDamage ? 3 : told.exitCode
		for (const line of told.lines) this.print(line)
		this.#teller.printJson(errorObject(exitCode, told.message, told.hint))
		return exitCode
	}

	#interruption() {
		const message = `${counted(this.#there.length, 'table')} restored; run it again to go on`
		const lines = [problemLine('interrupted', 'doubtful', message)]
		return { lines, exitCode: 1 as const, message: `interrupted: ${message}`, hint: undefined }
	}

	#tellRestored({ table, leftOut, rows }: Extract<RestoreEvent, { type: 'restored' }>): void {
		const { target } = this.#options
		this.#there.push(table)
		if (table.head.state === 'damaged') this.#sawDamage = true
		this.print(restoredLine(table, leftOut, rows))
		this.#teller.printJson({
			...tableObject('restored', table),
			...(leftOut.length === 0 ? {} : { leftOut }),
			...(rows === undefined ? {} : { rows }),
			...(target.kind === 'folder' && !target.link
				? { next: nextCommands(table.place, target.as === undefined && !isLive(target.when)) }
				: {}),
		})
	}

	#tellReplaced({ table: { head }, folder }: Extract<RestoreEvent, { type: 'replaced' }>): void {
		this.print(problemLine('set aside', 'plain', `what was live of ${shortName(head)} is in ${quoted(folder)} now`))
		this.#teller.printJson({ type: 'set aside', keyspace: head.keyspace, table: head.table, folder })
	}

	#whereText(): string {
		const { target } = this.#options
		return target.kind === 'folder' ? `in ${quoted(target.to)}` : `in the ${WORDS[target.kind]}`
	}

	#tellRefusal(refusal: Refusal): void {
		this.#refused++
		if (refusal.isDamage) this.#sawDamage = true
		this.print(refusalLine(refusal))
		const { lacking: _, ...told } = refusal
		this.#teller.printJson({ type: 'refused', ...told })
	}

	#tellDamage(table: PlannedTable, { path, reason }: { path: string; reason: string }): void {
		this.#sawDamage = true
		this.print(damageLine(table, path, reason))
		const { keyspace, table: name, tag } = table.head
		this.#teller.printJson({ type: 'damaged file', keyspace, table: name, tag, path, reason })
	}

	#showProgress(): void {
		const now = performance.now()
		if (now - this.#progressAt < PROGRESS_MS) return
		this.#progressAt = now
		const { tables = [] } = this.#plan ?? {}
		const total = sumOf(tables.filter(({ isThere }) => !isThere))
		const done = sumOf(this.#there)
		const progress = {
			snapshots: { done: this.#there.length, total: tables.length },
			files: { done: done.files, total: sumOf(tables).files },
			bytes: { done: Math.min(this.#bytesDone, total.bytes), total: total.bytes },
		}
		this.#teller.showProgress(progressLine(progress, this.#meter.measure(progress, now)))
	}
}

/** Tells a restore. */
export type RestoreTeller = RestoreTellerOf

/** A teller on this process's stdout and stderr. */
export async function openRestoreTeller(options: RestoreRun, telling: Telling): Promise<RestoreTeller> {
	return new RestoreTellerOf(options, await openTeller(telling))
}
