import { existsSync, globSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
	makeServiceScene,
	type RunningService,
	SERVICE_TIMEOUT_MS,
	type ServiceScene,
} from '../service/support/service.ts'
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

/** Tags of each table that a pruning keeps: fewer than there may be on the node. */
const tagsKept = 3

interface Soak {
	scene: ServiceScene
	start: (flags?: string[]) => RunningService
	nas: Nas
	model: Model
	service: RunningService
	random: () => number
	counts: Record<string, number>
	/** What was done, the last things. */
	journal: string[]
	/** What no kill may leave, and one has left. */
	broken: string[]
}

testWhere(
	nasfsMissing(),
	'snapshots, clears, re-used tags, compactions, prunings, restarts, kills and faults, in any order, lose nothing',
	async (t) => {
		t.timeout((Number(seconds) + 900) * 1000)
		const nas = await mountNas({ latencyMs: 0 })
		t.teardown(nas.unmount)
		const tree = { tables: 4, sstables: 1, dataBytes: 2000, dataDirectories: 2 }
		const scene = makeServiceScene(t, { ...tree, haven: join(nas.path, 'haven') })
		await runCli(['sync', '--once', '-s', scene.haven, ...scene.node.flags, 'ks'], { stateDirectory: scene.state })
		// Read where the NAS keeps it, past all faults.
		const model = await makeModel(scene.node, join(scene.own, 'kept'), join(nas.backing, 'haven'))
		const preload = `--import=${join(import.meta.dirname, 'soak/tell-memory.mjs')}`
		const env = { NODE_OPTIONS: preload, SNAPHAVEN_TEST_MEMORY: memoryFile(scene) }
		const timeoutMs = Number(seconds) * 1000 + SERVICE_TIMEOUT_MS
		const start = (flags?: string[]) => scene.start(flags, { env, timeoutMs })
		const known = { counts: {}, journal: [], broken: [] }
		const soak: Soak = { scene, start, nas, model, service: start(), random: chanceOf(seed, 0), ...known }
		t.log(`seed ${seed}`)
		const check = async () => {
			await settle(soak)
			t.deepEqual([...soak.broken, ...model.wrong()].slice(0, 10), [], soak.service.log())
		}
		const begun = Date.now()
		const share = () => (Date.now() - begun) / (Number(seconds) * 1000)
		let early: Held | undefined
		for (let step = 1; share() < 1; step++) {
			await act(soak, share() < killedFor)
			if (step % settleEvery > 0) continue
			await check()
			if (share() > killedFor) early ??= await held(soak)
		}
		await check()
		const late = await held(soak)
		t.log(
			`${Object.entries(soak.counts)
				.map(([what, count]) => `${count} × ${what}`)
				.join(', ')}`,
		)
		t.log(`${model.snapshots()} snapshots; ${JSON.stringify(early)} at half time, ${JSON.stringify(late)} at the end`)
		if (early) {
			t.true(late.files <= early.files + 4, 'files were left open')
			t.true(late.heap <= early.heap + 6, 'memory grew')
			// What threads and the allocator keep comes and goes by tens of MB.
			t.true(late.resident <= early.resident + 80, 'memory grew outside of the heap')
		}
		await soak.service.stop()
		const verified = await runCli(['verify', '-s', scene.haven, ...scene.node.flags], { stateDirectory: scene.state })
		t.is(verified.exitCode, 0, verified.stdout + verified.stderr)
	},
)

/** Does one thing that happens to a node, its service or its NAS. */
async function act(soak: Soak, mayEnd: boolean): Promise<void> {
	const { model, random, nas, scene, counts, journal } = soak
	const one = <T>(all: readonly T[]): T => all[Math.trunc(random() * all.length)] as T
	const some = () => (random() < 0.7 ? scene.node.folders : scene.node.folders.filter(() => random() < 0.5))
	const newTag = () => `tag-${journal.length}`
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
		prune: [2, () => prune(soak)],
		pause: [4, () => pause(random() * 1500)],
		stopped: [4, () => frozen(soak, random() * 1500, random() * 500)],
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

/** Paused in the middle of what it does, the haven has to be as a kill may leave it. */
async function frozen({ service, model, broken }: Soak, afterMs: number, ms: number): Promise<void> {
	await pause(afterMs)
	service.process.kill('SIGSTOP')
	await pause(ms)
	broken.push(...model.brokenNow())
	service.process.kill('SIGCONT')
}

async function again(soak: Soak, signal: 'SIGKILL' | 'SIGTERM', flags: string[]): Promise<void> {
	soak.service.process.kill(signal)
	await soak.service.process
	soak.broken.push(...soak.model.brokenNow())
	soak.service = soak.start(flags)
}

/** By the command, and so by the service: what went of what is on the node is not to come back. */
async function prune(soak: Soak): Promise<void> {
	const { scene, model, service } = soak
	await settle(soak)
	await service.ready()
	const words = ['prune', '-s', scene.haven, ...scene.node.flags, '--keep-last', String(tagsKept), '--json']
	const run = () => runCli(words, { stateDirectory: scene.state })
	let ran = await run()
	// A service that a fault met just before takes up its haven again after a second.
	for (let tries = 0; tries < 30 && ran.stderr.includes('has no haven to work in now'); tries++) {
		await pause(1000)
		ran = await run()
	}
	const { exitCode, stdout, stderr } = ran
	if (exitCode !== 0) throw new Error(`prune: ${stderr}\n${service.log()}`)
	const removed = stdout.split('\n').flatMap((line) => {
		const { type, keyspace, table, tag } = JSON.parse(line || '{}')
		return type === 'removed' ? [`${keyspace}/${table}/${tag}`] : []
	})
	model.prune(removed)
	soak.counts['snapshot that was pruned'] = (soak.counts['snapshot that was pruned'] ?? 0) + removed.length
}

/** Waits, with a NAS that works, until all is sealed and nothing is half done. */
async function settle({ nas, model, service, scene, journal }: Soak): Promise<void> {
	nas.fault()
	const partial = join(nas.backing, 'haven/.snaphaven/partial')
	const intents = () => globSync('*/{group,live,removal}-*.json', { cwd: partial })
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

/** What a process has of the system; memory in MB. */
interface Held {
	files: number
	/** JavaScript's own, of the main thread, after its garbage was collected. */
	heap: number
	resident: number
}

async function held({ scene, service }: Soak): Promise<Held> {
	const { pid } = service.process
	const file = memoryFile(scene)
	rmSync(file, { force: true })
	service.process.kill('SIGUSR2')
	await service.until('word of its memory', () => existsSync(file))
	const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
	return {
		files: readdirSync(`/proc/${pid}/fd`).length,
		heap: Number((Number(readFileSync(file, 'utf8')) / 2 ** 20).toFixed(1)),
		resident: Math.round(kilobytes / 1024),
	}
}

function memoryFile({ own }: ServiceScene): string {
	return join(own, 'memory')
}
