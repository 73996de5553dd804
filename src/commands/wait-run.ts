import type { TagOptions } from '../mirror/find-tag.ts'
import { type Waited, waitForTag } from '../mirror/wait-for-tag.ts'
import { counted, duration } from '../report/amounts.ts'
import { describeError, isAbort } from '../report/errors.ts'
import { errorObject } from '../report/json-events.ts'
import { problemLine } from '../report/messages.ts'
import { onSignals } from './interruption.ts'
import { endHung, tellWaited } from './tell-waited.ts'
import { openTeller, type Teller, type Telling } from './teller.ts'
import { allSealedLine, sealedLine, sealedObject, sumOf } from './wait-report.ts'

/** Waits and tells. Returns the exit code. */
export async function runWait(options: TagOptions & { timeoutMs: number }, telling: Telling): Promise<number> {
	const begun = performance.now()
	const elapsed = () => performance.now() - begun
	const teller = await openTeller(telling)
	const interruption = onSignals((message) => teller.print(problemLine('signal', 'doubtful', message)))
	let sawDamage = false
	try {
		const waited = await waitForTag(options, {
			timeoutMs: options.timeoutMs,
			signal: interruption.signal,
			onTrouble: (message) => teller.print(problemLine('waiting', 'doubtful', message)),
			onProgress: (sealed, total) =>
				teller.showProgress(
					`${sealed}/${counted(total, 'table')} sealed · ${duration(Math.floor(elapsed() / 1e3) * 1e3)}`,
				),
			onSealed: (look) => {
				if (look.head?.state === 'damaged') sawDamage = true
				teller.print(sealedLine(look, options.tag))
				teller.printJson(sealedObject(look, options.tag))
			},
		})
		teller.endProgress()
		return await tellEnd(waited, options, teller, elapsed(), sawDamage)
	} catch (error) {
		teller.endProgress()
		const interrupted = isAbort(error) && interruption.signal.aborted
		const { lines, message, hint, exitCode } = interrupted ? INTERRUPTED : describeError(error)
		for (const line of lines) teller.print(line)
		teller.printJson(errorObject(sawDamage ? 3 : exitCode, message, hint))
		return sawDamage ? 3 : exitCode
	} finally {
		interruption.release()
	}
}

const INTERRUPTED = {
	lines: [problemLine('interrupted', 'doubtful', 'not all was seen to be sealed by then')],
	message: 'interrupted',
	hint: undefined,
	exitCode: 1 as const,
}

async function tellEnd(
	waited: Waited,
	options: TagOptions,
	teller: Teller,
	elapsedMs: number,
	sawDamage: boolean,
): Promise<number> {
	const { tag } = options
	const { sealed, unsealed } = waited
	const vain = await tellWaited(waited, options, teller, elapsedMs)
	if (!vain) teller.print(allSealedLine(sealed, tag, elapsedMs))
	const exitCode = sawDamage ? 3 : vain ? 1 : 0
	const counts = { sealed: sealed.length, missing: unsealed.length, ...sumOf(sealed), elapsedMs: Math.round(elapsedMs) }
	const why = vain && { message: vain.message, hint: vain.hint }
	teller.printJson({ type: 'summary', exitCode, tag, ...counts, ...why })
	await endHung(waited)
	return exitCode
}
