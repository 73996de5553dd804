import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { MadeNode, wrongRows } from '../cassandra-files/support/made-node.ts'
import { runCli, startCli } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { testWhere } from '../support/not-run.ts'
import { liesIn, type ReceiptText, readReceiptsIn } from '../support/receipts.ts'
import { slowly, straceMissing, wrapped } from './strace.ts'

/** Kills at random instants; SNAPHAVEN_KILLS sets another number. */
const { SNAPHAVEN_KILLS: kills = 20 } = process.env
const TABLE = `t-${'0'.repeat(32)}`

testWhere(
	straceMissing(),
	'killed at any instant while SSTables come and go, the live set is one that loads, and the next run finishes',
	async (t) => {
		const scene = makeLoad(t)
		let runMs = 2000
		let midway = 0
		let intents = 0
		let rows = 0
		for (let kill = 0; kill < Number(kills); kill++) {
			const loading = scene.load()
			const begun = performance.now()
			const run = startCli(scene.args, { ...scene.options, wrapper: slowly })
			await Promise.race([run, pause(runMs * Math.random())])
			const victim = wrapped(run.pid ?? 0)
			if (victim !== undefined) {
				process.kill(victim, 'SIGKILL')
				midway++
			}
			const { exitCode, stderr } = await run
			// The longest that one took to its end, so that kills fall anywhere in it.
			if (victim === undefined) runMs = Math.max(runMs, performance.now() - begun)
			// A run that is slower than the node that it watches leaves the haven as it is, and says so.
			const isOutrun = exitCode === 1 && stderr.includes('changed each time that they were looked at')
			t.true(exitCode === undefined || exitCode === 0 || isOutrun, stderr)
			await loading.stop()
			if (scene.isInDoubt()) intents++
			else rows = scene.assertLoads(t, rows)
			t.deepEqual(scene.torn(), [], `after kill ${kill}`)
		}
		const { exitCode, stderr, stdout } = await runCli(scene.args, scene.options)
		t.is(exitCode, 0, stderr + stdout)
		t.is(scene.assertLoads(t, rows), scene.flushes())
		t.deepEqual(scene.standing(), scene.onNode())
		t.deepEqual(readdirSync(join(scene.haven, '.snaphaven/partial')), [])
		t.log(`${midway} kills midway, ${intents} of them with an intent`)
		t.true(midway > 0)
	},
)

/** A made-up table that flushes and compacts as Cassandra does, and a haven for it. */
function makeLoad(t: ExecutionContext) {
	const own = ownFolder(t)
	const haven = join(own, 'haven')
	const directories = [join(own, 'd1'), join(own, 'd2')]
	const folders = directories.map((directory) => join(directory, 'ks', TABLE))
	for (const folder of folders) mkdirSync(folder, { recursive: true })
	const node = new MadeNode(folders)
	let flushes = 0
	const step = async (steps: Generator<void, void>) => {
		for (const _ of steps) await pause(1)
	}
	const act = async () => {
		if (node.size >= 4) return await step(node.compact())
		await step(node.flush())
		flushes++
	}
	const load = () => {
		let isOver = false
		const acting = (async () => {
			do {
				await act()
				await pause(20)
			} while (!isOver)
		})()
		const stop = async () => {
			isOver = true
			await acting
		}
		return { stop }
	}
	const place = join(haven, 'data/ks', TABLE)
	const live = (folder: string) =>
		existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('nb-') && !name.endsWith('.log')) : []
	const receipt = (): ReceiptText | undefined => {
		const [found] = readReceiptsIn(join(haven, '.snaphaven/live'))
		if (found && 'broken' in found) throw new Error(found.broken)
		return found?.receipt
	}
	const partial = join(haven, '.snaphaven/partial')
	return {
		haven,
		args: [
			'sync',
			'--once',
			'-s',
			haven,
			...directories.flatMap((path) => ['--data-dir', path]),
			'--sync-sstables',
			'ks',
		],
		options: { stateDirectory: join(own, 'state') },
		load,
		flushes: () => flushes,
		isInDoubt: () =>
			existsSync(partial) &&
			readdirSync(partial, { recursive: true, encoding: 'utf8' }).some((path) => /live-\d+\.json$/.test(path)),
		/** The set of the receipt holds each row once, to the byte, and no fewer than before: how many flushes that is. */
		assertLoads: (t: ExecutionContext, atLeast: number): number => {
			const now = receipt()
			if (!now) return atLeast
			t.deepEqual(liesIn(place, now), [])
			const prefixes = [...new Set(now.files.map(({ path }) => path.slice(0, path.lastIndexOf('-') + 1)))]
			t.is(wrongRows(prefixes, { atLeast, atMost: flushes }), undefined)
			return Math.max(atLeast, ...prefixes.map((prefix) => Number(prefix.split('-')[1]) % 1e6))
		},
		/** What has a TOC.txt and lacks anything. */
		torn: (): string[] => {
			const names = new Set(live(place))
			return [...names]
				.filter((name) => name.endsWith('TOC.txt'))
				.flatMap((toc) => ['Data.db', 'Index.db', 'Statistics.db'].map((one) => toc.replace('TOC.txt', one)))
				.filter((name) => !names.has(name))
		},
		standing: () =>
			live(place)
				.sort()
				.map((name) => [name, readFileSync(join(place, name), 'utf8')]),
		onNode: () =>
			folders
				.flatMap((folder) => live(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
				.sort(([one = ''], [other = '']) => (one < other ? -1 : 1)),
	}
}
