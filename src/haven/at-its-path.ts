import { SnaphavenError } from '../errors.ts'
import { hasCode, runAsync } from '../files/io.ts'
import { lstatIfThere, stat } from '../files/operations.ts'
import type { Haven } from './haven.ts'
import { readHavenRecord } from './haven-record.ts'

type Opened = Pick<Haven, 'path' | 'root' | 'record'>

/**
 * Throws where the haven's path leads elsewhere by now: its mount is gone, or something else is mounted there. After a lazy
 * unmount what is opened can still be written, so that no call need fail; but new files are made by the path, and nobody
 * looks there any more.
 */
export async function checkItsPath(haven: Opened): Promise<void> {
	const there = await runAsync(folderAt(haven.path))
	const opened = await runAsync(stat(haven.root))
	if (there?.dev === opened.dev && (there.ino === opened.ino || (await isAt(haven)))) return
	throw new SnaphavenError(`the haven is not at ${haven.path} any more: is the NAS mounted?`, {
		exitCode: 1,
		hint: 'Mount it again; nothing is lost.',
		ofHaven: true,
	})
}

function* folderAt(path: string): ReturnType<typeof lstatIfThere> {
	try {
		// A link at the path's end is followed.
		return yield* lstatIfThere(`${path}/.`)
	} catch (error) {
		if (hasCode(error, 'ENOTDIR')) return undefined
		throw error
	}
}

/** Some file systems number anew what they had forgotten: there the haven's id decides. */
async function isAt({ path, record }: Opened): Promise<boolean> {
	return (await readHavenRecord(path))?.id === record.id
}
