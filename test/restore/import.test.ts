import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { graceOf } from '../../src/restore/age-warnings.ts'
import { killedBefore } from '../faults/killed-before.ts'
import { type CliResult, runCli } from '../support/cli.ts'
import { ownFolder } from '../support/folder.ts'
import { type Behaviour, makeNodetool } from './support/nodetool.ts'
import { ended, filesIn, inHaven, leftNothing, type Mirrored, mirrorFixture, onNode, restore } from './support/scene.ts'

let recorded: Mirrored

test.before('a recorded node is mirrored', async () => {
	recorded = await mirrorFixture('cassandra-5.0-bti')
})

test.after.always(() => {
	if (recorded !== undefined) rmSync(recorded.own, { recursive: true, force: true })
})

interface Scene extends Mirrored {
	/** `restore --import -t tuesday`, by a nodetool that behaves so. */
	load: (behaviour: Behaviour, ...args: string[]) => Promise<CliResult>
}

/** A node of the test's own: shop.carts and shop.visits have lost their SSTables. */
function robbed(t: ExecutionContext): Scene {
	const own = ownFolder(t)
	execFileSync('cp', ['-a', `${recorded.own}/.`, own])
	const dataDirectories = recorded.dataDirectories.map((path) => path.replace(recorded.own, own))
	const haven = join(own, 'haven')
	for (const file of ['carts', 'visits'].flatMap((name) => liveFiles({ dataDirectories }, name))) rmSync(file)
	const data = dataDirectories.flatMap((path) => ['--data-dir', path])
	const load: Scene['load'] = (behaviour, ...args) => {
		const nodetool = makeNodetool(own, dataDirectories, behaviour)
		return restore(haven, ['--import', '-t', 'tuesday', '--nodetool', nodetool, ...data, ...args])
	}
	return { own, haven, dataDirectories, state: join(own, 'state'), load }
}

/** The files of a table's live SSTables. */
function liveFiles({ dataDirectories }: Pick<Mirrored, 'dataDirectories'>, name: string): string[] {
	const folders = dataDirectories.flatMap((directory) =>
		readdirSync(join(directory, 'shop')).map((folder) => join(directory, 'shop', folder)),
	)
	return folders
		.filter((folder) => folder.split('/').at(-1)?.startsWith(`${name}-`))
		.flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
		.filter((file) => statSync(file).isFile() && /-bti-/.test(file))
}

const sizesOf = (files: string[]) => files.map((file) => statSync(file).size).sort((a, b) => a - b)

test.serial(
	'what the tables lack is moved in by the node, from a stage in the data directory, and nothing else',
	async (t) => {
		const scene = robbed(t)
		const result = await scene.load('good', 'shop')
		ended(t, result, 0)
		t.regex(result.stdout, /^restored shop\.carts tuesday/m)
		t.regex(result.stdout, /^there already shop\.empty tuesday/m)
		for (const name of ['carts', 'visits']) {
			const expected = [...onNode(scene, 'shop', new RegExp(`^${name}-`), 'tuesday').values()]
			t.deepEqual(sizesOf(liveFiles(scene, name)), sizesOf(expected.filter((path) => /-bti-/.test(path))))
		}
		leftNothing(t, scene)
		const again = await scene.load('good', 'shop')
		ended(t, again, 0)
		t.is(again.stdout.match(/^there already shop\./gm)?.length, 7)
		t.notRegex(again.stdout, /^restored shop\./m)
	},
)

test.serial('a dry run stages nothing', async (t) => {
	const scene = robbed(t)
	const result = await scene.load('good', '--dry-run', 'shop.carts')
	ended(t, result, 0)
	t.regex(result.stdout, /^would restore shop\.carts tuesday/m)
	t.deepEqual(liveFiles(scene, 'carts'), [])
	leftNothing(t, scene)
})

test.serial(
	'before 4.0, killed while SSTables are put into a live folder, the next run ends that, and refreshes',
	async (t) => {
		for (let call = 3; ; call += 17) {
			const scene = robbed(t)
			const args = ['--import', '-t', 'tuesday', '--nodetool', makeNodetool(scene.own, scene.dataDirectories, 'old')]
			const data = scene.dataDirectories.flatMap((path) => ['--data-dir', path])
			const env = killedBefore(scene.own, 'link', call)
			const words = ['restore', '-s', scene.haven, ...args, ...data, 'shop.visits']
			const { signal } = await runCli(words, { stateDirectory: scene.state, env })
			const again = await runCli(words, { stateDirectory: scene.state })
			ended(t, again, 0)
			const files = liveFiles(scene, 'visits')
			const expected = [...onNode(scene, 'shop', /^visits-/, 'tuesday').values()].filter((path) => /-bti-/.test(path))
			t.deepEqual(sizesOf(files), sizesOf(expected), `killed at ${call}`)
			t.deepEqual(
				files.filter((file) => /-\d{7}-/.test(file)),
				[],
			)
			leftNothing(t, scene)
			if (signal === undefined) {
				t.true(call > 30)
				return
			}
		}
	},
)

