import { dirname } from 'node:path'
import { flushFolder } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { unlink } from '../files/operations.ts'
import { gathering, receiptPath, snapshotFolder } from './layout.ts'
import { makePlacesAnew } from './places.ts'
import type { Publication } from './publish.ts'
import { checksumAt } from './receipts.ts'
import { move, moveIfThere, there } from './renames.ts'
import { finishSettingAside, setAside } from './set-aside.ts'

/**
 * Puts the haven back to before a publication: the new copy out, the older seal's copy and receipt in, if there was one.
 * May be stopped anywhere and called again.
 * - `own`: this process gathered it and published it in vain, so what is no longer gathered is what stands in the place;
 *   it goes into partial, as `<number>.bad`, to be removed.
 * - `inherited`: what was gathered may have been lost in a crash, and the source may be gone from the node: nothing is
 *   removed that was visible. Gives where it was set aside, if anything was.
 */
export function* withdraw(
	base: string,
	partial: string,
	publication: Publication,
	whose: 'own' | 'inherited',
): Io<string | undefined> {
	const { number, key, receiptChecksum } = publication
	let aside = yield* finishSettingAside(base, partial, publication)
	if (yield* isPublished(base, partial, publication, whose)) {
		if (whose === 'own') yield* move(base, snapshotFolder(key), gathering.bad(partial, number))
		else aside = yield* setAside(base, partial, publication)
	}
	const hasOldReceipt = (yield* there(base, gathering.oldReceipt(partial, number))) !== undefined
	// Somebody may have removed the table's folders meanwhile.
	if (hasOldReceipt || (yield* there(base, gathering.old(partial, number)))) yield* makePlacesAnew(base, key)
	yield* moveIfThere(base, gathering.old(partial, number), snapshotFolder(key))
	if (hasOldReceipt) {
		yield* moveIfThere(base, gathering.oldReceipt(partial, number), receiptPath(key))
	} else if ((yield* checksumAt(base, receiptPath(key))) === receiptChecksum) {
		yield* unlink(`${base}/${receiptPath(key)}`)
	}
	for (const path of [snapshotFolder(key), receiptPath(key)]) yield* flushIfThere(dirname(`${base}/${path}`))
	return aside
}

/** A folder that is gone, or that a file stands in the place of, holds nothing that would have to be durable. */
function* flushIfThere(folder: string): Io<void> {
	try {
		yield* flushFolder(folder)
	} catch (error) {
		if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
	}
}

/** Whether what stands in the snapshot's place has to make room: not where it is the older seal's own copy. */
function* isPublished(
	base: string,
	partial: string,
	{ number, key, receiptChecksum }: Publication,
	whose: 'own' | 'inherited',
): Io<boolean> {
	if (yield* there(base, gathering.folder(partial, number))) return false
	if (!(yield* there(base, snapshotFolder(key)))) return false
	if (yield* there(base, gathering.old(partial, number))) return true
	// The older seal's receipt is kept before its copy makes room, and given back after it.
	if (yield* there(base, gathering.oldReceipt(partial, number))) return false
	const known = yield* checksumAt(base, receiptPath(key))
	return whose === 'own' || known === undefined || known === receiptChecksum
}
