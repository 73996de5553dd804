import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** Memory, where there is some to hold files: a flush there waits for nobody else's. */
export const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A new folder of the test's own, removed when the test has ended. */
export function ownFolder(t: ExecutionContext, parent = memory): string {
	const folder = mkdtempSync(join(parent, 'snaphaven-test-'))
	t.teardown(() => rmSync(folder, { recursive: true, force: true }))
	return folder
}
