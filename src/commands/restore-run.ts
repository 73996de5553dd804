import { openForReading } from '../haven/open-for-reading.ts'
import { problemLine } from '../report/messages.ts'
import { planRestore } from '../restore/plan.ts'
import { restore } from '../restore/restore.ts'
import { onSignals } from './interruption.ts'
import type { RestoreRun } from './restore-options.ts'
import { openRestoreTeller } from './restore-teller.ts'
import type { Telling } from './teller.ts'

/** Plans, tells the plan, restores. Returns the exit code. */
export async function runRestore(options: RestoreRun, telling: Telling): Promise<number> {
	const teller = await openRestoreTeller(options, telling)
	const { signal, release } = onSignals((message) => teller.print(problemLine('signal', 'doubtful', message)))
	try {
		const haven = await openForReading(options.haven, options.stateDirectory)
		try {
			const plan = await planRestore(haven, options)
			signal.throwIfAborted()
			teller.tellPlan(plan)
			if (!options.dryRun) await restore(haven, plan, options, signal, (event) => teller.tellEvent(event))
			return await teller.tellEnd()
		} finally {
			haven.close()
		}
	} catch (error) {
		return teller.tellError(error, signal)
	} finally {
		release()
	}
}
