import type { SyncEvent, SyncSummary, TransferAmounts } from '../mirror/types.ts'
import { add } from './amounts.ts'
import { describeAbort, describeError, isAbort } from './errors.ts'
import { errorObject, eventObject, outcomeObject } from './json-events.ts'
import { describeEvent, isShown, type Line, type Loudness } from './messages.ts'
import { Meter } from './meter.ts'
import { type Output, openOutput } from './output.ts'
import { progressLine } from './progress-line.ts'
import { describeOutcome, type Ending, exitCodeOf, type Plan } from './summary.ts'

/** How a pass is to be told. */
export interface ReporterOptions extends Loudness {
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
		if (event.type === 'waiting') this.#plan = { ...this.#plan, waiting: this.#plan.waiting + 1 }
		if (event.type === 'damaged' || (event.type === 'sealed' && event.state === 'damaged')) this.#sawDamage = true
		const object = this.#options.json ? eventObject(event) : undefined
		if (object !== undefined) this.#output.printJson(object)
		for (const line of describeEvent(event)) this.print(line)
	}

	/** Tells what is not an event of the pass. */
	print(line: Line): void {
		if (this.#options.json && line.to === 'stdout') return
		if (isShown(line.importance, this.#options)) this.#output.print(line)
	}

	/** Tells how the pass ended. Returns the exit code. */
	finish(summary: SyncSummary, ending: Ending): number {
		this.#output.end()
		const outcome = { summary, ending, plan: this.#options.dryRun ? this.#plan : undefined }
		for (const line of describeOutcome(outcome)) this.print(line)
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
		for (const line of told.lines) this.print(line)
		if (this.#options.json) this.#output.printJson(errorObject(exitCode, told.message, told.hint))
		return exitCode
	}

	#showProgress({ progress }: Extract<SyncEvent, { type: 'progress' }>): void {
		if (!isShown('result', this.#options)) return
		const now = performance.now()
		this.#output.showProgress(progressLine(progress, this.#meter.measure(progress, now)), now)
	}
}

/** A reporter on this process's stdout and stderr. */
export async function openReporter(options: ReporterOptions): Promise<Reporter> {
	return new Reporter(options, await openOutput())
}

const NONE = { files: 0, bytes: 0 }
const NOTHING: Plan = { snapshots: 0, waiting: 0, copied: NONE, hardlinked: NONE, reflinked: NONE, reused: NONE }

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