test.serial(
	'what an interrupted run has gathered in another data directory is gone on with, and nothing of it stays',
	async (t) => {
		const scene = robbed(t)
		const left = join(scene.dataDirectories.at(-1) ?? '', '.snaphaven-restore/shop')
		mkdirSync(left, { recursive: true })
		ended(t, await scene.load('good', 'shop.visits'), 0)
		leftNothing(t, scene)
	},
)

const UNPROVEN: [Behaviour, RegExp][] = [
	['nothing', /^refused: shop\.visits: the node took 0 of 6 SSTables$/m],
	['part', /^refused: shop\.visits: the node took 5 of 6 SSTables$/m],
	['elsewhere', /^refused: shop\.visits: .*none is in the table’s folders: is it another node’s nodetool/m],
	['fails', /^refused: shop\.visits: the node took 0 of 6 SSTables; nodetool said: .*out of luck/m],
]

for (const [behaviour, told] of UNPROVEN) {
	test.serial(`an import is not believed for nodetool’s exit code: one that takes ${behaviour}`, async (t) => {
		const scene = robbed(t)
		const result = await scene.load(behaviour, 'shop.visits')
		ended(t, result, 1)
		t.regex(result.stderr, told)
		t.notRegex(result.stdout, /^restored shop\.visits/m)
		leftNothing(t, scene)
		ended(t, await scene.load('good', 'shop.visits'), 0)
		t.is(liveFiles(scene, 'visits').filter((file) => file.endsWith('-Data.db')).length, 6)
	})
}

test.serial(
	'a table that the node lacks is refused with its schema, and made by cqlsh where that is asked',
	async (t) => {
		const scene = robbed(t)
		const folders = scene.dataDirectories.flatMap((directory) =>
			readdirSync(join(directory, 'shop'))
				.filter((name) => name.startsWith('carts-'))
				.map((name) => join(directory, 'shop', name)),
		)
		for (const folder of folders) rmSync(folder, { recursive: true })
		const result = await scene.load('good', 'shop.carts', 'shop.visits')
		ended(t, result, 1)
		t.regex(result.stderr, /^refused: shop\.carts: the node has no such table/m)
		t.regex(result.stdout, /^ {2}CREATE TABLE IF NOT EXISTS shop\.carts \($/m)
		t.regex(result.stdout, /^restored shop\.visits/m)
		const cqlsh = join(scene.own, 'cqlsh')
		writeFileSync(cqlsh, `#!/bin/sh\ngrep -q 'TABLE IF NOT EXISTS shop.carts' "$2" && mkdir -p '${folders[0]}'\n`)
		chmodSync(cqlsh, 0o755)
		ended(t, await scene.load('good', '--create-schema', '--cqlsh', cqlsh, 'shop.carts'), 0)
		t.true(liveFiles(scene, 'carts').length > 0)
	},
)

test.serial('what is damaged in the haven is never staged for the node', async (t) => {
	const scene = robbed(t)
	const folder = inHaven(scene.haven, 'shop', /^carts-/, 'tuesday')
	const [data = ''] = filesIn(folder).filter((path) => path.endsWith('-Data.db'))
	rmSync(join(folder, data))
	const result = await scene.load('good', 'shop.carts', 'shop.visits')
	ended(t, result, 3)
	t.deepEqual(liveFiles(scene, 'carts'), [])
	t.true(liveFiles(scene, 'visits').length > 0)
	leftNothing(t, scene)
})

test.serial(
	'what is not the very SSTable is brought: one of the same size that was written at another time',
	async (t) => {
		const scene = robbed(t)
		ended(t, await scene.load('good', 'shop.readings'), 0)
		t.regex((await scene.load('good', 'shop.readings')).stdout, /^there already shop\.readings/m)
		const expected = new Set(sizesOf([...onNode(scene, 'shop', /^readings-/, 'tuesday').values()]))
		const [data = ''] = liveFiles(scene, 'readings').filter(
			(file) => file.endsWith('-Data.db') && expected.has(statSync(file).size),
		)
		utimesSync(data, 1, 1)
		const result = await scene.load('good', 'shop.readings')
		ended(t, result, 0)
		t.regex(result.stdout, /^restored shop\.readings/m)
	},
)

test.serial('flags of one way are refused in the other', async (t) => {
	const { haven } = recorded
	for (const args of [
		['--import', '--to', '/x'],
		['--import', '--link'],
		['--to', '/x', '--nodetool', 'y'],
		['--to', '/x', '--create-schema'],
		['--to', '/x', '--count-rows'],
		['--import', '--count-rows'],
	]) {
		t.is((await restore(haven, ['-t', 'tuesday', ...args])).exitCode, 2)
	}
	t.false(existsSync('/x'))
})

test('gc_grace_seconds is found in a schema.cql', (t) => {
	t.is(graceOf('CREATE TABLE a.b () WITH comment = 1\n    AND gc_grace_seconds = 864000\n'), 864_000)
	t.is(graceOf('CREATE TABLE a.b (gc_grace_second int)'), undefined)
})
