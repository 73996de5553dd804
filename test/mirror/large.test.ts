import { execFileSync } from 'node:child_process'
import {
	appendFileSync,
	closeSync,
	existsSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
	writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import { startCli } from '../support/cli.ts'
import { clearSnapshot, tagFolders, takeSnapshot } from '../support/tree.ts'
import { assertNoTrace, makeScene, mirrored, objectsOf, type Scene, trueReceipts } from './support/scene.ts'

const MB = 1024 * 1024

/** A snapshot whose first Data.db is of so many bytes, none of its blocks like another, and its digest true. */
function makeLarge(t: ExecutionContext, bytes: number): Scene & { data: string } {
	const scene = makeScene(t)
	const live = join(scene.node.dataDirectories[0] ?? '', 'ks', scene.node.folders[0] ?? '', 'nb-1-big-')
	const fd = openSync(`${live}Data.db`, 'w')
	let crc = 0
	for (let done = 0; done < bytes; ) {
		const block = Buffer.alloc(Math.min(MB, bytes - done), `${done} `)
		crc = crc32(block, crc)
		done += writeSync(fd, block)
	}
	closeSync(fd)
	writeFileSync(`${live}Digest.crc32`, String(crc))
	takeSnapshot(scene.node, 'daily')
	return { ...scene, data: join(tagFolders(scene.node, 'daily')[0]?.path ?? '', 'nb-1-big-Data.db') }
}

function isEqual(one: string, other: string): boolean {
	execFileSync('cmp', ['--', one, other])
	return true
}

/** Waits until the haven has begun to gather a file of some MB. */
async function midway(running: ReturnType<typeof startCli>, { haven }: Scene): Promise<void> {
	for (;;) {
		const partial = join(haven, '.snaphaven/partial')
		const found = existsSync(partial)
			? execFileSync('find', [partial, '-name', '*Data.db', '-size', '+1M'], { encoding: 'utf8' }).trim()
			: ''
		if (found !== '') return
		if (running.exitCode !== null || running.signalCode !== null) throw new Error('it ended before')
		await new Promise((resolve) => setTimeout(resolve, 3))
	}
}

/** The process that strace has started. Throws where it has ended: 0 would stand for all of the test's own. */
function traced({ pid }: ReturnType<typeof startCli>): number {
	const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0])
	if (child === 0) throw new Error('it ended before')
	return child
}

/** Starts a pass that reads slowly enough to be met in the middle. */
function startSlowly({ haven, node, state }: Scene, ...flags: string[]) {
	const wrapper = [
		'strace',
		'-f',
		'-qq',
		'--seccomp-bpf',
		'-o',
		'/dev/null',
		'-e',
		'trace=pwrite64,write',
		'-e',
		'inject=pwrite64,write:delay_enter=3000',
	]
	return startCli(['--once', '-s', haven, ...node.flags, ...flags, 'ks'], { stateDirectory: state, wrapper })
}

for (const bytes of [64 * MB, 130 * MB + 12_345]) {
	test.serial(`a file of ${bytes} bytes arrives whole, with its CRC, mode and time`, async (t) => {
		const scene = makeLarge(t, bytes)
		execFileSync('chmod', ['440', scene.data])
		await scene.syncWell()
		const copy = join(mirrored(scene, 'daily'), 'nb-1-big-Data.db')
		t.true(isEqual(scene.data, copy))
		t.is(statSync(copy).mode, 0o100440)
		t.true(Math.abs(statSync(copy).mtimeMs - statSync(scene.data).mtimeMs) < 0.002)
		t.is(trueReceipts(t, scene)[0]?.state, 'whole')
	})
}

test.serial('damage in the last piece of a large file is found', async (t) => {
	const scene = makeLarge(t, 70 * MB)
	const fd = openSync(scene.data, 'r+')
	writeSync(fd, 'x', 70 * MB - 1)
	closeSync(fd)
	const result = await scene.sync()
	t.is(result.exitCode, 3)
	t.regex(result.stderr, /nb-1-big-Data\.db: its CRC-32 is \d+, and Digest\.crc32 says/)
})

