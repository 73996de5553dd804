import { constants } from '../files/builtins.ts'
import { createFile } from '../files/contents.ts'
import { FOLDER, isNoFolderFlush, removeTree } from '../files/folders.ts'
import { hasCode, type Io, together } from '../files/io.ts'
import { decodeName, pathOf } from '../files/names.ts'
import { fsync, link, lstatIfThere, mkdir, reflink, rename, unlink, utimes, withOpen } from '../files/operations.ts'

/** What the place can do, found out once when the haven is made. */
export interface Capabilities {
	/** `A` and `a` are two names. */
	caseSensitive: boolean
	/** Takes names such as `a:b c*"?<|\`. */
	anySign: boolean
	/** Takes names that are no UTF-8. */
	anyBytes: boolean
	/** The longest name, in bytes. */
	nameBytesMax: number
	hardLinks: boolean
	/** Files can share blocks (ioctl_ficlone(2)). */
	reflinks: boolean
	/** How finely modification times are kept, in ns. */
	mtimeGrainNs: number
	/** fsync of a folder is answered. */
	folderFlush: boolean
}

/** Tries it all out in a folder of its own, which is gone afterwards. `folder` must not be there yet. */
export function* probe(folder: string): Io<Capabilities> {
	yield* mkdir(folder, 0o700)
	try {
		return yield* together<Capabilities>({
			caseSensitive: () => isCaseSensitive(folder),
			anySign: () => takes(`${folder}/a:b c*"?<>|\\`),
			anyBytes: () => takes(`${folder}/${decodeName(Buffer.of(0x61, 0xff, 0x62))}`),
			nameBytesMax: () => longestName(folder),
			hardLinks: () => canLink(folder),
			reflinks: () => canReflink(folder),
			mtimeGrainNs: () => mtimeGrain(folder),
			folderFlush: () => canFlushFolders(folder),
		})
	} finally {
		yield* removeTree(folder)
	}
}

const SMALL = { mode: 0o600, flush: false }

function* isCaseSensitive(folder: string): Io<boolean> {
	yield* createFile(`${folder}/case`, '', SMALL)
	return (yield* lstatIfThere(`${folder}/CASE`)) === undefined
}

function* takes(path: string): Io<boolean> {
	try {
		yield* createFile(pathOf(path), '', SMALL)
		yield* unlink(pathOf(path))
		return true
	} catch (error) {
		if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ESTALE')) throw error
		return false
	}
}

function* longestName(folder: string): Io<number> {
	for (const length of [255, 143, 100]) if (yield* takes(`${folder}/${'n'.repeat(length)}`)) return length
	return 64
}

function* canLink(folder: string): Io<boolean> {
	yield* createFile(`${folder}/one`, '', SMALL)
	try {
		yield* link(`${folder}/one`, `${folder}/two`)
		return true
	} catch (error) {
		if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ESTALE')) throw error
		return false
	}
}

function* canReflink(folder: string): Io<boolean> {
	yield* createFile(`${folder}/blocks`, 'x', SMALL)
	try {
		const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants
		yield* reflink(`${folder}/blocks`, `${folder}/shared`, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE)
		return true
	} catch (error) {
		if (hasCode(error, 'ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'ESTALE')) throw error
		return false
	}
}

/** Sets a time that needs every digit, and sees what is left of it after a rename. */
function* mtimeGrain(folder: string): Io<number> {
	yield* createFile(`${folder}/time`, '', SMALL)
	yield* utimes(`${folder}/time`, 1_700_000_001, 1_700_000_001.123457)
	yield* rename(`${folder}/time`, `${folder}/time2`)
	const left = Number(((yield* lstatIfThere(`${folder}/time2`))?.mtimeNs ?? 0n) - 1_700_000_001_000_000_000n)
	for (const grain of [1000, 1_000_000, 1_000_000_000]) {
		if (Math.abs(left - 123_457_000) < grain) return grain === 1000 ? 1 : grain
	}
	return 2_000_000_000
}

function* canFlushFolders(folder: string): Io<boolean> {
	try {
		yield* withOpen(folder, FOLDER, fsync)
		return true
	} catch (error) {
		if (isNoFolderFlush(error)) return false
		throw error
	}
}
