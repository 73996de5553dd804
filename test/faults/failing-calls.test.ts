import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import PQueue from 'p-queue'
import { type CliResult, runCli } from '../support/cli.ts'
import * as recorded from './crash-points/episodes.ts'
import { record } from './crash-points/recording.ts'
import { type Case, casesOf, failing, isHit, sample, untoldIn } from './failing.ts'
import { beginEpisode, brokenNow, finishEpisode, makeScene, memory } from './scene.ts'

/** How many calls are made to fail in each mode, chosen at random; SNAPHAVEN_FAILING_CALLS sets another number, or `all`. */
const { SNAPHAVEN_FAILING_CALLS: wanted } = process.env
const shownMax = 20

/** A run that is disturbed, and what is wrong in the end. */
interface Disturbed {
	folder: string
	run: (env: Record<string, string>) => Promise<CliResult>
	end: (result: CliResult) => Promise<string[]>
}

type Begin = (name: string) => Promise<Disturbed>

for (const flags of [[], ['--move-snapshots']]) {
	const mode = flags.length > 0 ? ', with --move-snapshots' : ''
	test(`a call that fails, any of them, leaves nothing untrue, and the next run finishes${mode}`, async (t) => {
		const scene = await makeScene(t, { tables: 2, sstables: 1, dataBytes: 1000 }, flags)
		await failEach(t, 14, async (name) => {
			const episode = await beginEpisode(scene, name, 'yesterday')
			return {
				folder: episode.folder,
				run: (env) => runCli(episode.args, { ...episode.options, env }),
				end: async () => [...brokenNow(episode), ...(await finishEpisode(episode))],
			}
		})
	})
}

const others = [
	'live SSTables',
	'incremental backups, pruned on the node, on a NAS',
	'prune',
	'adopt',
	'verify --repair',
]

for (const scenario of others) {
	test(`a call that fails, any of them, leaves nothing untrue, and the next run finishes: ${scenario}`, async (t) => {
		const own = mkdtempSync(join(memory, 'snaphaven-kill-'))
		t.teardown(() => rmSync(own, { recursive: true, force: true }))
		const recording = await record(scenario, own)
		await failEach(t, 5, async (name) => {
			const episode = await recorded.beginEpisode(recording, name)
			return {
				folder: episode.folder,
				run: (env) => episode.run({ env }),
				end: (result) => recorded.endEpisode(episode, result),
			}
		})
	})
}

async function failEach(t: ExecutionContext, count: number, begin: Begin): Promise<void> {
	const queue = new PQueue({ concurrency: 2 })
	const rehearse = async (haven: Case['haven']) => casesOf(haven, wanted === 'all', await begin(`count-${haven}`))
	const all = (await Promise.all((['quick', 'slow'] as const).map(rehearse))).flat()
	const chosen = wanted === 'all' ? all : sample(all, Number(wanted ?? count))
	const ended = await Promise.all(chosen.map((one, number) => queue.add(() => failOnce(begin, one, number))))
	t.log(`${chosen.length} of ${all.length} calls, ${ended.filter(({ isHit }) => isHit).length} of them hit`)
	t.deepEqual(ended.flatMap(({ broken }) => broken).slice(0, shownMax), [])
	t.true(ended.some((one) => one.isHit))
}

async function failOnce(
	begin: Begin,
	one: Case,
	number: number,
): Promise<{ isHit: boolean; result: CliResult; broken: string[] }> {
	const { call, nth, code, haven } = one
	const { folder, run, end } = await begin(`fail-${number}`)
	const counter = join(folder, 'calls')
	const result = await run(failing(one, counter))
	const hit = isHit(one, counter)
	const broken = [...untoldIn(result, code), ...(await end(result))]
	return { isHit: hit, result, broken: broken.map((what) => `${call} ${nth} ${code}, ${haven}: ${what}`) }
}
