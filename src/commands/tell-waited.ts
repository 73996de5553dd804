import type { SnaphavenError } from '../errors.ts'
import { runAsync } from '../files/io.ts'
import { findHolder } from '../haven/holder.ts'
import type { TagOptions } from '../mirror/find-tag.ts'
import type { Waited } from '../mirror/wait-for-tag.ts'
import { whyUnsealed } from '../mirror/why-unsealed.ts'
import { describeError } from '../report/errors.ts'
import { stdoutSettled } from '../report/streams.ts'
import type { Teller } from './teller.ts'
import { missingLines, missingObject, unprovenLines, waitedInVain } from './wait-report.ts'

/** A snapshot without a complete manifest is sealed after so long a quiet, where a service was not told otherwise. */
export const SETTLE_MS = 60_000

/** Tells what is doubtful, what is missing and why. Returns why the waiting came to nothing, told by then, if it did. */
export async function tellWaited(
	waited: Waited,
	options: TagOptions,
	teller: Teller,
	elapsedMs: number,
): Promise<SnaphavenError | undefined> {
	const { tag } = options
	for (const line of unprovenLines(waited.sealed, tag)) teller.print(line)
	if (waited.end === 'sealed') return undefined
	// A haven that hangs would keep these looks too.
	const hung = waited.end === 'hung'
	const missing = hung ? [] : await runAsync(whyUnsealed(waited.unsealed, tag, SETTLE_MS))
	for (const line of missingLines(missing, tag)) teller.print(line)
	for (const one of missing) teller.printJson(missingObject(one, tag))
	const vain = waitedInVain(waited, options, elapsedMs, hung ? undefined : await findHolder(options.haven))
	for (const line of describeError(vain).lines) teller.print(line)
	return vain
}

/** Ends the process where a call hangs, after all was told: a thread that hangs keeps it from ending in any other way. */
export async function endHung({ end }: Waited): Promise<void> {
	if (end !== 'hung') return
	await stdoutSettled()
	process.kill(process.pid, 'SIGKILL')
}
