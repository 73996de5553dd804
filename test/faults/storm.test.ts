import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { trueReceipts } from '../mirror/support/scene.ts'
import { makeServiceScene, type RunningService, type ServiceScene, sealedOf } from '../service/support/service.ts'
import { compareMirror, snapshotsOf } from '../support/mirrored.ts'
import { type TreeOptions, tagFolders } from '../support/tree.ts'
import { readState } from './promises.ts'
import { type Witness, witness } from './witness.ts'

/** Kills in each mode; SNAPHAVEN_KILLS sets another number. */
const { SNAPHAVEN_KILLS: kills = 20 } = process.env

interface Storm extends ServiceScene {
	seen: Witness
}

/** A node without snapshots, whose haven was begun, so that all that comes is new. */
async function makeStorm(t: ExecutionContext, tree: TreeOptions): Promise<Storm> {
	const scene = makeServiceScene(t, tree)
	await scene.syncWell()
	return { ...scene, seen: await witness(scene.node, join(scene.own, 'kept')) }
}

async function passes(t: ExecutionContext, storm: Storm, service: RunningService, tags: string[]): Promise<void> {
	const taken = Date.now()
	await service.ready()
	const all = storm.node.folders.length
	await service.until('every seal', () => tags.every((tag) => sealedOf(storm, tag) === all))
	t.log(
		`${tags.length} tags of ${all} tables: the last seal ${((Date.now() - taken) / 1000).toFixed(1)} s after the last link`,
	)
	await service.stop()
	const { compared, differences } = compareMirror(storm.seen.kept, storm.haven)
	t.deepEqual(differences.slice(0, 20), [])
	t.is(compared.snapshots, tags.length * all)
	t.is(trueReceipts(t, storm).length, tags.length * all)
}

for (const hints of [true, false]) {
	const title = hints ? '' : ', also when every event of the watcher is lost'
	test.serial(`three snapshots in a row, begun while the watch is being set up, are all sealed${title}`, async (t) => {
		const storm = await makeStorm(t, { tables: 200, sstables: 5, dataBytes: 1000 })
		const service = storm.start([], hints ? {} : { env: { SNAPHAVEN_TEST_HINTS: 'none' } })
		const tags = ['one', 'two', 'three']
		for (const tag of tags) storm.seen.take(tag)
		await passes(t, storm, service, tags)
	})
}

test.serial('two snapshots of 49,000 files are all sealed', async (t) => {
	const storm = await makeStorm(t, { tables: 500, sstables: 12, dataBytes: 500 })
	const service = storm.start()
	await service.ready()
	const tags = ['one', 'two']
	for (const tag of tags) storm.seen.take(tag)
	await passes(t, storm, service, tags)
})

for (const flags of [[], ['--move-snapshots']]) {
	const mode = flags.length === 0 ? '' : ', with --move-snapshots'
	test.serial(`a service that is killed again and again loses nothing${mode}`, async (t) => {
		const storm = await makeStorm(t, { tables: 8, sstables: 2, dataBytes: 20_000, dataDirectories: 2 })
		const { node, haven, seen } = storm
		let midway = 0
		const tags = Array.from({ length: Number(kills) }, (_, number) => `tag-${number}`)
		for (const tag of tags) {
			const service = storm.start(flags)
			await sleep(Math.random() * 400)
			seen.take(tag)
			await sleep(Math.random() * 1200)
			service.process.kill('SIGKILL')
			const { signal } = await service.process
			t.is(signal, 'SIGKILL', service.said())
			const { sealed, inDoubt, lies } = readState(haven)
			t.deepEqual(lies, [])
			if (inDoubt.size > 0 || sealedOf(storm, tag) < node.folders.length) midway++
			if (flags.length > 0) t.deepEqual(lost(storm, new Set([...sealed, ...inDoubt])), [])
		}
		const service = storm.start(flags)
		if (flags.length > 0) {
			const all = tags.flatMap((tag) => tagFolders(node, tag))
			await service.until('the node is free', () => all.every(({ path }) => !existsSync(path)))
		}
		await passes(t, storm, service, tags)
		t.log(`${tags.length} kills, ${midway} of them midway`)
		t.true(midway > 0, 'no kill fell into the work')
	})
}

/** Snapshots that are neither whole on the node nor in the haven. */
function lost({ node, seen }: Storm, safe: ReadonlySet<string>): string[] {
	const onNode = new Map(snapshotsOf(node).map(({ id, files }) => [id, files]))
	return snapshotsOf(seen.kept)
		.filter(({ id }) => !safe.has(id))
		.filter(({ id, files }) => [...files.keys()].some((path) => !onNode.get(id)?.has(path)))
		.map(({ id }) => id)
}
