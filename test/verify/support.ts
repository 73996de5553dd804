import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { parseComponent } from '../../src/cassandra/sstable.ts'
import { objectsOf } from '../mirror/support/scene.ts'
import { type CliOptions, type CliResult, runCli } from '../support/cli.ts'
import { type FixtureName, readExpected, unpackFixture } from '../support/fixtures.ts'
import { ownFolder } from '../support/folder.ts'

/** A real node’s haven, and the node’s data directories. */
export interface Sealed {
	haven: string
	state: string
	/** Flags that name the node’s data directories. */
	node: string[]
	dataDirectories: string[]
}

const made = new Map<string, Promise<{ root: string; sealed: Sealed }>>()

/** A haven of a recorded node, with its hard links, in a folder of the test's own. It is made once for each fixture. */
export async function sealedFixture(t: ExecutionContext, name: FixtureName): Promise<Sealed> {
	const first = made.get(name) ?? makeHaven(name)
	made.set(name, first)
	const { root, sealed } = await first
	const own = ownFolder(t)
	execFileSync('cp', ['-a', '--', `${root}/.`, own])
	const moved = (path: string) => own + path.slice(root.length)
	const dataDirectories = sealed.dataDirectories.map(moved)
	return {
		haven: moved(sealed.haven),
		state: moved(sealed.state),
		dataDirectories,
		node: dataDirectories.flatMap((path) => ['--data-dir', path]),
	}
}

async function makeHaven(name: FixtureName): Promise<{ root: string; sealed: Sealed }> {
	const root = await unpackFixture(name)
	process.once('exit', () => rmSync(root, { recursive: true, force: true }))
	const { dataDirectories: paths, keyspaces } = await readExpected(root)
	const dataDirectories = paths.map((path) => join(root, path))
	const node = dataDirectories.flatMap((path) => ['--data-dir', path])
	const [haven, state] = [join(root, 'haven'), join(root, 'state')]
	const result = await runCli(['sync', '--once', '-s', haven, ...node, ...keyspaces], { stateDirectory: state })
	if (result.exitCode !== 0) throw new Error(result.stderr)
	return { root, sealed: { haven, state, node, dataDirectories } }
}

/** Runs `snaphaven verify`. */
export function verify(
	{ haven, state }: Pick<Sealed, 'haven' | 'state'>,
	words: string[] = [],
	options: CliOptions = {},
): Promise<CliResult> {
	return runCli(['verify', '-s', haven, ...words], { stateDirectory: state, ...options })
}

/** What `verify --json` says is damaged: each path once, with its kind. */
export function damagesOf(result: CliResult): [path: string, kind: string][] {
	return objectsOf(result)
		.filter(({ type }) => type === 'damage')
		.flatMap(({ kind, paths }) => (paths as string[]).map((path): [string, string] => [path, String(kind)]))
		.sort()
}

/** All files of the mirror, relative to the haven, by their inode. */
export function filesByInode(haven: string): string[][] {
	const entries = readdirSync(join(haven, 'data'), { recursive: true, withFileTypes: true })
	const files = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
	const groups = Map.groupBy(files, (path) => statSync(path).ino)
	return [...groups.values()].map((paths) => paths.map((path) => path.slice(haven.length + 1)).sort())
}

/** Turns one bit of a file round, in place, as a rotten disk does: its size and time stay. */
export function flipBit(path: string, at = Math.floor(statSync(path).size / 2)): void {
	const { atime, mtime } = statSync(path)
	const byte = Buffer.alloc(1)
	const fd = openSync(path, 'r+')
	readSync(fd, byte, 0, 1, at)
	byte[0] = (byte[0] ?? 0) ^ 4
	writeSync(fd, byte, 0, 1, at)
	closeSync(fd)
	execFileSync('touch', ['-d', mtime.toISOString(), '--', path])
	void atime
}

/** What a component is, apart from which SSTable's or index's it is. */
export function kindOf(path: string): string {
	const component = parseComponent(path)?.component ?? basename(path)
	return component.startsWith('SAI+') ? (component.split('+').at(-1) ?? '') : component
}
