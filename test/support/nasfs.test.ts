import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { execa } from 'execa'
import { mountNas, type Nas, nasfsMissing } from './nasfs.ts'
import { testWhere } from './not-run.ts'

async function nasFor(t: ExecutionContext): Promise<Nas> {
	const nas = await mountNas({ latencyMs: 0 })
	t.teardown(nas.unmount)
	return nas
}

const missing = nasfsMissing()

testWhere(missing, 'what is written to the NAS is on its disks, and gone from the mount after it', async (t) => {
	const nas = await nasFor(t)
	await mkdir(join(nas.path, 'a'))
	await writeFile(join(nas.path, 'a/file'), 'bytes')
	t.is(await readFile(join(nas.backing, 'a/file'), 'utf8'), 'bytes')
	await nas.unmount()
	t.false(readFileSync('/proc/mounts', 'utf8').includes(nas.path))
})

testWhere(missing, 'a fault hits the operation that it names, as long as its line stands', async (t) => {
	const nas = await nasFor(t)
	nas.fault('mkdir ENOSPC', 'rename ESTALE')
	await t.throwsAsync(mkdir(join(nas.path, 'a')), { code: 'ENOSPC' })
	await writeFile(join(nas.path, 'file'), 'bytes')
	nas.fault()
	await t.notThrowsAsync(mkdir(join(nas.path, 'a')))
	nas.fault('write EIO 2')
	await t.notThrowsAsync(writeFile(join(nas.path, 'first'), 'bytes'))
	await t.throwsAsync(writeFile(join(nas.path, 'second'), 'bytes'), { code: 'EIO' })
	await t.notThrowsAsync(writeFile(join(nas.path, 'third'), 'bytes'))
})

testWhere(missing, 'a NAS that hangs is unmounted all the same', async (t) => {
	const nas = await nasFor(t)
	nas.fault('create hang')
	const hanging = execa('touch', [join(nas.path, 'file')], { reject: false })
	t.is(await Promise.race([hanging.then(() => 'ended'), pause(300, 'hangs')]), 'hangs')
	await nas.unmount()
	t.not((await hanging).exitCode, 0)
	t.false(readFileSync('/proc/mounts', 'utf8').includes(nas.path))
})
