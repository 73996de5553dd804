import { tableKey } from '../mirror/find-tag.ts'
import type { TagLook } from '../mirror/tag-look.ts'
import type { SyncEvent } from '../mirror/types.ts'
import type { Waited } from '../mirror/wait-for-tag.ts'
import { describeError, isAbort } from '../report/errors.ts'
import { errorObject } from '../report/json-events.ts'
import { describeEvent, type Line, problemLine, resultLine } from '../report/messages.ts'
import { Meter } from '../report/meter.ts'
import { quoted } from '../report/printable.ts'
import { progressLine } from '../report/progress-line.ts'
import { stdoutSettled, writeText } from '../report/streams.ts'
import type { SnapshotOptions } from './snapshot-options.ts'
import { endHung, tellWaited } from './tell-waited.ts'
import { openTeller, type Teller, type Telling } from './teller.ts'
import { allSealedLine, sealedLine, sumOf } from './wait-report.ts'

type Step = 'preparing' | 'taking' | 'sealing' | 'clearing'

/** What is said of an interruption, by what was going on. */
const INTERRUPTED: Record<Step, (tag: string) => string> = {
	preparing: () => 'nothing was taken',
	taking: (tag) => `the snapshot ${tag} may be on the node, or a part of it`,
	sealing: (tag) => `the snapshot ${tag} is on the node; the service, or a pass (--once), goes on with it`,
	clearing: (tag) => `${tag} is sealed; on the node it may be there still, or a part of it`,
}

/** Tells a snapshot as it is taken and sealed: the tag to stdout when all is done, all else to stderr. */
class SnapshotTellerOf {
	readonly #options: SnapshotOptions
	readonly #telling: Telling
	readonly #teller: Teller
	readonly #meter = new Meter()
	readonly #begunAt = performance.now()
	#step: Step = 'preparing'
	#sawDamage = false
	/** Tables that an own pass told of. */
	readonly #told = new Set<string>()

	constructor(options: SnapshotOptions, telling: Telling, teller: Teller) {
		this.#options = options
		this.#telling = telling
		this.#teller = teller
	}

	begin(step: Step): void {
		this.#step = step
	}

	print(line: Line): void {
		this.#teller.print({ ...line, to: 'stderr' })
	}

	showProgress(text: string): void {
		this.#teller.showProgress(text)
	}

	/** What nodetool printed. */
	tellOutput(output: string): void {
		for (const text of output.split('\n'))
			this.print({ ...resultLine('nodetool:', text, 'plain'), importance: 'detail' })
	}

	tellHeld(name: string): void {
		this.print(resultLine('waiting', `for ${name}, which writes to the haven`, 'plain'))
	}

	/** What an own pass tells. */
	tellEvent(event: SyncEvent): void {
		if (event.type === 'progress') {
			this.showProgress(progressLine(event.progress, this.#meter.measure(event.progress, performance.now())))
			return
		}
		if (event.type === 'sealed' || event.type === 'damaged') this.#told.add(tableKey(event.snapshot))
		for (const line of describeEvent(event)) this.print(line)
	}

	tellSealed(look: TagLook): void {
		if (look.head?.state === 'damaged') this.#sawDamage = true
		if (!this.#told.has(tableKey(look.location))) this.print(sealedLine(look, this.#options.tag))
	}

	/** Tells that not all was sealed. Returns the exit code. */
	async tellVain(waited: Waited): Promise<number> {
		this.#teller.endProgress()
		const vain = await tellWaited(waited, this.#options, this.#silentOnStdout(), this.#elapsedMs())
		const exitCode = this.#sawDamage ? 3 : 1
		this.#teller.printJson({ ...errorObject(exitCode, vain?.message ?? '', vain?.hint), tag: this.#options.tag })
		await endHung(waited)
		return exitCode
	}

	/** Tells that all was sealed; `undone`: it was not cleared although it should. Returns the exit code. */
	async tellEnd(waited: Waited, { undone }: { undone: boolean }): Promise<number> {
		this.#teller.endProgress()
		const { tag, clear } = this.#options
		await tellWaited(waited, this.#options, this.#silentOnStdout(), this.#elapsedMs())
		this.print({ ...allSealedLine(waited.sealed, tag, this.#elapsedMs()), importance: 'result' })
		const exitCode = this.#sawDamage ? 3 : undone ? 1 : 0
		const result = { exitCode, tag, tables: waited.sealed.length, ...sumOf(waited.sealed), cleared: clear && !undone }
		this.#teller.printJson({ type: 'snapshot', ...result, elapsedMs: Math.round(this.#elapsedMs()) })
		if (!this.#telling.json && !this.#telling.quiet) writeText('stdout', `${tag}\n`)
		await stdoutSettled()
		return exitCode
	}

	/** Tells what ended it. Returns the exit code. */
	tellError(error: unknown, signal: AbortSignal): number {
		this.#teller.endProgress()
		const { tag } = this.#options
		const told = signal.aborted && isAbort(error) ? this.#interruption() : describeError(error)
		const exitCode = this.#sawDamage ? 3 : told.exitCode
		for (const line of told.lines) this.print(line)
		const taken = this.#step === 'preparing' ? {} : { tag }
		this.#teller.printJson({ ...errorObject(exitCode, told.message, told.hint), ...taken })
		return exitCode
	}

	#interruption() {
		const message = INTERRUPTED[this.#step](quoted(this.#options.tag))
		const lines = [problemLine('interrupted', 'doubtful', message)]
		return { lines, exitCode: 1 as const, message: `interrupted: ${message}`, hint: undefined }
	}

	/** `--json` has one object alone. */
	#silentOnStdout(): Teller {
		return { ...this.#teller, print: (line) => this.print(line), printJson: () => {} }
	}

	#elapsedMs(): number {
		return performance.now() - this.#begunAt
	}
}

/** Tells a snapshot. */
export type SnapshotTeller = SnapshotTellerOf

/** A teller on this process's stdout and stderr. */
export async function openSnapshotTeller(options: SnapshotOptions, telling: Telling): Promise<SnapshotTeller> {
	return new SnapshotTellerOf(options, telling, await openTeller(telling))
}
