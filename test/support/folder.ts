import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/**
 * Memory, where there is some to hold files, and it says when a folder was made (Linux 5.19): a flush there waits for
 * nobody else's.
 */
export const memory = existsSync('/dev/shm') && statSync('/dev/shm').birthtimeMs > 0 ? '/dev/shm' : tmpdir()

/** A new folder of the test's own, removed when the test has ended. */
export function ownFolder(t: ExecutionContext, parent = memory): string {
	const folder = mkdtempSync(join(parent, 'snaphaven-test-'))
	t.teardown(() => rmSync(folder, { recursive: true, force: true }))
	return folder
}
