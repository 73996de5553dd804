import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { execa } from 'execa'
import PQueue from 'p-queue'
import { type CliOptions, runCli, startCli } from '../../support/cli.ts'
import type { Tree } from '../../support/tree.ts'
import type { Disk } from '../disk.ts'
import { filesOf } from './episodes.ts'
import { judgeOf } from './judge.ts'
import { copyNode, emptyNode } from './node-copy.ts'
import { type Known, knownAfter, type Recording } from './recording.ts'
import { SCENARIOS } from './scenarios.ts'

/** After the end of a run: the disk's journal commits each second. */
const CUTS_AFTER_MS = [0, 600]

interface Cuts {
	/** How many of the cuts a new run has to make whole again; the others are read alone. */
	recoveries: number
	/** Pause between two cuts. */
	cutEveryMs: number
	/** How the command is run, not the recoveries. */
	run: CliOptions
}

/** Runs a recorded scenario's command on a disk, cuts the power at many instants of it, and judges what each cut left. */
export async function scenarioUnderPowerCuts(
	recording: Recording,
	disk: Disk,
	{ recoveries, cutEveryMs, run }: Cuts,
): Promise<{ cuts: number; broken: string[] }> {
	const { folder, node } = recording
	const scenario = SCENARIOS[recording.scenario]
	if (!scenario) throw new Error(`there is no scenario ${recording.scenario}`)
	await cp(join(folder, 'start'), join(disk.path, 'haven'), { recursive: true, preserveTimestamps: true })
	await execa('sync', ['-f', disk.path])
	const worked = scenario.takes ? copyNode(node, join(folder, 'cut-node'), new Set()) : node
	const command = (tree: Tree, haven: string) => scenario.command(tree, { haven, restored: '' })
	const cuts: { image: string; known: Known }[] = []
	const running = startCli(command(worked, join(disk.path, 'haven')), {
		...run,
		stateDirectory: join(folder, 'cut-state'),
	})
	let told = ''
	running.stdout.on('data', (chunk) => {
		told += chunk
	})
	const cut = async () => {
		const lines = told.slice(0, told.lastIndexOf('\n') + 1)
		const there = new Set(filesOf(worked))
		const gone = new Set(filesOf(node).filter((path) => !there.has(path)))
		const known = { ...knownAfter([{ did: 'tell', text: lines }], 1, recording), gone }
		cuts.push({ image: await disk.cut(`cut-${cuts.length}`), known })
	}
	let isOver = false
	const end = running.finally(() => {
		isOver = true
	})
	while (!isOver) {
		await cut()
		await pause(cutEveryMs)
	}
	for (const ms of CUTS_AFTER_MS) {
		await pause(ms)
		await cut()
	}
	const { exitCode, stderr } = await end
	if (exitCode !== recording.exitCode) throw new Error(`the command ended with ${exitCode}: ${stderr}`)
	const broken: string[] = []
	const queue = new PQueue({ concurrency: 2 })
	const stride = Math.max(1, Math.ceil(cuts.length / recoveries))
	const look = async ({ image, known }: (typeof cuts)[number], number: number) => {
		const judge = judgeOf(recording, known)
		const note = (found: string[]) => broken.push(...found.map((what) => `cut ${number}: ${what}`))
		await disk.withImage(image, async (path) => {
			const haven = join(path, 'haven')
			note(judge.cut(haven))
			if (number % stride !== 0) return
			const own = join(folder, `recovery-${number}`)
			await mkdir(own)
			const options = { stateDirectory: join(own, 'state') }
			const { flags, keyspace } = emptyNode(node, join(own, 'empty'))
			await runCli(['--once', '-s', haven, ...flags, keyspace], options)
			note(judge.recovered(haven))
			const left = scenario.takes ? copyNode(node, join(own, 'node'), known.gone) : node
			note(judge.finished(haven, await runCli(command(left, haven), options)))
		})
	}
	await Promise.all(cuts.map((one, number) => queue.add(() => look(one, number))))
	return { cuts: cuts.length, broken }
}
