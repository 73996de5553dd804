import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { assertNoTrace } from '../../mirror/support/scene.ts'
import { type CliOptions, type CliResult, runCli } from '../../support/cli.ts'
import { type FixtureName, unpackFixture } from '../../support/fixtures.ts'
import { ownFolder } from '../../support/folder.ts'

/** A recorded node, mirrored whole. */
export interface Mirrored {
	/** The folder with all of it, the caller's to remove. */
	own: string
	dataDirectories: string[]
	haven: string
	state: string
}

/** Mirrors the keyspaces that users made on a recorded node. */
export async function mirrorFixture(name: FixtureName): Promise<Mirrored> {
	const own = await unpackFixture(name)
	const dataDirectories = JSON.parse(readFileSync(join(own, 'expected.json'), 'utf8')).dataDirectories.map(
		(path: string) => join(own, path),
	)
	const [haven, state] = [join(own, 'haven'), join(own, 'state')]
	const data = dataDirectories.flatMap((path: string) => ['--data-dir', path])
	const result = await runCli(['--once', '-s', haven, ...data, '--all-keyspaces'], { stateDirectory: state })
	if (result.exitCode !== 0) throw new Error(result.stderr)
	return { own, dataDirectories, haven, state }
}

/** Runs `snaphaven restore -s HAVEN ARGS`. */
export function restore(haven: string, args: string[], options: CliOptions = {}): Promise<CliResult> {
	return runCli(['restore', '-s', haven, ...args], options)
}

/** A haven of the test's own, to be damaged, its links between snapshots kept; and a folder to restore to. */
export function copyOf(t: ExecutionContext, { haven }: Mirrored): { haven: string; to: string } {
	const own = ownFolder(t)
	cpSync(haven, join(own, 'haven'), { recursive: true, preserveTimestamps: true })
	return { haven: join(own, 'haven'), to: join(own, 'to') }
}

/** The files of one table's snapshot on the node, over all data directories: path → bytes. */
export function onNode({ dataDirectories }: Mirrored, keyspace: string, table: RegExp, tag: string) {
	const files = new Map<string, string>()
	// What is spread over them need not have come to each yet.
	for (const directory of dataDirectories.filter((path) => existsSync(join(path, keyspace)))) {
		for (const folder of readdirSync(join(directory, keyspace)).filter((name) => table.test(name))) {
			const place = join(directory, keyspace, folder, 'snapshots', tag)
			for (const path of filesIn(place)) files.set(path, join(place, path))
		}
	}
	return files
}

/** Paths of all files below a folder, sorted. */
export function filesIn(folder: string): string[] {
	if (!existsSync(folder)) return []
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => !entry.isDirectory())
		.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
		.sort()
}

/** The folder of a snapshot in the haven. */
export function inHaven(haven: string, keyspace: string, table: RegExp, tag: string): string {
	const folder = readdirSync(join(haven, 'data', keyspace)).find(
		(name) => table.test(name) && existsSync(join(haven, 'data', keyspace, name, 'snapshots', tag)),
	)
	return join(haven, 'data', keyspace, folder ?? '', 'snapshots', tag)
}

/** Has the command get a signal at the n-th call of a function of node:fs on such a path: the environment for that. */
export function signalAt(
	folder: string,
	{ call, path, nth, signal }: { call: string; path: string; nth: number; signal: string },
): Record<string, string> {
	const file = join(folder, 'signal-at.mjs')
	writeFileSync(
		file,
		`const fs = process.getBuiltinModule('node:fs')
		let left = ${nth}
		const original = fs.${call}
		fs.${call} = (...args) => {
			if (String(args[0]).includes(${JSON.stringify(path)}) && --left === 0) process.kill(process.pid, '${signal}')
			return original(...args)
		}`,
	)
	return { NODE_OPTIONS: `--import=${file}` }
}

/** It ended so, and said nothing that only a programmer could read. */
export function ended(t: ExecutionContext, result: CliResult, exitCode: number): void {
	t.is(result.exitCode, exitCode, result.stderr + result.stdout)
	assertNoTrace(t, result)
}

/** Nothing of ours is left in a data directory. */
export function leftNothing(t: ExecutionContext, { dataDirectories }: Pick<Mirrored, 'dataDirectories'>): void {
	for (const directory of dataDirectories)
		t.deepEqual(
			readdirSync(directory).filter((name) => !/^\w+$/.test(name)),
			[],
		)
}
