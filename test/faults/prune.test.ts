import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import PQueue from 'p-queue'
import { runCli, startCli } from '../support/cli.ts'
import { testWhere } from '../support/not-run.ts'
import { flushTables, takeSnapshot } from '../support/tree.ts'
import { readState, unfinishedIn } from './promises.ts'
import { makeScene, type Scene } from './scene.ts'
import { killedAt, slowly, straceMissing, wrapped } from './strace.ts'

/** Kills at random instants; SNAPHAVEN_KILLS sets another number. */
const { SNAPHAVEN_KILLS: kills = 20 } = process.env
const RULES = ['--keep-last', '2']

interface Episode {
	haven: string
	args: string[]
	options: { stateDirectory: string }
}

async function beginEpisode({ folder, node }: Scene, full: string, name: string): Promise<Episode> {
	const haven = join(folder, name)
	await cp(full, haven, { recursive: true, preserveTimestamps: true })
	return {
		haven,
		args: ['prune', '-s', haven, ...node.flags, ...RULES],
		options: { stateDirectory: join(folder, `${name}-state`) },
	}
}

/** What a kill must never leave. */
function brokenNow({ haven }: Episode, owed: Set<string>): string[] {
	const { sealed, lies } = readState(haven)
	return [...lies, ...[...owed].filter((id) => !sealed.has(id)).map((id) => `${id} was to be kept, and is not whole`)]
}

/** A further prune comes to its end, and just what was to be kept is there. */
async function finish(episode: Episode, owed: Set<string>): Promise<string[]> {
	const { exitCode, stderr } = await runCli(episode.args, episode.options)
	const more = [...readState(episode.haven).sealed].filter((id) => !owed.has(id))
	return [
		...(exitCode === 0 ? [] : [`the last run ended with ${exitCode}: ${stderr}`]),
		...unfinishedIn(episode.haven, [...owed]),
		...more.map((id) => `${id} is there still`),
	]
}

/** A haven with five tags, and what a prune that nobody stops keeps of them. */
async function prepare(scene: Scene): Promise<{ full: string; owed: Set<string>; runMs: number }> {
	const full = join(scene.folder, 'full')
	for (const [day, tag] of ['wednesday', 'thursday', 'friday'].entries()) {
		flushTables(scene.node)
		// Monday and Tuesday are of today.
		takeSnapshot(scene.node, tag, { createdAt: `2025-01-0${day + 1}T10:00:00.000Z` })
	}
	const { exitCode, stderr } = await runCli(['sync', '--once', '-s', full, ...scene.node.flags, scene.node.keyspace])
	if (exitCode !== 0) throw new Error(`the sync ended with ${exitCode}: ${stderr}`)
	const rehearsal = await beginEpisode(scene, full, 'rehearsal')
	const start = performance.now()
	const pruned = await runCli(rehearsal.args, { ...rehearsal.options, wrapper: slowly })
	if (pruned.exitCode !== 0) throw new Error(`the rehearsal ended with ${pruned.exitCode}: ${pruned.stderr}`)
	return { full, owed: readState(rehearsal.haven).sealed, runMs: performance.now() - start }
}

testWhere(
	straceMissing(),
	'a kill at any instant of a prune leaves nothing untrue, and the next one finishes',
	async (t) => {
		const scene = await makeScene(t, { tables: 8, sstables: 2, dataBytes: 5000 }, [])
		const { full, owed, runMs } = await prepare(scene)
		t.is(owed.size, 16)
		const queue = new PQueue({ concurrency: 2 })
		let midway = 0
		const random = async (number: number) => {
			const episode = await beginEpisode(scene, full, `random-${number}`)
			const run = startCli(episode.args, { ...episode.options, wrapper: slowly })
			await Promise.race([run, pause(runMs * (0.2 + Math.random()))])
			const victim = wrapped(run.pid ?? 0)
			if (victim !== undefined) {
				process.kill(victim, 'SIGKILL')
				midway++
			}
			await run
			return [...brokenNow(episode, owed), ...(await finish(episode, owed))].map((what) => `kill ${number}: ${what}`)
		}
		const ended = await Promise.all(
			Array.from({ length: Number(kills) }, (_, number) => queue.add(() => random(number))),
		)
		t.log(`${kills} kills, ${midway} of them midway, of runs of ${Math.round(runMs)} ms`)
		t.deepEqual(ended.flat().slice(0, 20), [])
		t.true(midway > 0, 'no kill fell into a run')
	},
)

testWhere(
	straceMissing(),
	'a kill before any change of a folder by a prune leaves nothing untrue, and the next one finishes',
	async (t) => {
		const scene = await makeScene(t, { tables: 1, sstables: 1, dataBytes: 500 }, [])
		const { full, owed } = await prepare(scene)
		const queue = new PQueue({ concurrency: 2 })
		const each = async (name: string) => {
			const broken: string[] = []
			// Of the many deletions every third will do.
			const step = name === 'unlink' ? 3 : 1
			for (let call = 1; ; call += step) {
				const episode = await beginEpisode(scene, full, `${name}-${call}`)
				const { exitCode } = await runCli(episode.args, { ...episode.options, wrapper: killedAt(name, call) })
				broken.push(...brokenNow(episode, owed), ...(await finish(episode, owed)))
				if (exitCode === 0) return { name, kills: (call - 1) / step, broken }
			}
		}
		const ended = await Promise.all(['rename', 'unlink', 'rmdir'].map((name) => queue.add(() => each(name))))
		t.log(ended.map(({ name, kills }) => `${kills} × ${name}`).join(', '))
		t.deepEqual(ended.flatMap(({ broken }) => broken).slice(0, 20), [])
		t.deepEqual(
			ended.filter(({ kills }) => kills === 0),
			[],
		)
	},
)
