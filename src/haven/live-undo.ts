import type { Io } from '../files/io.ts'
import { namesOtherPartsHave } from './backups.ts'
import { gathering, PRIVATE, receiptPath, removing, snapshotFolder } from './layout.ts'
import { flushLive, type LiveTurn, moveInto, type PutLive, putLive } from './live-turn.ts'
import { checksumAt } from './receipts.ts'
import { disagreement, receiptAt, type Undone } from './recover.ts'
import { move, moveIfThere, refuseLinks, there } from './renames.ts'
import { keepAside } from './set-aside.ts'

/**
 * Puts a live set back to before a turn of which nothing was removed yet. May be stopped anywhere and called again.
 * `inherited`: what was visible by then is kept aside, not removed; gives where.
 */
export function* undoLive(
	base: string,
	partial: string,
	turn: LiveTurn,
	whose: 'own' | 'inherited',
): Io<string | undefined> {
	const { key, number } = turn
	const table = snapshotFolder(key)
	const place = receiptPath(key)
	if ((yield* checksumAt(base, place)) === turn.receiptChecksum) {
		yield* moveIfThere(base, place, gathering.badReceipt(partial, number))
	}
	if (yield* there(base, gathering.oldReceipt(partial, number))) {
		yield* moveIfThere(base, gathering.oldReceipt(partial, number), place)
	}
	const out = whose === 'own' ? gathering.bad(partial, number) : gathering.aside(partial, number)
	// An intent that a power cut brings back may be of a part that was undone, and sealed by a later one.
	const spared = yield* namesOtherPartsHave(base, key)
	for (const path of turn.add.toReversed()) {
		if (spared.has(`${table}/${path}`)) continue
		const old = `${gathering.old(partial, number)}/${path}`
		if (yield* there(base, `${gathering.folder(partial, number)}/${path}`)) continue
		const isReplaced = turn.replace.includes(path) || turn.clear.includes(path)
		// Without the old file, this one is the old file: it has been put back.
		if (isReplaced && !(yield* there(base, old))) continue
		yield* moveInto(base, `${table}/${path}`, out, path)
	}
	for (const path of [...turn.replace, ...turn.clear.toReversed()]) {
		const old = `${gathering.old(partial, number)}/${path}`
		if (yield* there(base, old)) yield* move(base, old, `${table}/${path}`)
	}
	yield* flushLive(base, turn)
	if (whose === 'own' || !(yield* there(base, gathering.aside(partial, number)))) return undefined
	return yield* keepAside(base, partial, turn)
}

/** What a crash left of a turn, after every new byte was read again. */
export type LiveRecovery =
	/** It is in its place whole: what the old set alone had can go, once that is durable. */
	| { came: 'forward'; put: PutLive }
	/** All is as it was before it. */
	| ({ came: 'back' } & Undone)
	/** It came after the old set had begun to go, and is damaged: no set counts until the next turn makes one. */
	| ({ came: 'apart' } & Undone)
	/** It was done long ago. */
	| { came: 'nothing' }

/** Brings a turn that was begun to an end, or undoes it. May be stopped anywhere and called again. */
export function* recoverLive(base: string, partial: string, turn: LiveTurn): Io<LiveRecovery> {
	const { key, number } = turn
	const place = receiptPath(key)
	const paths = [...turn.folders.map((path) => `${path}/`), ...turn.add, ...turn.replace, ...turn.clear, ...turn.remove]
	const named = paths.map((path) => `${snapshotFolder(key)}/${path}`)
	yield* refuseLinks(base, `${snapshotFolder(key)}/`, place, `${partial}/`, `${turn.keepIn ?? PRIVATE}/`, ...named)
	const now = yield* checksumAt(base, place)
	const hasOld = (yield* there(base, gathering.oldReceipt(partial, number))) !== undefined
	if (now !== turn.receiptChecksum && now !== turn.replaces && !(now === undefined && hasOld))
		return { came: 'nothing' }
	const problem = yield* whatIsWrong(base, partial, turn)
	if (problem === undefined) return { came: 'forward', put: yield* putLive(base, partial, turn) }
	const hasBegunToGo = yield* hasRemoved(base, partial, turn)
	if (!hasBegunToGo && (turn.replaces === undefined || hasOld || now === turn.replaces)) {
		const setAside = yield* undoLive(base, partial, turn, 'inherited')
		return { came: 'back', problem, ...(setAside === undefined ? {} : { setAside }) }
	}
	yield* moveInto(base, place, gathering.aside(partial, number), 'receipt.json')
	// An earlier recovery may have come as far.
	if (!(yield* there(base, gathering.aside(partial, number)))) return { came: 'apart', problem }
	return { came: 'apart', problem, setAside: yield* keepAside(base, partial, turn) }
}

/** The first new file that is not as the new receipt says, wherever it is by now. */
function* whatIsWrong(base: string, partial: string, turn: LiveTurn): Io<string | undefined> {
	const { key, number } = turn
	const receipt =
		(yield* receiptAt(`${base}/${gathering.receipt(partial, number)}`, turn)) ??
		(yield* receiptAt(`${base}/${receiptPath(key)}`, turn))
	if (!receipt) return 'its receipt was not written whole'
	const added = new Set(turn.add)
	for (const file of receipt.files) {
		if (!added.has(file.path)) continue
		const gathered = gathering.folder(partial, number)
		const folder = (yield* there(base, `${gathered}/${file.path}`)) ? gathered : snapshotFolder(key)
		const problem = yield* disagreement(`${base}/${folder}`, [file])
		if (problem !== undefined) return problem
	}
	return undefined
}

/** Whether anything has gone that an undoing would not bring back. */
function* hasRemoved(base: string, partial: string, { key, number, remove }: LiveTurn): Io<boolean> {
	if (yield* there(base, removing.folder(partial, number))) return true
	for (const path of remove) if (!(yield* there(base, `${snapshotFolder(key)}/${path}`))) return true
	return false
}
