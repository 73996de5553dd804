import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { testWhere } from '../support/not-run.ts'
import { clearSnapshot, flushTables, makeTree, type Tree, takeSnapshot } from '../support/tree.ts'
import { scenarioUnderPowerCuts } from './crash-points/power-cuts.ts'
import { record } from './crash-points/recording.ts'
import { type Cuttable, type Disk, diskMissing, makeDisk } from './disk.ts'
import { sample } from './failing.ts'
import { type CutReport, passUnderPowerCuts } from './power-cuts.ts'
import { memory } from './scene.ts'
import { slowly, straceMissing, withoutFlushes } from './strace.ts'

/** Recoveries in all; SNAPHAVEN_POWER_CUTS sets another number, and has the power cut more often. */
const { SNAPHAVEN_POWER_CUTS } = process.env
const recoveries = Number(SNAPHAVEN_POWER_CUTS ?? 20)
const cutEveryMs = SNAPHAVEN_POWER_CUTS === undefined ? 60 : 8
/** How many of a pass's cuts are looked at. */
const looks = SNAPHAVEN_POWER_CUTS === undefined ? 12 : Number.POSITIVE_INFINITY
const diskMB = 512
/** Of a failed test's broken promises, how many are shown. */
const brokenShownMax = 20

const missing = diskMissing() ?? straceMissing()

async function prepare(t: ExecutionContext, type: Cuttable = 'ext4'): Promise<{ disk: Disk; tree: Tree }> {
	const own = await mkdtemp(join(tmpdir(), 'snaphaven-power-'))
	t.teardown(() => rm(own, { recursive: true, force: true }))
	const disk = await makeDisk(diskMB, type)
	t.teardown(disk.remove)
	return { disk, tree: makeTree(join(own, 'node'), { tables: 24, sstables: 3, dataBytes: 128 * 1024 }) }
}

function passes(t: ExecutionContext, name: string, report: CutReport): void {
	t.log(`${name}: ${report.cuts} cuts, ${report.midway} of them midway, ${report.recovered} recovered`)
	t.deepEqual(report.broken.slice(0, brokenShownMax), [])
	t.true(report.midway > 0, 'no cut fell into the work')
}

for (const namesFirst of [false, true]) {
	const title = namesFirst ? ', also when the system writes names before contents' : ''
	testWhere(
		missing,
		`a power cut at any instant leaves every seal whole, and every removal done or undone${title}`,
		async (t) => {
			const { disk, tree } = await prepare(t)
			const run = { wrapper: slowly }
			const pass = async (name: string, ...flags: string[]) => {
				const share = Math.ceil(recoveries / 10)
				const cuts = { name, flags, recoveries: share, cutEveryMs, looks, namesFirst, run }
				passes(t, name, await passUnderPowerCuts({ disk, tree, ...cuts }))
			}
			takeSnapshot(tree, 'monday')
			await pass('new')

			flushTables(tree)
			takeSnapshot(tree, 'tuesday')
			await pass('reuse')

			clearSnapshot(tree, 'monday')
			flushTables(tree)
			takeSnapshot(tree, 'monday')
			await pass('replace')

			clearSnapshot(tree, 'tuesday')
			await pass('remove', '--mirror-deletes', '--mirror-deletes-after', '0')

			flushTables(tree)
			takeSnapshot(tree, 'wednesday')
			await pass('move', '--move-snapshots')
		},
	)
}

for (const type of ['xfs', 'btrfs'] as const) {
	const lacking = diskMissing(type) ?? straceMissing()
	testWhere(lacking, `a power cut at any instant leaves every seal whole on ${type}`, async (t) => {
		const { disk, tree } = await prepare(t, type)
		const pass = async (name: string, ...flags: string[]) => {
			const cuts = { name, flags, recoveries: Math.ceil(recoveries / 10), cutEveryMs, looks: 2 * looks }
			passes(t, name, await passUnderPowerCuts({ disk, tree, ...cuts, run: { wrapper: slowly } }))
		}
		takeSnapshot(tree, 'monday')
		await passUnderPowerCuts({ disk, tree, name: 'before', recoveries: 0, cutEveryMs: 1000, looks: 0 })
		clearSnapshot(tree, 'monday')
		flushTables(tree)
		for (const tag of ['monday', 'tuesday']) takeSnapshot(tree, tag)
		await pass('new, replace, move', '--move-snapshots')
	})
}

const others = ['live SSTables', 'incremental backups, pruned on the node, on a NAS', 'prune']

// In the short form one of them.
for (const scenario of SNAPHAVEN_POWER_CUTS === undefined ? sample(others, 1) : others) {
	testWhere(
		missing,
		`a power cut at any instant leaves nothing untrue, and the next run finishes: ${scenario}`,
		async (t) => {
			const own = await mkdtemp(join(memory, 'snaphaven-kill-'))
			t.teardown(() => rm(own, { recursive: true, force: true }))
			const disk = await makeDisk(64)
			t.teardown(disk.remove)
			const recording = await record(scenario, own)
			const cuts = { recoveries: Math.ceil(recoveries / 10), cutEveryMs, run: { wrapper: slowly } }
			const report = await scenarioUnderPowerCuts(recording, disk, cuts)
			t.log(`${report.cuts} cuts`)
			t.deepEqual(report.broken.slice(0, brokenShownMax), [])
		},
	)
}

testWhere(missing, 'without flushes, a power cut leaves receipts without their bytes', async (t) => {
	const { disk, tree } = await prepare(t)
	takeSnapshot(tree, 'monday')
	const run = { wrapper: withoutFlushes }
	const cuts = { name: 'unflushed', recoveries: 0, cutEveryMs, looks, namesFirst: true, run }
	const report = await passUnderPowerCuts({ disk, tree, ...cuts })
	t.log(`${report.cuts} cuts, ${report.broken.length} broken promises, such as: ${report.broken[0]}`)
	t.true(report.broken.some((what) => /its receipt says|is not there/.test(what)))
})
