import type { SnapshotName, SyncEvent, TableName } from '../mirror/types.ts'
import { amount, bytes, counted, total, ways } from './amounts.ts'
import { printable, quoted } from './printable.ts'

/** How much a line matters: -q shows problems alone, -v 0 the summary too, -v 1 results too, -v 2 all. */
type Importance = 'problem' | 'summary' | 'result' | 'detail'

/** How much is to be told. */
export interface Loudness {
	quiet: boolean
	verbosity: 0 | 1 | 2
}

/** Whether a line of this importance is shown. */
export function isShown(importance: Importance, { quiet, verbosity }: Loudness): boolean {
	if (quiet) return importance === 'problem'
	return ['problem', 'summary', 'result', 'detail'].indexOf(importance) <= verbosity + 1
}

/** One line for people. */
export interface Line {
	/** Results go to stdout, all else to stderr. */
	to: 'stdout' | 'stderr'
	importance: Importance
	/** What the line begins with, which is coloured by its kind. */
	label: string
	kind: 'good' | 'bad' | 'doubtful' | 'plain'
	/** The rest, printable. */
	text: string
}

/** The lines that an event is told by; a progress is none. */
export function describeEvent(event: SyncEvent): Line[] {
	switch (event.type) {
		case 'sealed':
			return [sealedLine(event), ...damageLines(event)]
		case 'damaged':
			return [
				problemLine('damaged', 'bad', `${pathName(event.snapshot)}: sealed as damaged before, and unchanged since`),
			]
		case 'planned':
			return [resultLine('planned', `${shortName(event.snapshot)}: ${transfers(event)}${replacing(event.replaced)}`)]
		case 'moved':
			return [{ ...resultLine('moved', `${shortName(event.snapshot)}: gone from the node`), importance: 'detail' }]
		case 'removed':
			return [
				resultLine(
					'removed',
					`${shortName(event.snapshot)}: cleared on the node, ${bytes(event.bytes)} freed in the haven`,
					'plain',
				),
			]
		case 'pruned':
			return [resultLine('pruned', `${shortName(event.snapshot)}: ${bytes(event.bytes)} freed in the haven`, 'plain')]
		case 'adopted':
			return [resultLine('adopted', `${shortName(event.snapshot)}: ${amount(event)}${STATES[event.state]}`)]
		case 'repaired':
			return [repairedLine(event)]
		case 'removable':
			return [resultLine('would remove', `${shortName(event.snapshot)}: cleared on the node`, 'plain')]
		case 'live':
		case 'livePlanned':
			return [liveLine(event)]
		case 'liveDamaged':
			return [problemLine('damaged', 'bad', `${tablePath(event.table)}: ${event.reason}`)]
		case 'liveKept':
			return [liveKeptLine(event)]
		case 'backups':
		case 'backupsPlanned':
			return [backupsLine(event)]
		case 'backupsDamaged':
			return [problemLine('damaged', 'bad', `${tablePath(event.table)}: in backups/, ${event.reason}`)]
		case 'backupsPruned':
			return [prunedBackupsLine(event)]
		case 'backupsKept':
			return [problemLine('kept on the node', 'doubtful', `${tablePath(event.table)}: in backups/, ${event.reason}`)]
		case 'skipped':
			return [toldLine('skipped', 'detail', 'plain', event)]
		case 'waiting':
			return [toldLine('waiting', 'result', 'plain', event)]
		case 'kept':
			return [toldLine('kept on the node', 'problem', 'doubtful', event)]
		case 'failed':
			return [toldLine('failed', 'problem', 'bad', event)]
		case 'warning':
			return [problemLine('warning', 'doubtful', event.message)]
		case 'trouble':
			return [problemLine('error', 'bad', event.message)]
		case 'begun':
			return [begunLine(event)]
		case 'recovered':
			return [problemLine('recovered', 'good', event.message)]
		case 'progress':
			return []
	}
}

function liveLine(event: Extract<SyncEvent, { type: 'live' | 'livePlanned' }>): Line {
	const { type, sstables, added, removed } = event
	const changes = [...(added > 0 ? [`${added} new`] : []), ...(removed > 0 ? [`${removed} gone`] : [])]
	const change = changes.length === 0 ? 'none new' : changes.join(', ')
	const came = total(event).files > 0 ? `; ${transfers(event)} came` : ''
	const what = `${tableText(event.table)}: ${counted(sstables, 'live SSTable')}, ${change}${came}`
	return resultLine(type === 'live' ? 'live' : 'planned', what)
}

function backupsLine(event: Extract<SyncEvent, { type: 'backups' | 'backupsPlanned' }>): Line {
	const { type, table, sstables } = event
	const what = `${tableText(table)}: ${counted(sstables, 'incremental SSTable')}; ${transfers(event)}`
	return resultLine(type === 'backups' ? 'backups' : 'planned', type === 'backups' ? `${what} came` : what)
}

