import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { takeLease } from '../../src/haven/lease.ts'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import { changesBetween, fingerprint, makeScene, mirrored, type Scene } from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { takeSnapshot } from '../support/tree.ts'
import { flipBit } from '../verify/support.ts'

/** A haven that has two tags of this node, and says that it is another node's. */
async function othersHaven(t: ExecutionContext): Promise<Scene> {
	const scene = makeScene(t)
	for (const tag of ['first', 'second']) takeSnapshot(scene.node, tag)
	await scene.syncWell()
	const file = join(scene.haven, '.snaphaven/haven.json')
	const { checksum: _, ...record } = JSON.parse(readFileSync(file, 'utf8'))
	writeFileSync(file, withChecksum(JSON.stringify({ ...record, owner: { machine: 'other', host: 'node7' } })))
	return scene
}

const REFUSED = /the haven \S+ belongs to another node, node7\n\s+Give each node a haven of its own .*--take-over/

test('a haven of another node is refused by that node’s name, and taken over when asked', async (t) => {
	const scene = await othersHaven(t)
	const before = fingerprint(scene.own)
	const result = await scene.sync()
	t.is(result.exitCode, 2)
	t.regex(result.stderr, REFUSED)
	t.deepEqual(changesBetween(before, fingerprint(scene.own)), [])
	t.regex((await scene.syncWell(['--take-over'])).stdout, /2 snapshots already safe/)
	await scene.syncWell()
})

test('--take-over of a haven that is being written is refused, and changes nothing', async (t) => {
	const scene = await othersHaven(t)
	const { signal } = new AbortController()
	const lease = await takeLease({ base: scene.haven, haven: scene.haven, onWait: () => {}, signal })
	const file = join(scene.haven, '.snaphaven/haven.json')
	const before = readFileSync(file, 'utf8')
	const result = await scene.sync(['--take-over'])
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /is being written by process/)
	t.is(readFileSync(file, 'utf8'), before)
	await lease.release()
	await scene.syncWell(['--take-over'])
	t.not(readFileSync(file, 'utf8'), before)
})

const CHANGING: [words: string[], exitCode: number][] = [
	[['prune', '--keep-last', '1'], 2],
	[['adopt'], 2],
	// What it has read is damaged, whether it may put that right or not.
	[['verify', '--repair'], 3],
]

for (const [[command = '', ...flags], exitCode] of CHANGING) {
	test(`${[command, ...flags].join(' ')} in another node’s haven is refused by that node’s name, and changes nothing`, async (t) => {
		const scene = await othersHaven(t)
		cpSync(mirrored(scene, 'first'), mirrored(scene, 'unknown'), { recursive: true, preserveTimestamps: true })
		flipBit(join(mirrored(scene, 'first'), 'manifest.json'))
		// verify notes there what it found good, whoever's it is.
		const dates = /^\.snaphaven(\/verified\.json)? /
		const contents = () => fingerprint(scene.haven).filter((line) => !dates.test(line))
		const before = contents()
		const result = await runCli([command, '-s', scene.haven, ...scene.node.flags, ...flags], {
			stateDirectory: scene.state,
		})
		t.regex(result.stderr, REFUSED)
		t.is(result.exitCode, exitCode, result.stderr)
		t.deepEqual(changesBetween(before, contents()), [])
	})
}
