import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { makeServiceScene, type RunningService, type ServiceScene } from '../service/support/service.ts'
import { runCli } from '../support/cli.ts'
import { mountNas, type Nas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { chanceOf } from './crash-points/states.ts'
import { type Model, makeModel } from './soak/model.ts'

/** How long things happen; SNAPHAVEN_SOAK_SECONDS sets another time, SNAPHAVEN_SEED repeats the order in which they do. */
const { SNAPHAVEN_SOAK_SECONDS: seconds = 25, SNAPHAVEN_SEED } = process.env
const seed = Number(SNAPHAVEN_SEED ?? Math.trunc(Math.random() * 1e6))
/** In the first half of the time it is stopped and killed too. In the second one process lives on. */
const killedFor = 0.5
const tagsMax = 6
const settleEvery = 25
const faults = [
	['write ENOSPC'],
	['write EIO 3'],
	['fsync EIO'],
	['rename EIO 2'],
	['link EIO 5'],
	['mkdir EIO'],
	['open ESTALE'],
	['create EROFS'],
	['read EIO 7'],
	['lookup ETIMEDOUT 9'],
	['unlink EACCES'],
	['fsync hang'],
	['lookup hang'],
]
const modes = [[], ['--move-snapshots'], ['--sync-sstables']]

interface Soak {
	scene: ServiceScene
	nas: Nas
	model: Model
	service: RunningService
	random: () => number
	counts: Record<string, number>
	/** What was done, the last things. */
	journal: string[]
}

testWhere(
	nasfsMissing(),
	'snapshots, clears, re-used tags, compactions, restarts, kills and faults, in any order, lose nothing',
	async (t) => {
		const nas = await mountNas({ latencyMs: 0 })
		t.teardown(nas.unmount)
		const tree = { tables: 4, sstables: 1, dataBytes: 2000, dataDirectories: 2 }
		const scene = makeServiceScene(t, { ...tree, haven: join(nas.path, 'haven') })
		await runCli(['sync', '--once', '-s', scene.haven, ...scene.node.flags, 'ks'], { stateDirectory: scene.state })
		// Read where the NAS keeps it, past all faults.
		const model = await makeModel(scene.node, join(scene.own, 'kept'), join(nas.backing, 'haven'))
		const soak: Soak = { scene, nas, model, service: scene.start(), random: chanceOf(seed, 0), counts: {}, journal: [] }
		t.log(`seed ${seed}`)
		const check = async () => {
			await settle(soak)
			t.deepEqual(model.wrong().slice(0, 10), [], soak.service.log())
		}
		const begun = Date.now()
		const share = () => (Date.now() - begun) / (Number(seconds) * 1000)
		let early: Held | undefined
		for (let step = 1; share() < 1; step++) {
			await act(soak, share() < killedFor)
			if (step % settleEvery > 0) continue
			await check()
			if (share() > killedFor) early ??= held(soak.service)
		}
		await check()
		const late = held(soak.service)
		t.log(
			`${Object.entries(soak.counts)
				.map(([what, count]) => `${count} × ${what}`)
				.join(', ')}`,
		)
		t.log(`${model.snapshots()} snapshots; ${JSON.stringify(early)} at half time, ${JSON.stringify(late)} at the end`)
		if (early) {
			t.true(late.files <= early.files + 4, 'files were left open')
			t.true(late.megabytes <= early.megabytes + 80, 'memory grew')
		}
		await soak.service.stop()
		const verified = await runCli(['verify', '-s', scene.haven, ...scene.node.flags], { stateDirectory: scene.state })
		t.is(verified.exitCode, 0, verified.stdout + verified.stderr)
	},
)

/** Does one thing that happens to a node, its service or its NAS. */
async function act(soak: Soak, mayEnd: boolean): Promise<void> {
	const { model, random, nas, service, scene, counts, journal } = soak
	const one = <T>(all: readonly T[]): T => all[Math.trunc(random() * all.length)] as T
	const some = () => (random() < 0.7 ? scene.node.folders : scene.node.folders.filter(() => random() < 0.5))
	const newTag = () => `tag-${Object.values(counts).reduce((sum, count) => sum + count, 0)}`
	const note = (what: string) => journal.push(`${new Date().toISOString()} ${what}`)
	const take = (tag: string, folders: string[]) => {
		model.take(tag, folders)
		note(`took ${tag} of ${folders.map((folder) => folder.slice(0, 5)).join(' ')}`)
	}
	const clear = (tag: string) => {
		model.clear(tag)
		note(`cleared ${tag}`)
	}
	const actions: Record<string, [weight: number, act: () => unknown]> = {
		snapshot: [6, () => take(newTag(), some())],
		'tag taken again': [3, () => model.tags().length > 0 && take(one(model.tags()), some())],
		clear: [4, () => model.tags().length > 0 && clear(one(model.tags()))],
		flush: [3, model.flush],
		compaction: [2, model.compact],
		fault: [2, () => faulty(nas, one(faults), 100 + random() * 700)],
		pause: [4, () => pause(random() * 1500)],
		stopped: [1, () => frozen(service, random() * 1000)],
		kill: [mayEnd ? 2 : 0, () => again(soak, 'SIGKILL', one(modes))],
		restart: [mayEnd ? 1 : 0, () => again(soak, 'SIGTERM', one(modes))],
	}
	const [what, chosen] =
		one(Object.entries(actions).flatMap((entry) => Array.from({ length: entry[1][0] }, () => entry))) ?? []
	note(String(what))
	await chosen?.[1]()
	if (what !== undefined) counts[what] = (counts[what] ?? 0) + 1
	while (model.tags().length > tagsMax) clear(one(model.tags()))
}

async function faulty(nas: Nas, lines: string[], ms: number): Promise<void> {
	nas.fault(...lines)
	await pause(ms)
	nas.fault()
}

async function frozen({ process }: RunningService, ms: number): Promise<void> {
	process.kill('SIGSTOP')
	await pause(ms)
	process.kill('SIGCONT')
}

async function again(soak: Soak, signal: 'SIGKILL' | 'SIGTERM', flags: string[]): Promise<void> {
	soak.service.process.kill(signal)
	await soak.service.process
	soak.service = soak.scene.start(flags)
}

/** Waits, with a NAS that works, until all is sealed and nothing is half done. */
async function settle({ nas, model, service, scene, journal }: Soak): Promise<void> {
	nas.fault()
	const partial = join(nas.backing, 'haven/.snaphaven/partial')
	const intents = () =>
		readdirSync(partial, { recursive: true, encoding: 'utf8' }).filter((path) =>
			/(group|live|removal)-\d+\.json$/.test(path),
		)
	const until = async (what: string, condition: () => boolean) => {
		try {
			await service.until(what, condition)
		} catch (error) {
			const wrong = [...model.wrong(), ...intents()]
			throw new Error(`not as it should be: ${wrong.join(', ')}\n${journal.slice(-60).join('\n')}\n${error}`)
		}
	}
	await until('all to be sealed', () => model.isSettled() && intents().length === 0)
	await service.until('an opened haven', () => readdirSync(join(scene.haven, '.snaphaven')).includes('lease.json'))
}

interface Held {
	files: number
	megabytes: number
}

/** What a process has of the system. */
function held({ process }: RunningService): Held {
	const status = readFileSync(`/proc/${process.pid}/status`, 'utf8')
	const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1])
	return { files: readdirSync(`/proc/${process.pid}/fd`).length, megabytes: Math.round(kilobytes / 1024) }
}
