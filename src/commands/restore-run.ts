import type { Haven } from '../haven/haven.ts'
import { openForReading } from '../haven/open-for-reading.ts'
import { problemLine } from '../report/messages.ts'
import { importTables } from '../restore/import.ts'
import { restoreOffline } from '../restore/offline.ts'
import { planRestore } from '../restore/plan.ts'
import { planImport } from '../restore/plan-import.ts'
import { planOffline } from '../restore/plan-offline.ts'
import { restore } from '../restore/restore.ts'
import { readSchema } from '../restore/snapshot-schema.ts'
import type { RestorePlan } from '../restore/types.ts'
import { onSignals } from './interruption.ts'
import type { RestoreRun } from './restore-options.ts'
import { openRestoreTeller, type RestoreTeller } from './restore-teller.ts'
import type { Telling } from './teller.ts'

/** Plans, tells the plan, restores. Returns the exit code. */
export async function runRestore(options: RestoreRun, telling: Telling): Promise<number> {
	const teller = await openRestoreTeller(options, telling)
	const { signal, release } = onSignals((message) => teller.print(problemLine('signal', 'doubtful', message)))
	try {
		const haven = await openForReading(options.haven, options.stateDirectory)
		try {
			const plan = await carryOut(haven, options, teller, signal)
			await tellSchemas(haven, plan, teller)
			return await teller.tellEnd()
		} finally {
			await haven.close()
		}
	} catch (error) {
		return teller.tellError(error, signal)
	} finally {
		release()
	}
}

async function carryOut(
	haven: Haven,
	{ target, dryRun }: RestoreRun,
	teller: RestoreTeller,
	signal: AbortSignal,
): Promise<RestorePlan> {
	const tell: Parameters<typeof restore>[4] = (event) => teller.tellEvent(event)
	if (target.kind === 'folder') {
		const plan = await planRestore(haven, target)
		signal.throwIfAborted()
		teller.tellPlan(plan, target.to)
		if (!dryRun) await restore(haven, plan, target, signal, tell)
		return plan
	}
	if (target.kind === 'stopped node') {
		const plan = await planOffline(haven, target, signal)
		teller.tellPlan(plan, plan.disks[0]?.directory ?? '')
		if (!dryRun) await restoreOffline({ haven, plan, options: target, signal, tell })
		return plan
	}
	const plan = await planImport(haven, target, signal)
	teller.tellPlan(plan, plan.stage.root)
	if (!dryRun) await importTables({ haven, plan, options: target, signal, tell })
	return plan
}

/** The statements that make the tables which the node lacks. */
async function tellSchemas(haven: Haven, { refused }: RestorePlan, teller: RestoreTeller): Promise<void> {
	for (const { lacking } of refused) if (lacking) teller.tellSchema(lacking, await readSchema(haven, lacking))
}
