import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { fingerprint, type Scene, trueReceipts } from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { mountNas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { flushTables, linkBackups, makeTree, type TreeOptions, tagFolders, takeSnapshot } from '../support/tree.ts'
import { makeServiceScene, type RunningService, receiptOf, type ServiceScene, sealedOf } from './support/service.ts'

const allOfIt = ['--move-snapshots', '--sync-sstables', '--backups', '--prune-backups']
const notRoot = process.getuid?.() === 0 ? undefined : 'needs root to mount'

/** A service whose haven is on a small file system of its own. */
async function makeSmall(t: ExecutionContext, sizeKB: number, tree: TreeOptions) {
	const nas = join(ownFolder(t), 'nas')
	mkdirSync(nas)
	await execa('mount', ['-t', 'tmpfs', '-o', `size=${sizeKB}k,nr_inodes=0`, 'tmpfs', nas])
	t.teardown(() => execa('umount', ['--lazy', nas], { reject: false }))
	const scene = makeServiceScene(t, { ...tree, haven: join(nas, 'haven') })
	const remount = async (options: string) => {
		const command = ['-o', `remount,${options}`, nas]
		for (let tries = 1; ; tries++) {
			// It is busy (mount(8) ends with 32) while the service has a file there open for writing: for an instant.
			const { exitCode } = await execa('mount', command, { reject: tries === TRIES_MAX })
			if (exitCode === 0) return
			await sleep(50)
		}
	}
	return { scene, remount }
}

const TRIES_MAX = 100

function told(service: RunningService): { errors: number; recovered: number } {
	const count = (expression: RegExp) => service.said().match(expression)?.length ?? 0
	return { errors: count(/^(error|failed)/gm), recovered: count(/^recovered/gm) }
}

testWhere(
	notRoot,
	'a full haven is told of once, others go on, and the rest is sealed when there is room',
	async (t) => {
		const { scene, remount } = await makeSmall(t, 3000, { tables: 3, dataBytes: 2_000_000 })
		const small = makeTree(scene.node.root, { keyspace: 'small', tables: 1, seed: 2 })
		const service = scene.start([], { keyspaces: ['ks', 'small'] })
		await service.ready()
		takeSnapshot(scene.node, 'daily')
		await service.until('that it is full', () => /^error: the haven .* is full/m.test(service.said()))
		takeSnapshot(small, 'daily')
		await service.until('what fits', () => receiptOf({ ...scene, node: small }, 'daily') !== '')
		await remount('size=64m')
		await service.until('the rest', () => sealedOf(scene, 'daily') === 4)
		await service.until('that it is over', () => /^recovered: the haven .* has room again/m.test(service.said()))
		await service.stop()
		t.deepEqual(told(service), { errors: 1, recovered: 1 })
		assertMirrored(scene.node, scene.haven)
	},
)

testWhere(
	notRoot,
	'a haven that becomes read-only is told of once, and gone on with when it is writable',
	async (t) => {
		const { scene, remount } = await makeSmall(t, 20_000, { tables: 3 })
		const service = scene.start(allOfIt)
		await service.ready()
		await remount('ro')
		flushTables(scene.node)
		linkBackups(scene.node)
		takeSnapshot(scene.node, 'daily')
		const taken = fingerprint(scene.node.root, '%P %i %s %T@')
		await service.until('that it is read-only', () => /^error: .*read-only/m.test(service.said()))
		t.deepEqual(fingerprint(scene.node.root, '%P %i %s %T@'), taken)
		await remount('rw')
		await service.until('the seals', () => sealedOf(scene, 'daily') === 3)
		await service.until('the backups', () => service.said().match(/^pruned /gm)?.length === 3)
		await service.stop()
		t.deepEqual(told(service), { errors: 1, recovered: 1 }, service.said())
		t.is(trueReceipts(t, scene).length, 3)
	},
)

testWhere(nasfsMissing(), 'a NAS that fails for a while is told of once, and nothing is lost', async (t) => {
	const nas = await mountNas()
	t.teardown(nas.unmount)
	const scene = makeServiceScene(t, { tables: 3, haven: join(nas.path, 'haven') })
	const service = scene.start(['--move-snapshots'])
	await service.ready()
	nas.fault('any EIO')
	takeSnapshot(scene.node, 'daily')
	await service.until('that it fails', () => /^error: .*the haven/m.test(service.said()))
	for (const { path } of tagFolders(scene.node, 'daily')) t.true(existsSync(path))
	nas.fault()
	await service.until('the seals', () => sealedOf(scene, 'daily') === 3)
	await service.until('the node is free', () => tagFolders(scene.node, 'daily').every(({ path }) => !existsSync(path)))
	await service.stop()
	t.is(told(service).recovered, 1, service.said())
	t.is(trueReceipts(t, scene).length, 3)
})

testWhere(
	nasfsMissing(),
	'an hour of stale handles is told of once, leaves no file open, and deletes nothing on the node',
	async (t) => {
		const nas = await mountNas()
		t.teardown(nas.unmount)
		const scene = makeServiceScene(t, { tables: 2, haven: join(nas.path, 'haven') })
		const pauses = join(scene.own, 'pauses')
		const preload = `--import=${join(import.meta.dirname, 'support/short-pauses.mjs')}`
		const env = { NODE_OPTIONS: preload, SNAPHAVEN_TEST_PAUSES: pauses }
		const service = scene.start(allOfIt, { env })
		const isMoved = (tag: string) => tagFolders(scene.node, tag).every(({ path }) => !existsSync(path))
		const openFiles = () => readdirSync(`/proc/${service.process.pid}/fd`).length
		const pausedMs = () => (existsSync(pauses) ? Number(readFileSync(pauses, 'utf8')) : 0)
		await service.ready()
		takeSnapshot(scene.node, 'before')
		await service.until('the move', () => sealedOf(scene, 'before') === 2 && isMoved('before'))
		const files = openFiles()
		nas.fault('any ESTALE')
		flushTables(scene.node)
		linkBackups(scene.node)
		takeSnapshot(scene.node, 'daily')
		const taken = fingerprint(scene.node.root, '%P %i %s %T@')
		// First nothing can be opened, then all but what is new.
		for (const fault of ['any ESTALE', 'create ESTALE']) {
			nas.fault(fault)
			const until = pausedMs() + 1_800_000
			await service.until('half an hour of retries', () => pausedMs() >= until)
		}
		t.deepEqual(fingerprint(scene.node.root, '%P %i %s %T@'), taken)
		t.true(openFiles() <= files + 8, `${files} files were open, and ${openFiles()} are`)
		nas.fault()
		await service.until('the move', () => sealedOf(scene, 'daily') === 2 && isMoved('daily'))
		await service.until('the backups', () => service.said().match(/^pruned /gm)?.length === 2)
		await service.stop()
		t.deepEqual(told(service), { errors: 1, recovered: 1 }, service.said())
		t.is(trueReceipts(t, scene).length, 4)
	},
)

testWhere(
	nasfsMissing(),
	'while the NAS hangs, status answers, and SIGTERM ends the service, which says how',
	async (t) => {
		// Half a minute until a silent haven counts as hanging, nine until the process kills itself.
		t.timeout(600_000)
		const nas = await mountNas()
		t.teardown(nas.unmount)
		const scene = makeServiceScene(t, { tables: 2, haven: join(nas.path, 'haven') })
		const flags = ['--sync-sstables', '--backups', '--prune-backups']
		const service = scene.start(flags, { env: { SNAPHAVEN_TEST_PATIENCE: '' } })
		await service.ready()
		takeSnapshot(scene.node, 'before')
		await service.until('the seals', () => sealedOf(scene, 'before') === 2)
		nas.fault('any hang')
		flushTables(scene.node)
		linkBackups(scene.node)
		takeSnapshot(scene.node, 'daily')
		const taken = fingerprint(scene.node.root, '%P %i %s %T@')
		const ask = () => runCli(['status', '-s', scene.haven, '--json'], { stateDirectory: scene.state })
		t.like(JSON.parse((await ask()).stdout), { running: true })
		await service.until('that it does not answer', () => /^error: the haven \S+ does not answer/m.test(service.said()))
		const status = await ask()
		t.is(status.exitCode, 1)
		t.like(JSON.parse(status.stdout), { state: 'haven in trouble' })
		service.process.kill('SIGTERM')
		const killing =
			/not ended after 9 seconds: a call hangs, or a flush takes longer\. Killing this process; nothing is lost/
		await service.until('that it kills itself', () => killing.test(service.said()))
		// No signal ends a call that a FUSE server has taken: the process ends with it.
		nas.fault()
		const { signal } = await service.process
		t.is(signal, 'SIGKILL')
		t.deepEqual(fingerprint(scene.node.root, '%P %i %s %T@'), taken)
		const again = scene.start(flags)
		await again.until('the seals', () => sealedOf(scene, 'daily') === 2)
		await again.until('the backups', () => again.said().match(/^pruned /gm)?.length === 2)
		await again.stop()
		assertMirrored(scene.node, scene.haven)
		t.is(trueReceipts(t, scene).length, 4)
	},
)

/** Where the table has its copies and its receipts in the haven. */
function placesIn({ haven, node }: Scene, table: string): string[] {
	return [join(haven, 'data', node.keyspace, table), join(haven, '.snaphaven/receipts', node.keyspace, table)]
}

async function sealsAfterRemoval(t: ExecutionContext, scene: ServiceScene): Promise<void> {
	const service = scene.start()
	await service.ready()
	for (const tag of ['monday', 'tuesday']) {
		takeSnapshot(scene.node, tag)
		const sealed = new RegExp(`^sealed ks\\.\\S+ ${tag}:`, 'gm')
		await service.until(`the seals of ${tag}`, () => service.said().match(sealed)?.length === 2)
	}
	for (const path of placesIn(scene, scene.node.folders[0] ?? '')) rmSync(path, { recursive: true })
	takeSnapshot(scene.node, 'wednesday')
	await service.until('the seals', () => sealedOf(scene, 'wednesday') === 2)
	// The removal is seen, and made good.
	await service.until('the older ones again', () => sealedOf(scene, 'monday') + sealedOf(scene, 'tuesday') === 4)
	await service.stop()
	t.deepEqual(told(service), { errors: 0, recovered: 0 }, service.said())
	assertMirrored(scene.node, scene.haven)
	t.is(trueReceipts(t, scene).length, 6)
}

test('a table whose folders somebody removes in the haven is sealed there again', async (t) => {
	await sealsAfterRemoval(t, makeServiceScene(t, { tables: 2 }))
})

testWhere(nasfsMissing(), 'the same on a NAS', async (t) => {
	const nas = await mountNas()
	t.teardown(nas.unmount)
	await sealsAfterRemoval(t, makeServiceScene(t, { tables: 2, haven: join(nas.path, 'haven') }))
})

testWhere(nasfsMissing(), 'a large snapshot keeps no small one waiting', async (t) => {
	const nas = await mountNas({ bandwidthMBs: 15 })
	t.teardown(nas.unmount)
	const scene = makeServiceScene(t, { tables: 1, sstables: 12, dataBytes: 20_000_000, haven: join(nas.path, 'haven') })
	const small = makeTree(scene.node.root, { keyspace: 'small', tables: 20, seed: 2 })
	const service = scene.start([], { keyspaces: ['ks', 'small'] })
	await service.ready()
	takeSnapshot(scene.node, 'large')
	await service.until(
		'the large one is under way',
		() => /progress/.test(service.said()) || existsSync(join(scene.haven, '.snaphaven/partial')),
	)
	takeSnapshot(small, 'small')
	await service.until('all small ones', () => sealedOf(scene, 'small') === 20)
	t.is(sealedOf(scene, 'large'), 0)
	nas.fault('bandwidth 0')
	await service.until('the large one', () => sealedOf(scene, 'large') === 1)
	await service.stop()
	assertMirrored(scene.node, scene.haven)
	assertMirrored(small, scene.haven)
})

test('a table that can’t be read is told of once, and the others go on', async (t) => {
	const scene = makeServiceScene(t, { tables: 2 })
	const service = scene.start()
	await service.ready()
	const [first] = tagFolders(scene.node, 'x')
	const folder = join(first?.path ?? '', '../..')
	await execa('mv', [folder, `${folder}-away`])
	await execa('ln', ['-s', `${folder}-away`, folder])
	await execa('chown', ['-h', '12345', folder])
	takeSnapshot(scene.node, 'daily', { folders: scene.node.folders.slice(1) })
	await service.until('the other', () => sealedOf(scene, 'daily') === 1)
	await service.stop()
})

testWhere(
	notRoot,
	'what is taken while the haven can’t be opened yet is not taken for what was there before',
	async (t) => {
		const nas = join(ownFolder(t, '/var/tmp'), 'nas')
		mkdirSync(nas)
		t.teardown(() => execa('umount', ['--lazy', nas], { reject: false }))
		const scene = makeServiceScene(t, { tables: 2, haven: join(nas, 'haven') })
		takeSnapshot(scene.node, 'before')
		for (const { path } of tagFolders(scene.node, 'before')) utimesSync(path, new Date(), new Date(Date.now() - 3000))
		const service = scene.start(['--require-mount'])
		await service.until('that it watches', () => /^watching:/m.test(service.said()))
		await service.until('that nothing is mounted', () => /^error: nothing is mounted/m.test(service.said()))
		takeSnapshot(scene.node, 'after')
		for (const { path } of tagFolders(scene.node, 'after')) utimesSync(path, new Date(), new Date(Date.now() - 3000))
		await execa('mount', ['-t', 'tmpfs', 'tmpfs', nas])
		await service.until('the seals', () => sealedOf(scene, 'after') === 2)
		await service.stop()
		t.regex(service.said(), /^begun: .*; 2 snapshots that were there before are left alone/m)
		t.is(sealedOf(scene, 'before'), 0)
	},
)

testWhere(nasfsMissing(), 'a NAS that lets nobody in at the start is waited for', async (t) => {
	const nas = await mountNas()
	t.teardown(nas.unmount)
	const scene = makeServiceScene(t, { tables: 1, haven: join(nas.path, 'haven') })
	const first = scene.start()
	await first.ready()
	await first.stop()
	nas.fault('any EACCES')
	const service = scene.start()
	await service.until('that it may not', () => /^error: the haven .*EACCES/m.test(service.said()))
	nas.fault()
	takeSnapshot(scene.node, 'daily')
	await service.until('the seal', () => sealedOf(scene, 'daily') === 1)
	await service.stop()
})