function prunedBackupsLine(event: Extract<SyncEvent, { type: 'backupsPruned' }>): Line {
	const { table, sstables, dryRun } = event
	const what = `${tableText(table)}: ${counted(sstables, 'incremental SSTable')} (${amount(event)})`
	if (dryRun) return resultLine('would prune', `${what} from the node`, 'plain')
	return resultLine('pruned', `${what} gone from the node`, 'plain')
}

function liveKeptLine({ table, because, reason }: Extract<SyncEvent, { type: 'liveKept' }>): Line {
	if (because === 'dropped') {
		return { ...problemLine('kept', 'plain', `${tableText(table)}: ${reason}`), importance: 'detail' }
	}
	const what = `${tablePath(table)}: live SSTables are gone from the node, and the haven keeps its set, since ${reason}. --take-over has it follow the node all the same.`
	return problemLine('kept', 'doubtful', what)
}

function tableText({ keyspace, table }: TableName): string {
	return quoted(`${keyspace}.${table.replace(/-[0-9a-f]{32}$/, '')}`)
}

function tablePath({ keyspace, table }: TableName): string {
	return quoted(`${keyspace}/${table}`)
}

function begunLine({ keyspace, leftAlone }: Extract<SyncEvent, { type: 'begun' }>): Line {
	const before =
		leftAlone === 0
			? ''
			: `; ${counted(leftAlone, 'snapshot')} that were there before are left alone (--fullsync takes them)`
	return {
		...problemLine('begun', 'plain', `keyspace ${keyspace} is kept from now on${before}`),
		importance: 'summary',
	}
}

/** A line about what snaphaven itself has to say: an error that ends the run, an interruption. */
export function problemLine(label: string, kind: Line['kind'], message: string): Line {
	return { to: 'stderr', importance: 'problem', label: `${label}:`, kind, text: printable(message) }
}

/** A line of a result. */
export function resultLine(label: string, text: string, kind: Line['kind'] = 'good'): Line {
	return { to: 'stdout', importance: 'result', label, kind, text: printable(text) }
}

/** `shop.orders daily-1`: for lines where things went well. */
export function shortName({ keyspace, table, tag }: SnapshotName): string {
	if (tag === '') return `the live set of ${tableText({ keyspace, table })}`
	if (tag.startsWith('backups/')) return `incremental backups of ${tableText({ keyspace, table })}`
	return `${quoted(`${keyspace}.${table.replace(/-[0-9a-f]{32}$/, '')}`)} ${quoted(tag)}`
}

/** `shop/orders-<id>/snapshots/daily-1`: the path within a data directory, for lines that somebody must act on. */
export function pathName({ keyspace, table, tag }: SnapshotName): string {
	if (tag === '') return tablePath({ keyspace, table })
	return quoted(`${keyspace}/${table}/snapshots/${tag}`)
}

function toldLine(
	label: string,
	importance: Importance,
	kind: Line['kind'],
	{ snapshot, reason }: { snapshot: SnapshotName; reason: string },
): Line {
	return { to: 'stderr', importance, label, kind, text: printable(`${pathName(snapshot)}: ${reason}`) }
}

type Sealed = Extract<SyncEvent, { type: 'sealed' }>

const STATES: Record<Sealed['state'], string> = {
	whole: '',
	damaged: ', damaged at the source',
	unproven: ', unproven: no complete manifest',
}

function sealedLine(event: Sealed): Line {
	const kind = event.state === 'whole' ? 'good' : event.state === 'damaged' ? 'bad' : 'doubtful'
	const text = `${shortName(event.snapshot)}: ${transfers(event)}${STATES[event.state]}${replacing(event.replaced)}`
	return resultLine('sealed', text, kind)
}

function damageLines({ snapshot, damage }: Sealed): Line[] {
	return damage.map(({ path, reason }) =>
		problemLine(
			'damaged',
			'bad',
			`${quoted(`${snapshot.keyspace}/${snapshot.table}/snapshots/${snapshot.tag}/${path}`)}: ${reason}`,
		),
	)
}

function repairedLine({ paths, from }: Extract<SyncEvent, { type: 'repaired' }>): Line {
	const [first = '', ...others] = paths
	const names = others.length === 0 ? '' : `, and ${counted(others.length, 'more name')} of it`
	return resultLine('repaired', `${quoted(first)}${names}, from ${quoted(from.path)}`)
}

function transfers(event: Parameters<typeof total>[0]): string {
	const how = ways(event)
	return amount(total(event)) + (how === '' ? '' : ` (${how})`)
}

function replacing(replaced: boolean): string {
	return replaced ? ", in an older one's place" : ''
}
