import type { Amount, BackupsSummary, LiveSummary, SyncSummary, TransferAmounts } from '../mirror/types.ts'
import { amount, counted, duration, total, ways } from './amounts.ts'
import { type Line, problemLine, resultLine } from './messages.ts'

/** What ended a pass: that all was done, a signal, or that stdout's reader went away; or a service, which only signals end. */
export type Ending = 'complete' | 'by signal' | 'reader gone' | 'service stopped'

/** What a dry run found. */
export interface Plan extends TransferAmounts {
	/** Snapshots that would be sealed. */
	snapshots: number
	/** Snapshots that are not settled yet. */
	waiting: number
	/** Snapshots that would be removed from the haven. */
	removable: number
	/** Tables whose live set would be changed, and the files and bytes that would come for that. */
	live: Amount & { tables: number }
	/** The same of incremental backups. */
	backups: Amount & { tables: number }
	/** SSTables in `backups/` that would be deleted on the node. */
	prunable: number
}

/** How a pass ended, all in all. */
export interface Outcome {
	summary: SyncSummary
	/** `--dry-run`: what would be sealed; undefined where the pass was a real one. */
	plan: Plan | undefined
	ending: Ending
}

/** The process's exit code: 3 damage found, whatever else; 1 something could not be done; 0 done. */
export function exitCodeOf({ summary, ending }: Outcome): 0 | 1 | 3 {
	if (ending === 'service stopped') return 0
	if (summary.damaged + summary.live.damaged + summary.backups.damaged > 0) return 3
	return summary.failed > 0 || summary.troubles > 0 || summary.live.kept > 0 || ending !== 'complete' ? 1 : 0
}

/** The last lines for people. */
export function describeOutcome(outcome: Outcome): Line[] {
	const { summary, plan, ending } = outcome
	const lines = [plan === undefined ? doneLine(outcome) : planLine(outcome, plan)]
	if (ending === 'service stopped') return lines
	if (summary.damaged > 0) {
		lines.push(
			problemLine(
				'damage',
				'bad',
				`${counted(summary.damaged, 'snapshot')} damaged at the source, sealed as damaged; the node keeps its own`,
			),
		)
	}
	if (summary.live.damaged > 0) {
		lines.push(problemLine('damage', 'bad', 'live SSTables are damaged on the node: what stands above'))
	}
	if (summary.backups.damaged > 0) {
		lines.push(problemLine('damage', 'bad', 'incremental backups are damaged on the node: what stands above'))
	}
	if (summary.unproven > 0) {
		const text = `${counted(summary.unproven, 'snapshot')} without a complete manifest, sealed as unproven`
		lines.push(problemLine('warning', 'doubtful', text))
	}
	if (summary.failed > 0 || summary.troubles > 0) lines.push(problemLine('error', 'bad', undone(summary)))
	if (ending === 'by signal') lines.push(INTERRUPTED)
	return lines
}

/** Told when a signal ended the pass. */
export const INTERRUPTED = problemLine('interrupted', 'doubtful', 'nothing is lost, run it again to go on')

function doneLine({ summary, ending }: Outcome): Line {
	const parts: string[] = []
	if (summary.sealed > 0) {
		const how = ways(summary)
		parts.push(
			`${counted(summary.sealed, 'snapshot')} sealed (${amount(total(summary))}${how === '' ? '' : `: ${how}`})`,
		)
	}
	if (summary.unchanged > 0 && ending !== 'service stopped') {
		parts.push(`${counted(summary.unchanged, 'snapshot')} already safe`)
	}
	if (summary.leftAlone > 0 && ending !== 'service stopped') {
		parts.push(`${counted(summary.leftAlone, 'snapshot')} left alone as there before (--fullsync takes them)`)
	}
	if (summary.moved > 0) parts.push(`${counted(summary.moved, 'snapshot')} gone from the node`)
	if (summary.removed > 0) parts.push(`${counted(summary.removed, 'snapshot')} removed from the haven`)
	if (summary.skipped > 0) parts.push(`${counted(summary.skipped, 'snapshot')} skipped`)
	parts.push(...liveParts(summary.live, ending === 'service stopped'))
	parts.push(...backupsParts(summary.backups))
	const good = isWell(summary) && ending === 'complete'
	const nothing =
		summary.failed + summary.troubles > 0 || ending === 'service stopped'
			? 'no snapshot was sealed'
			: 'no snapshot to mirror'
	const text = parts.length === 0 ? nothing : parts.join(', ')
	return summaryLine(
		ending !== 'complete' ? 'stopped:' : 'done:',
		`${text} in ${duration(summary.elapsedMs)}`,
		good ? 'good' : 'plain',
	)
}

