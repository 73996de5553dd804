import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import { nodeBinary } from '../support/cli.ts'
import { record } from './crash-points/recording.ts'
import { needless } from './crash-points/redundant.ts'
import { SCENARIOS } from './crash-points/scenarios.ts'
import type { TryOrder, TryReport } from './crash-points/try-states.ts'
import { memory } from './scene.ts'

/**
 * SNAPHAVEN_CRASH_POINTS: the share that is tried of the states in which two changes or more are treated apart from the
 * others; `all` of them. All others are tried then, and each flush is left out. SNAPHAVEN_SEED repeats a choice.
 */
const { SNAPHAVEN_CRASH_POINTS: wanted, SNAPHAVEN_SEED } = process.env
const isLong = wanted !== undefined
const shares = isLong
	? { whole: 1, alone: 1, more: wanted === 'all' ? 1 : Number(wanted) }
	: { whole: 0.08, alone: 0.02, more: 0.0002 }
const leaveOut = isLong ? { share: 1, most: 3000 } : { share: 0.05, most: 20 }
const seed = Number(SNAPHAVEN_SEED ?? Math.trunc(Math.random() * 1e6))
/** FOLDER#NUMBER of a state that a failed test named and left. */
const { SNAPHAVEN_CRASH_POINT: again } = process.env
const shownMax = 10

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
	const all = <T>(of: (report: TryReport) => T[]) => reports.flatMap(of)
	return { listed, chosen, tried, broken: all(({ broken }) => broken), leftOut: all((one) => one.leftOut) }
}

async function recordRun(t: ExecutionContext, scenario: string): Promise<string> {
	const folder = mkdtempSync(join(memory, 'snaphaven-kill-'))
	t.teardown(() => rmSync(folder, { recursive: true, force: true }))
	await record(scenario, folder)
	return folder
}

const promise = 'whatever a power cut keeps of what was not flushed, nothing is lost or untrue'

/** In the short form half of them, by the seed. */
const scenarios = Object.keys(SCENARIOS).filter((_, number) => isLong || number % 2 === seed % 2)

for (const scenario of again === undefined ? scenarios : []) {
	test(`${promise}: ${scenario}`, async (t) => {
		const folder = await recordRun(t, scenario)
		const order = { folder, seed, shares }
		const { listed, chosen, tried, broken, leftOut } = await tryAll({ ...order, leaveOut })
		const share = ((chosen / listed) * 100).toFixed(2)
		t.log(`seed ${seed}: ${listed} states listed, ${share} % of them looked at, ${tried} that differ tried`)
		t.deepEqual(await keepBroken(broken, order), [])
		t.true(tried > 3, 'hardly any state was tried')
		tellLeftOut(t, leftOut, scenario)
	})
}

if (again === undefined) {
	test('had nothing been flushed, a power cut would lose what was sealed; and a state is tried again by its number', async (t) => {
		const folder = await recordRun(t, 'yesterday’s haven')
		const order = { folder, seed, shares: { whole: 0, alone: 0, more: 0.0002 }, unflushed: true }
		const { tried, broken } = await tryAll(order)
		const isLost = (what: string) => /its receipt says|is not there/.test(what)
		const lost = broken.filter(({ wrong }) => wrong.some(isLost))
		const what = lost[0]?.wrong.find(isLost) ?? '-'
		t.log(`${tried} states, ${broken.length} of them broken, such as: ${what}`)
		t.true(lost.length > 0)
		const [told = ''] = await keepBroken(lost, order)
		const [, point = '', kept = ''] = /^SNAPHAVEN_CRASH_POINT=((.*)#\d+): /.exec(told) ?? []
		t.teardown(() => rmSync(kept, { recursive: true, force: true }))
		const ava = ['node_modules/.bin/ava', '--config', 'test/faults/ava.config.mjs', 'test/faults/crash-points.test.ts']
		const env = { SNAPHAVEN_CRASH_POINT: point, FORCE_COLOR: '0' }
		const { exitCode, stdout } = await execa(nodeBinary, ava, { env, reject: false })
		t.is(exitCode, 1, stdout)
		for (const said of [point, what]) t.true(stdout.includes(said), `${said}\n${stdout}`)
	})
} else {
	test(`${promise}: ${again}`, async (t) => {
		const [folder = '', number] = again.split('#')
		const order = JSON.parse(readFileSync(join(folder, 'order.json'), 'utf8'))
		const { broken } = await tryAll({ ...order, folder, only: [Number(number)] })
		t.deepEqual(broken, [])
	})
}

/** Only of a flush that each state was tried without can be told that it does nothing. */
function tellLeftOut(t: ExecutionContext, leftOut: TryReport['leftOut'], scenario: string): void {
	const noticed = leftOut.filter(({ wrong }) => wrong)
	t.log(`${leftOut.length} flushes left out, each alone: ${noticed.length} noticed`)
	if (!isLong) return
	t.deepEqual(needless(leftOut, scenario), [], 'these flushes are not needed, or the campaign misses what they are for')
}

/** What is wrong, with what brings each of these states back: the recording is kept where any is. */
async function keepBroken(broken: TryReport['broken'], order: Omit<TryOrder, 'part' | 'parts'>): Promise<string[]> {
	if (broken.length === 0) return []
	const kept = mkdtempSync(join(tmpdir(), 'snaphaven-crash-points-'))
	await cp(order.folder, kept, { recursive: true, preserveTimestamps: true })
	writeFileSync(join(kept, 'order.json'), JSON.stringify(order))
	const shown = broken.slice(0, shownMax)
	return shown.map(({ number, wrong }) => `SNAPHAVEN_CRASH_POINT=${kept}#${number}: ${wrong.join('; ')}`)
}
