import { globSync } from 'node:fs'
import { cp, mkdir, rm } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { type CliOptions, type CliResult, runCli } from '../../support/cli.ts'
import type { Tree } from '../../support/tree.ts'
import { judgeOf } from './judge.ts'
import { copyNode } from './node-copy.ts'
import { knownAfter, type Recording } from './recording.ts'
import { SCENARIOS } from './scenarios.ts'

/** A recorded run's beginning, to run the command over and to disturb it. */
export interface Episode {
	recording: Recording
	folder: string
	node: Tree
	disk: string
	/** Runs the command. */
	run: (options?: CliOptions) => Promise<CliResult>
}

/** Copies what a recorded run began with. */
export async function beginEpisode(recording: Recording, name: string): Promise<Episode> {
	const scenario = SCENARIOS[recording.scenario]
	if (!scenario) throw new Error(`there is no scenario ${recording.scenario}`)
	const folder = join(recording.folder, name)
	const disk = join(folder, scenario.disk)
	await mkdir(folder)
	await cp(join(recording.folder, 'start'), disk, { recursive: true, preserveTimestamps: true })
	const node = scenario.takes ? copyNode(recording.node, join(folder, 'node'), new Set()) : recording.node
	const haven = scenario.disk === 'haven' ? disk : join(recording.folder, 'haven')
	const args = scenario.command(node, { haven, restored: join(folder, 'restored') })
	const run: Episode['run'] = ({ env, ...options } = {}) =>
		runCli(args, { stateDirectory: join(folder, 'state'), ...options, env: { ...scenario.env, ...env } })
	return { recording, folder, node, disk, run }
}

/** What is wrong with what a disturbed run left, and after the command has come to its end over it; the episode goes. */
export async function endEpisode(
	{ recording, folder, node, disk, run }: Episode,
	disturbed: CliResult,
): Promise<string[]> {
	const gone = new Set(filesOf(recording.node).filter((path) => !filesOf(node).includes(path)))
	const known = { ...knownAfter([{ did: 'tell', text: disturbed.stdout }], 1, recording), gone }
	const judge = judgeOf(recording, known)
	const left = judge.cut(disk)
	const wrong = [...left, ...judge.finished(disk, await run())]
	await rm(folder, { recursive: true })
	return wrong
}

/** The files of a node, below its root. */
export function filesOf({ root }: Tree): string[] {
	return globSync('**/*', { cwd: root, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => relative(root, join(entry.parentPath, entry.name)))
}