function isWell({ failed, troubles, damaged, live, backups }: SyncSummary): boolean {
	return failed + troubles + damaged + live.damaged + live.kept + backups.damaged === 0
}

function liveParts({ changed, added, removed, unchanged, kept, ...came }: LiveSummary, isService: boolean): string[] {
	const parts: string[] = []
	if (changed > 0) {
		const where = isService ? '' : ` in ${counted(changed, 'table')}`
		parts.push(`${counted(added, 'live SSTable')} came and ${removed} went${where} (${amount(came)})`)
	}
	if (isService) return parts
	if (unchanged > 0) parts.push(`the live SSTables of ${counted(unchanged, 'table')} already safe`)
	if (kept > 0) parts.push(`those of ${counted(kept, 'table')} kept as they were`)
	return parts
}

function backupsParts({ added, pruned, ...came }: BackupsSummary): string[] {
	const parts: string[] = []
	if (added > 0) parts.push(`${counted(added, 'incremental SSTable')} came (${amount(came)})`)
	if (pruned > 0) parts.push(`${added > 0 ? pruned : counted(pruned, 'incremental SSTable')} gone from the node`)
	return parts
}

function planLine({ summary }: Outcome, plan: Plan): Line {
	const how = ways(plan)
	const waiting = plan.waiting > 0 ? `, ${counted(plan.waiting, 'snapshot')} not settled yet` : ''
	const safe = summary.unchanged > 0 ? `, ${counted(summary.unchanged, 'snapshot')} already safe` : ''
	const before =
		summary.leftAlone > 0
			? `, ${counted(summary.leftAlone, 'snapshot')} left alone as there before (--fullsync takes them)`
			: ''
	const cleared = plan.removable > 0 ? `, ${counted(plan.removable, 'snapshot')} to remove from the haven` : ''
	const live =
		plan.live.tables > 0 ? `, live SSTables of ${counted(plan.live.tables, 'table')} (${amount(plan.live)})` : ''
	const backups =
		plan.backups.tables > 0
			? `, incremental backups of ${counted(plan.backups.tables, 'table')} (${amount(plan.backups)})`
			: ''
	const prunable = plan.prunable > 0 ? `, ${counted(plan.prunable, 'incremental SSTable')} to delete on the node` : ''
	const others = `${live}${backups}${prunable}`
	const nothing = others === '' ? 'nothing to do' : 'no snapshot to seal'
	const text =
		plan.snapshots === 0
			? `${nothing}${others}${cleared}${waiting}${safe}${before}`
			: `${counted(plan.snapshots, 'snapshot')} to seal (${amount(total(plan))}${how === '' ? '' : `: ${how}`})${others}${cleared}${waiting}${safe}${before}`
	return summaryLine('plan:', `${text}; nothing was touched`, 'plain')
}

function summaryLine(label: string, text: string, kind: Line['kind']): Line {
	return { ...resultLine(label, text, kind), importance: 'summary' }
}

function undone({ failed, troubles }: SyncSummary): string {
	const parts = []
	if (failed > 0) parts.push(`${counted(failed, 'snapshot')} could not be sealed`)
	if (troubles > 0) parts.push(`${counted(troubles, 'thing')} could not be done`)
	return `${parts.join(', ')}: the reasons stand above`
}
