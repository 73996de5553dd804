import { cp } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { nodeBinary } from '../support/cli.ts'
import { type Recorded, record } from './crash-points/recording.ts'
import type { TryOrder, TryReport } from './crash-points/try-states.ts'
import { makeScene } from './scene.ts'

/**
 * SNAPHAVEN_CRASH_POINTS: the share that is tried of the states in which two changes or more are treated apart from the
 * others; `all` of them. SNAPHAVEN_SEED repeats a choice.
 */
const { SNAPHAVEN_CRASH_POINTS: wanted, SNAPHAVEN_SEED } = process.env
const isAll = wanted === 'all'
const shares = wanted === undefined ? { alone: 0.25, more: 0.002 } : { alone: 1, more: isAll ? 1 : Number(wanted) }
const seed = Number(SNAPHAVEN_SEED ?? Math.trunc(Math.random() * 1e6))
/** FOLDER#NUMBER of a state that a failed test named and left. */
const { SNAPHAVEN_CRASH_POINT: again } = process.env
const shownMax = 10

const runs: { flags: string[]; recorded: Recorded }[] = [
	{ flags: [], recorded: { from: 'yesterday', engine: 'quick', flush: 'file system' } },
	{ flags: ['--move-snapshots'], recorded: { from: 'yesterday', engine: 'slow', flush: 'each' } },
	{ flags: [], recorded: { from: 'none', engine: 'quick', flush: 'each' } },
]

async function tryAll(order: Omit<TryOrder, 'part' | 'parts'>): Promise<TryReport> {
	const parts = availableParallelism()
	const tryStates = join(import.meta.dirname, 'crash-points/try-states.ts')
	const reports = await Promise.all(
		Array.from({ length: parts }, async (_, part): Promise<TryReport> => {
			const words = [tryStates, JSON.stringify({ ...order, part, parts } satisfies TryOrder)]
			const { stdout } = await execa(nodeBinary, words)
			return JSON.parse(stdout)
		}),
	)
	const [{ listed, chosen } = { listed: 0, chosen: 0 }] = reports
	const tried = reports.reduce((sum, one) => sum + one.tried, 0)
	return { listed, chosen, tried, broken: reports.flatMap((one) => one.broken) }
}

async function recordRun(t: ExecutionContext, { flags, recorded }: (typeof runs)[number]): Promise<string> {
	const scene = await makeScene(t, { tables: 1, sstables: 1, dataBytes: 100 }, flags)
	return (await record(scene, 'recording', recorded)).folder
}

const promise = 'whatever a power cut keeps of what was not flushed, nothing is lost or untrue'

for (const run of again === undefined ? runs : []) {
	const { from, engine, flush } = run.recorded
	const haven = from === 'none' ? 'a new haven' : 'yesterday’s haven'
	test(`${promise}: ${[...run.flags, haven, engine, `flushed by ${flush}`].join(', ')}`, async (t) => {
		const folder = await recordRun(t, run)
		const report = await tryAll({ folder, seed, shares })
		const { listed, chosen, tried } = report
		const share = ((chosen / listed) * 100).toFixed(1)
		t.log(`seed ${seed}: ${listed} states listed, ${share} % of them looked at, ${tried} that differ tried`)
		t.deepEqual(await keepBroken(report, folder), [])
		t.true(tried > 100, 'hardly any state was tried')
	})
}

if (again === undefined) {
	test('had nothing been flushed, a power cut would lose what was sealed', async (t) => {
		const [run] = runs
		if (!run) throw new Error('nothing to record')
		const order = { folder: await recordRun(t, run), seed, shares: { alone: 0, more: 0.0003 }, unflushed: true }
		const { tried, broken } = await tryAll(order)
		t.log(`${tried} states, ${broken.length} of them broken, such as: ${broken[0]?.wrong[0]}`)
		t.true(broken.some(({ wrong }) => wrong.some((what) => /its receipt says|is not there/.test(what))))
	})
} else {
	test(`${promise}: ${again}`, async (t) => {
		const [folder = '', number] = again.split('#')
		const { broken } = await tryAll({ folder, seed: Number(folder.split('-').at(-1)), shares, only: [Number(number)] })
		t.deepEqual(broken, [])
	})
}

/** What is wrong, with what brings each of these states back: the recording is kept where any is. */
async function keepBroken({ broken }: TryReport, folder: string): Promise<string[]> {
	if (broken.length === 0) return []
	const kept = join(tmpdir(), `snaphaven-crash-points-${process.pid}-${seed}`)
	await cp(folder, kept, { recursive: true, preserveTimestamps: true })
	const shown = broken.slice(0, shownMax)
	return shown.map(({ number, wrong }) => `SNAPHAVEN_CRASH_POINT=${kept}#${number}: ${wrong.join('; ')}`)
}
