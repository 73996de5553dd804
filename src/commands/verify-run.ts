import type { SnaphavenError } from '../errors.ts'
import { failure } from '../errors.ts'
import type { Tending } from '../mirror/tend.ts'
import { verifyHaven } from '../mirror/verify.ts'
import type { DamageFound, VerifyEvent, VerifyOptions, VerifySummary } from '../mirror/verify-types.ts'
import { describeError } from '../report/errors.ts'
import { errorObject } from '../report/json-events.ts'
import { problemLine } from '../report/messages.ts'
import { onSignals } from './interruption.ts'
import { openTeller, type Teller, type Telling } from './teller.ts'
import { eventLines, progressText, summaryLine } from './verify-report.ts'
import { withTending } from './with-tending.ts'

/** Verifies, tells, and repairs where that is asked for. Returns the exit code. */
export async function runVerify(options: VerifyOptions, telling: Telling, repair: boolean): Promise<number> {
	const begun = performance.now()
	const teller = await openTeller(telling)
	const interruption = onSignals((message) => teller.print(problemLine('signal', 'doubtful', message)))
	let sawDamage = false
	const repairable: DamageFound[] = []
	const tell = (event: VerifyEvent) => {
		if (event.type === 'progress') {
			teller.showProgress(progressText(event, performance.now() - begun))
			return
		}
		if (event.type === 'damage') {
			sawDamage = true
			if (event.damage.targets.length > 0) repairable.push(event.damage)
		}
		for (const line of eventLines(event)) teller.print(line)
		teller.printJson(event.type === 'damage' ? damageObject(event.damage) : event)
	}
	try {
		const summary = await verifyHaven(options, tell, interruption.signal)
		teller.endProgress()
		if (repair && repairable.length > 0) {
			const { signal } = interruption
			await withTending({ ...options, teller, signal }, (by) => repairEach({ damages: repairable, by, tell, signal }))
		}
		return tellEnd(summary, options, teller, performance.now() - begun)
	} catch (error) {
		teller.endProgress()
		const { lines, message, hint, exitCode } = describeError(error)
		for (const line of lines) teller.print(line)
		teller.printJson(errorObject(sawDamage ? 3 : exitCode, message, hint))
		return sawDamage ? 3 : exitCode
	} finally {
		interruption.release()
	}
}

interface Repairing {
	damages: DamageFound[]
	by: Tending
	tell: (event: VerifyEvent) => void
	signal: AbortSignal
}

/** One at a time: each is told of as soon as it is done, and an interruption waits for one only. */
async function repairEach({ damages, by, tell, signal }: Repairing): Promise<void> {
	for (const { paths, targets, good } of damages) {
		if (signal.aborted) return
		const [answer] = await by.repair([{ targets, good }])
		if (answer?.repaired) tell({ type: 'repaired', paths, from: answer.from })
		else if (answer) tell({ type: 'not repaired', paths, reason: answer.reason })
	}
}

function damageObject({ targets: _, ...damage }: DamageFound): Record<string, unknown> {
	return { type: 'damage', ...damage }
}

function tellEnd(summary: VerifySummary, options: VerifyOptions, teller: Teller, elapsedMs: number): number {
	const vain = whyVain(summary, options)
	const exitCode = summary.damages + summary.atSource > 0 ? 3 : vain ? 1 : 0
	if (vain) for (const line of describeError(vain).lines) teller.print(line)
	else teller.print(summaryLine(summary, elapsedMs, options.quick))
	const why = vain && { message: vain.message, hint: vain.hint }
	teller.printJson({ type: 'summary', exitCode, ...summary, elapsedMs: Math.round(elapsedMs), ...why })
	return exitCode
}

/** Why it can't be said that what was asked for is good, if so. */
function whyVain(summary: VerifySummary, { selection }: VerifyOptions): SnaphavenError | undefined {
	const { snapshots, damages, leftOut, notChosen, isComplete } = summary
	if (!isComplete) {
		return failure(
			'interrupted: not all was verified by then',
			'What was is remembered: --since-last goes on from there.',
		)
	}
	if (selection.isAll || snapshots + damages + leftOut + notChosen > 0) return undefined
	return failure('nothing that is sealed fits', 'See snaphaven list for what is there.')
}