test.serial(
	'a snapshot that is cleared while it is copied is skipped, nothing of it stays, and the rest is sealed',
	async (t) => {
		const scene = makeLarge(t, 70 * MB)
		const running = startSlowly(scene, '--json')
		await midway(running, scene)
		clearSnapshot(scene.node, 'daily')
		takeSnapshot({ ...scene.node, folders: [] }, 'none')
		const { exitCode, stdout, stderr } = await running
		t.is(exitCode, 0, stderr)
		const [first] = objectsOf({ exitCode, stdout, stderr, signal: undefined })
		// Its files were opened before they went: then the copy is whole, else nothing counts.
		t.true(first?.['type'] === 'skipped' || first?.['type'] === 'sealed', stdout)
		const copy = join(mirrored(scene, 'daily'), 'nb-1-big-Data.db')
		if (first?.['type'] === 'skipped') t.false(existsSync(mirrored(scene, 'daily')))
		else t.true(isEqual(join(scene.data, '../../../nb-1-big-Data.db'), copy))
		trueReceipts(t, scene)
	},
)

test.serial('a file that grows while it is copied is copied anew, as what it became', async (t) => {
	const scene = makeLarge(t, 70 * MB)
	const running = startSlowly(scene)
	await midway(running, scene)
	appendFileSync(scene.data, 'more')
	const { exitCode, stderr, stdout } = await running
	// Its digest is that of what it was.
	t.is(exitCode, 3, stderr)
	assertNoTrace(t, { exitCode, stderr, stdout, signal: undefined })
	t.true(isEqual(scene.data, join(mirrored(scene, 'daily'), 'nb-1-big-Data.db')))
	t.is(trueReceipts(t, scene)[0]?.state, 'damaged')
})

for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
	test.serial(`${signal} in the middle leaves nothing that counts, and the next run completes it`, async (t) => {
		const scene = makeLarge(t, 70 * MB)
		const running = startSlowly(scene)
		await midway(running, scene)
		const child = traced(running)
		process.kill(child, signal)
		const { exitCode, stderr } = await running
		if (signal !== 'SIGKILL') {
			t.is(exitCode, 1)
			t.regex(stderr, /interrupted: nothing is lost, run it again to go on/)
		}
		t.false(existsSync(mirrored(scene, 'daily')))
		t.false(existsSync(join(scene.haven, '.snaphaven/receipts/ks', scene.node.folders[0] ?? '', 'daily.json')))
		await scene.syncWell()
		t.true(isEqual(scene.data, join(mirrored(scene, 'daily'), 'nb-1-big-Data.db')))
		t.is(trueReceipts(t, scene)[0]?.state, 'whole')
	})
}

test.serial(
	'a holder that was paused and taken over from another machine publishes nothing when it wakes',
	async (t) => {
		const scene = makeLarge(t, 70 * MB)
		const running = startSlowly(scene)
		await midway(running, scene)
		const child = traced(running)
		process.kill(child, 'SIGSTOP')
		const partial = join(scene.haven, '.snaphaven/partial')
		const [token = ''] = readdirSync(partial)
		const lease = join(scene.haven, '.snaphaven/lease.json')
		const { checksum: _, ...record } = JSON.parse(readFileSync(lease, 'utf8'))
		renameSync(join(partial, token), join(partial, 'other.inherited-0'))
		rmSync(lease)
		writeFileSync(lease, withChecksum(JSON.stringify({ ...record, token: 'other' })))
		process.kill(child, 'SIGCONT')
		const { exitCode, stderr, stdout } = await running
		t.is(exitCode, 1)
		t.regex(stderr, /another process has taken over the haven|the haven is not what it was/)
		assertNoTrace(t, { exitCode, stderr, stdout, signal: undefined })
		t.false(existsSync(mirrored(scene, 'daily')))
		t.is(JSON.parse(readFileSync(lease, 'utf8')).token, 'other')
	},
)
