import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { execa } from 'execa'
import { askService } from '../../src/control/client.ts'
import { HAVEN_FILE } from '../../src/haven/layout.ts'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import { fingerprint, trueReceipts } from '../mirror/support/scene.ts'
import { ownFolder } from '../support/folder.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { testWhere } from '../support/not-run.ts'
import { flushTables, linkBackups, linkTree, tagFolders, takeSnapshot } from '../support/tree.ts'
import { makeServiceScene, type RunningService, type ServiceScene, sealedOf } from './support/service.ts'

const notRoot = process.getuid?.() === 0 ? undefined : 'needs root to mount'
const deleting = ['--move-snapshots', '--sync-sstables', '--backups', '--prune-backups']

/** Links add to a file's names, and so change its ctime. */
const WHAT = '%P %y %i %s %T@'

/** A mount point, and disks that can be mounted there, one over the other. */
async function makeMounts(t: ExecutionContext) {
	const own = ownFolder(t)
	const point = join(own, 'nas')
	mkdirSync(point)
	let mounted = 0
	const unmount = async () => {
		await execa('umount', ['--lazy', point])
		mounted--
	}
	t.teardown(async () => {
		while (mounted > 0) await unmount()
	})
	const disk = async (name: string) => {
		const path = join(own, name)
		mkdirSync(path)
		await execa('mount', ['-t', 'tmpfs', 'tmpfs', path])
		t.teardown(() => execa('umount', ['--lazy', path], { reject: false }))
		return path
	}
	const mount = async (path: string) => {
		await execa('mount', ['--bind', path, point])
		mounted++
	}
	return { point, disk, mount, unmount }
}

/** Another node's haven, with nothing in it. */
function makeForeign(place: string, like: string): void {
	for (const folder of ['partial', 'receipts']) mkdirSync(join(place, '.snaphaven', folder), { recursive: true })
	const { checksum: _, ...record } = JSON.parse(readFileSync(join(like, HAVEN_FILE), 'utf8'))
	writeFileSync(
		join(place, HAVEN_FILE),
		withChecksum(JSON.stringify({ ...record, owner: { machine: 'another', host: 'node7' } })),
	)
}

/** Waits until the service gives that as what is wrong with the haven. */
async function untilTrouble(scene: ServiceScene, service: RunningService, what: RegExp): Promise<void> {
	let trouble: string | undefined
	const asking = setInterval(async () => {
		const place = { stateDirectory: scene.state, haven: scene.haven }
		trouble = (await askService(place, 'status').catch(() => undefined))?.status.trouble?.message
	}, 200)
	try {
		await service.until(String(what), () => what.test(trouble ?? ''))
	} finally {
		clearInterval(asking)
	}
}

testWhere(
	notRoot,
	'a mount that is lost, and comes back empty or as another haven: nothing is written there, and nothing deleted on the node',
	async (t) => {
		t.timeout(900_000)
		const { point, disk, mount, unmount } = await makeMounts(t)
		const [nas, foreign, empty] = [await disk('right'), await disk('foreign'), await disk('empty')]
		await mount(nas)
		const scene = makeServiceScene(t, { tables: 1, haven: point })
		const onNode = (tag: string) => tagFolders(scene.node, tag).some(({ path }) => existsSync(path))
		const service = scene.start(deleting)
		await service.ready()
		takeSnapshot(scene.node, 'before')
		await service.until('the move', () => sealedOf({ haven: nas }, 'before') === 1 && !onNode('before'))
		makeForeign(foreign, nas)

		await unmount()
		flushTables(scene.node)
		linkBackups(scene.node)
		takeSnapshot(scene.node, 'after')
		const kept = await linkTree(scene.node, join(scene.own, 'kept'))
		const untouched = fingerprint(scene.node.root, WHAT)
		await service.until('that it is gone', () => /^error: the haven is not at \S+ any more/m.test(service.said()))
		for (const [place, why] of [
			[foreign, /belongs to another node, node7/],
			[empty, /a haven was at .* before, and is not there now/],
		] as const) {
			const was = fingerprint(place, WHAT)
			await mount(place)
			await untilTrouble(scene, service, why)
			t.deepEqual(fingerprint(place, WHAT), was)
		}
		t.deepEqual(fingerprint(scene.node.root, WHAT), untouched)

		await mount(nas)
		await service.until('the move', () => sealedOf({ haven: nas }, 'after') === 1 && !onNode('after'))
		await service.until('the backups', () => /^pruned /m.test(service.said()))
		await service.stop()
		t.is(service.said().match(/^error/gm)?.length, 1, service.said())
		t.regex(service.said(), /^recovered: the haven .* works again/m)
		for (const _ of [nas, empty, foreign]) await unmount()
		t.deepEqual(readdirSync(point), [])
		assertMirrored(kept, nas)
		trueReceipts(t, { haven: nas })
	},
)
