import { setTimeout as pause } from 'node:timers/promises'
import test from 'ava'
import PQueue from 'p-queue'
import { runCli, startCli } from '../support/cli.ts'
import { testWhere } from '../support/not-run.ts'
import { folderCalls, killedBefore } from './killed-before.ts'
import { beginEpisode, brokenNow, finishEpisode, makeScene, type Scene } from './scene.ts'
import { slowly, straceMissing, wrapped } from './strace.ts'

/** Kills at random instants, in each mode; SNAPHAVEN_KILLS sets another number. */
const { SNAPHAVEN_KILLS: kills = 16 } = process.env
/** A run is killed, the next one that finishes its work too, then one comes to its end. */
const killsPerEpisode = 2
const shownMax = 20
const modes = [
	{ flags: [], promise: 'leaves nothing untrue' },
	{ flags: ['--move-snapshots'], promise: 'with --move-snapshots loses nothing' },
]

for (const { flags, promise } of modes) {
	testWhere(straceMissing(), `a kill at any instant ${promise}, and the next run finishes`, async (t) => {
		const tree = { tables: 30, sstables: 3, dataBytes: 50_000, dataDirectories: 2 }
		const scene = await makeScene(t, tree, flags)
		const runMs = await rehearse(scene)
		const queue = new PQueue({ concurrency: 2 })
		const episodes = Array.from({ length: Math.ceil(Number(kills) / killsPerEpisode) }, (_, number) =>
			queue.add(() => killAtRandom(scene, number, runMs)),
		)
		const ended = await Promise.all(episodes)
		const midway = ended.reduce((sum, { midway }) => sum + midway, 0)
		t.log(`${episodes.length} havens, ${midway} kills midway, of runs of ${Math.round(runMs)} ms`)
		t.deepEqual(ended.flatMap(({ broken }) => broken).slice(0, shownMax), [])
		t.true(midway > 0, 'no kill fell into a run')
	})

	test(`a kill before any change of a folder ${promise}, and the next run finishes`, async (t) => {
		const scene = await makeScene(t, { tables: 2, sstables: 1, dataBytes: 1000 }, flags)
		const queue = new PQueue({ concurrency: 2 })
		const ended = await Promise.all(folderCalls.map((name) => queue.add(() => killAtEach(scene, name))))
		t.log(ended.map(({ name, kills }) => `${kills} × ${name}`).join(', '))
		t.deepEqual(ended.flatMap(({ broken }) => broken).slice(0, shownMax), [])
		t.deepEqual(
			ended.filter(({ kills }) => kills === 0),
			[],
		)
	})
}

/** How long an undisturbed run on the slow disk takes, in ms. */
async function rehearse(scene: Scene): Promise<number> {
	const rehearsal = await beginEpisode(scene, 'rehearsal', 'yesterday')
	const start = performance.now()
	const { exitCode, stderr } = await runCli(rehearsal.args, { ...rehearsal.options, wrapper: slowly })
	if (exitCode !== 0) throw new Error(`the rehearsal ended with ${exitCode}: ${stderr}`)
	return performance.now() - start
}

async function killAtRandom(
	scene: Scene,
	number: number,
	runMs: number,
): Promise<{ midway: number; broken: string[] }> {
	const episode = await beginEpisode(scene, `random-${number}`, number % 2 === 0 ? 'yesterday' : 'none')
	const broken: string[] = []
	let midway = 0
	for (let kill = 0; kill < killsPerEpisode; kill++) {
		const run = startCli(episode.args, { ...episode.options, wrapper: slowly })
		await Promise.race([run, pause(runMs * (0.1 + Math.random()))])
		const victim = wrapped(run.pid ?? 0)
		if (victim !== undefined) {
			process.kill(victim, 'SIGKILL')
			midway++
		}
		await run
		broken.push(...brokenNow(episode))
	}
	broken.push(...(await finishEpisode(episode, number % 4 < 2 ? undefined : 'monday')))
	return { midway, broken: broken.map((what) => `episode ${number}: ${what}`) }
}

/** Kills a run at the first call of this name, another one at the second, until one makes fewer. */
async function killAtEach(scene: Scene, name: string): Promise<{ name: string; kills: number; broken: string[] }> {
	const broken: string[] = []
	// Of the many links and deletions every third will do, and of those of a move fewer.
	const step = ['unlink', 'link'].includes(name) ? (scene.flags.length > 0 ? 7 : 3) : 1
	for (let call = 1; ; call += step) {
		const episode = await beginEpisode(scene, `${name}-${call}`, 'yesterday')
		const { signal, exitCode, stderr } = await runCli(episode.args, {
			...episode.options,
			env: killedBefore(episode.folder, name, call),
		})
		if (signal !== 'SIGKILL' && exitCode !== 0) throw new Error(`it ended with ${exitCode}: ${stderr}`)
		const found = [...brokenNow(episode), ...(await finishEpisode(episode, call % 2 === 0 ? undefined : 'monday'))]
		broken.push(...found.map((what) => `killed at ${name} ${call}: ${what}`))
		if (exitCode === 0) return { name, kills: (call - 1) / step, broken }
	}
}
