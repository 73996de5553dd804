import type { SyncEvent, SyncSummary, TransferAmounts } from '../mirror/types.ts'
import { add, total } from './amounts.ts'
import { describeAbort, describeError, isAbort } from './errors.ts'
import { errorObject, eventFields, eventObject, outcomeObject } from './json-events.ts'
import type { LogOptions } from './log-format.ts'
import { describeEvent, isShown, type Line, type Loudness } from './messages.ts'
import { Meter } from './meter.ts'
import { type Output, openOutput } from './output.ts'
import { progressLine } from './progress-line.ts'
import { describeOutcome, type Ending, exitCodeOf, type Plan } from './summary.ts'

/** How a pass is to be told. */
export interface ReporterOptions extends Loudness, LogOptions {
	/** One object a line on stdout, in place of the lines for people there. */
	json: boolean
	dryRun: boolean
}

/** Tells what a pass does, as it does it, and how it ended. */
class Reporter {
	readonly #options: ReporterOptions
	readonly #output: Output
	readonly #meter = new Meter()
	#plan: Plan = NOTHING
	#sawDamage = false

	constructor(options: ReporterOptions, output: Output) {
		this.#options = options
		this.#output = output
	}

	/** Tells an event of the pass. */
	tell(event: SyncEvent): void {
		if (event.type === 'progress') {
			this.#showProgress(event)
			return
		}
		if (event.type === 'planned') this.#plan = addToPlan(this.#plan, event)
		if (event.type === 'livePlanned') this.#plan = addLiveToPlan(this.#plan, event)
		if (event.type === 'waiting') this.#plan = { ...this.#plan, waiting: this.#plan.waiting + 1 }
		if (event.type === 'removable') this.#plan = { ...this.#plan, removable: this.#plan.removable + 1 }
		if (event.type === 'backupsPlanned') this.#plan = addBackupsToPlan(this.#plan, event)
		if (event.type === 'backupsPruned') this.#plan = { ...this.#plan, prunable: this.#plan.prunable + event.sstables }
		if (event.type === 'liveDamaged' || event.type === 'backupsDamaged') this.#sawDamage = true
		if (event.type === 'damaged' || (event.type === 'sealed' && event.state === 'damaged')) this.#sawDamage = true
		const object = this.#options.json ? eventObject(event) : undefined
		if (object !== undefined) this.#output.printJson(object)
		this.#printAll(describeEvent(event), eventFields(event))
	}

	/** Tells what is not an event of the pass. fields: what stands beside the line where the log is for machines. */
	print(line: Line, fields?: Record<string, unknown>): void {
		if (this.#options.json && line.to === 'stdout') return
		if (isShown(line.importance, this.#options)) this.#output.print(line, fields)
	}

	/** Tells how the pass ended. Returns the exit code. */
	finish(summary: SyncSummary, ending: Ending): number {
		this.#output.end()
		const outcome = { summary, ending, plan: this.#options.dryRun ? this.#plan : undefined }
		this.#printAll(describeOutcome(outcome), outcomeObject(outcome))
		if (this.#options.json) this.#output.printJson(outcomeObject(outcome))
		return exitCodeOf(outcome)
	}

	/**
	 * Tells an error that ended the pass; one that only says that it was aborted is told as that. Returns the exit code:
	 * damage that was found by then goes before all else.
	 */
	fail(error: unknown, ending: Ending): number {
		this.#output.end()
		const told = ending !== 'complete' && isAbort(error) ? describeAbort(ending) : describeError(error)
		const exitCode = this.#sawDamage ? 3 : told.exitCode
		const object = errorObject(exitCode, told.message, told.hint)
		this.#printAll(told.lines, object)
		if (this.#options.json) this.#output.printJson(object)
		return exitCode
	}

	/** Tells one thing in several lines; its fields stand beside the first. */
	#printAll(lines: Line[], fields: Record<string, unknown>): void {
		for (const [index, line] of lines.entries()) this.print(line, index === 0 ? fields : undefined)
	}

	#showProgress({ progress }: Extract<SyncEvent, { type: 'progress' }>): void {
		if (!isShown('result', this.#options)) return
		const now = performance.now()
		this.#output.showProgress(progressLine(progress, this.#meter.measure(progress, now)), now)
	}
}

/** A reporter on this process's stdout and stderr. */
export async function openReporter(options: ReporterOptions): Promise<Reporter> {
	return new Reporter(options, await openOutput(options))
}

const NONE = { files: 0, bytes: 0 }
const NOTHING: Plan = {
	snapshots: 0,
	waiting: 0,
	removable: 0,
	live: { ...NONE, tables: 0 },
	backups: { ...NONE, tables: 0 },
	prunable: 0,
	copied: NONE,
	hardlinked: NONE,
	reflinked: NONE,
	reused: NONE,
}

function addLiveToPlan(plan: Plan, more: TransferAmounts): Plan {
	return { ...plan, live: addTable(plan.live, more) }
}

function addBackupsToPlan(plan: Plan, more: TransferAmounts): Plan {
	return { ...plan, backups: addTable(plan.backups, more) }
}

function addTable(known: Plan['live'], more: TransferAmounts): Plan['live'] {
	const { files, bytes } = total(more)
	return { tables: known.tables + 1, files: known.files + files, bytes: known.bytes + bytes }
}

function addToPlan(plan: Plan, more: TransferAmounts): Plan {
	return {
		...plan,
		snapshots: plan.snapshots + 1,
		copied: add(plan.copied, more.copied),
		hardlinked: add(plan.hardlinked, more.hardlinked),
		reflinked: add(plan.reflinked, more.reflinked),
		reused: add(plan.reused, more.reused),
	}
}
