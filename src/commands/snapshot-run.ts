import { clearSnapshot, takeSnapshot } from '../cassandra/nodetool.ts'
import { askService } from '../control/client.ts'
import { failure, usageError } from '../errors.ts'
import { findTag } from '../mirror/find-tag.ts'
import { sealTag } from '../mirror/seal-tag.ts'
import type { TagLook } from '../mirror/tag-look.ts'
import type { Waited } from '../mirror/wait-for-tag.ts'
import { counted } from '../report/amounts.ts'
import { problemLine } from '../report/messages.ts'
import { onSignals } from './interruption.ts'
import type { SnapshotOptions } from './snapshot-options.ts'
import { openSnapshotTeller, type SnapshotTeller } from './snapshot-teller.ts'
import type { Telling } from './teller.ts'

/** Takes a snapshot, has it sealed, and clears it where that is asked. Returns the exit code. */
export async function runSnapshot(options: SnapshotOptions, telling: Telling): Promise<number> {
	const teller = await openSnapshotTeller(options, telling)
	const { signal, release } = onSignals((message) => teller.print(problemLine('signal', 'doubtful', message)))
	try {
		await refuseToLose(options)
		await take(options, teller, signal)
		const waited = await seal(options, teller, signal)
		if (waited.end !== 'sealed') return await teller.tellVain(waited)
		const cleared = options.clear && isWhole(waited.sealed, options, teller)
		if (cleared) await clear(options, teller, signal)
		return await teller.tellEnd(waited, { undone: options.clear && !cleared })
	} catch (error) {
		return teller.tellError(error, signal)
	} finally {
		release()
	}
}

/** What is cleared on the node goes from the haven too where the service mirrors deletions: that is hardly meant. */
async function refuseToLose({ stateDirectory, haven, clear, ttl }: SnapshotOptions): Promise<void> {
	if (!clear && ttl === undefined) return
	const service = await askService({ stateDirectory, haven }, 'status').catch(() => undefined)
	if (!service?.status.mirrorDeletes) return
	throw usageError(
		`the service of this haven removes what is cleared on the node (--mirror-deletes): with ${clear ? '--clear' : '--ttl'} the copy would go too`,
		'Leave it out; or give the service --move-snapshots in place of --mirror-deletes.',
	)
}

/** Looks first whether it could be sealed, so that nothing is taken in vain. */
async function take(options: SnapshotOptions, teller: SnapshotTeller, signal: AbortSignal): Promise<void> {
	await findTag(options)
	teller.begin('taking')
	teller.tellOutput(await takeSnapshot(options.nodetool, options, signal))
	teller.begin('sealing')
	if ((await findTag(options)).length > 0) return
	throw failure(
		`nodetool took the snapshot ${options.tag}, but no table has it below ${options.dataDirectories.join(', ')}`,
		'Is the data of that node elsewhere? See -d, --data-dir, --cassandra-yaml, --host and --port.',
	)
}

function seal(options: SnapshotOptions, teller: SnapshotTeller, signal: AbortSignal): Promise<Waited> {
	return sealTag(options, {
		timeoutMs: options.timeoutMs,
		signal,
		onHeld: (name) => {
			teller.tellHeld(name)
			hurry(options)
		},
		onEvent: (event) => teller.tellEvent(event),
		onSealed: (look) => teller.tellSealed(look),
		onProgress: (sealed, total) => teller.showProgress(`${sealed}/${counted(total, 'table')} sealed`),
		onTrouble: (message) => teller.print(problemLine('waiting', 'doubtful', message)),
	})
}

/** Has the service look at once. Where it can't be asked, it finds the snapshot by itself, a little later. */
function hurry({ stateDirectory, haven }: SnapshotOptions): void {
	askService({ stateDirectory, haven }, 'rescan').catch(() => {})
}

/** Only what a manifest proved, and no digest disagrees with, may go from the node. */
function isWhole(sealed: TagLook[], { tag }: SnapshotOptions, teller: SnapshotTeller): boolean {
	const doubtful = sealed.filter(({ head }) => head?.state !== 'whole')
	if (doubtful.length === 0) return true
	const states = [...new Set(doubtful.map(({ head }) => head?.state))].join(', ')
	const text = `${tag} is not cleared: ${counted(doubtful.length, 'table')} sealed as ${states}`
	teller.print(problemLine('kept on the node', 'doubtful', text))
	return false
}

async function clear(options: SnapshotOptions, teller: SnapshotTeller, signal: AbortSignal): Promise<void> {
	teller.begin('clearing')
	teller.tellOutput(await clearSnapshot(options.nodetool, options, signal))
	const left = (await findTag(options)).filter(({ onNode }) => onNode)
	if (left.length === 0) return
	const [first] = left
	throw failure(
		`nodetool cleared ${options.tag}, but ${counted(left.length, 'table')} still ${left.length === 1 ? 'has' : 'have'} it: ${first?.location.keyspace}/${first?.location.table}`,
		'Look at what is left in its snapshots folder; the copies in the haven are sealed.',
	)
}
