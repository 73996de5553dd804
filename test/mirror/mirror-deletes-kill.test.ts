import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { execaSync } from 'execa'
import { clearSnapshot, takeSnapshot } from '../support/tree.ts'
import { kept, NOW } from './support/mirror-deletes.ts'
import { makeScene, mirrored, type Scene } from './support/scene.ts'

/**
 * Kills the process before one call of those that a removal makes, the so-manieth in all its threads, as a module for
 * --import. Of the files that go one by one, those of JSON count alone.
 */
function killer(counter: string, call: number): string {
	return `
import fs from 'node:fs'
const one = /\\.removed|removal-\\d/
for (const name of ['rename', 'unlink', 'rmdir']) {
	for (const way of [name, name + 'Sync']) {
		const real = fs[way]
		fs[way] = (path, to, ...rest) => {
			const counts = one.test(path) || one.test(to)
			if (counts && (name !== 'unlink' || /json$/.test(path))) {
				fs.appendFileSync(${JSON.stringify(counter)}, '.')
				if (fs.statSync(${JSON.stringify(counter)}).size === ${call}) process.kill(process.pid, 'SIGKILL')
			}
			return real(path, to, ...rest)
		}
	}
}`
}

test('a kill before any step of a removal leaves each snapshot whole, or in doubt, and the next run finishes', async (t) => {
	const scene = makeScene(t, { sstables: 1, dataBytes: 500 })
	for (const tag of ['daily', 'other', 'weekly']) takeSnapshot(scene.node, tag)
	await scene.syncWell()
	for (const tag of ['daily', 'other']) clearSnapshot(scene.node, tag)
	const whole = join(scene.own, 'whole')
	execaSync('cp', ['-a', scene.haven, whole])
	let kills = 0
	for (let call = 1; ; call++) {
		rmSync(scene.haven, { recursive: true })
		execaSync('cp', ['-a', whole, scene.haven])
		const counter = join(scene.own, `calls-${call}`)
		const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(killer(counter, call))}` }
		const { signal, exitCode, stderr } = await scene.sync(NOW, { env })
		if (signal === undefined) {
			t.is(exitCode, 0, stderr)
			break
		}
		kills++
		const inDoubt = intended(scene)
		for (const tag of ['daily', 'other', 'weekly']) {
			if (inDoubt.includes(tag)) continue
			const receipt = existsSync(receiptOf(scene, tag))
			t.is(receipt, existsSync(mirrored(scene, tag)), `${tag}, killed before call ${call}`)
			if (tag === 'weekly') t.true(receipt)
		}
		await scene.syncWell(NOW)
		t.deepEqual(kept(t, scene), ['weekly'], `killed before call ${call}`)
		t.deepEqual(readdirSync(join(mirrored(scene, 'weekly'), '..')), ['weekly'])
	}
	// Two renames for each, the intent, and then two receipts, manifests and folders.
	t.is(kills, 4 + 1 + 6)
})

function receiptOf({ haven, node }: Scene, tag: string): string {
	return join(haven, '.snaphaven/receipts/ks', node.folders[0] ?? '', `${tag}.json`)
}

/** The tags that an intent of a removal names. */
function intended({ haven }: Scene): string[] {
	const partial = join(haven, '.snaphaven/partial')
	return readdirSync(partial, { recursive: true, encoding: 'utf8' })
		.filter((name) => /\/removal-\d+\.json$/.test(name))
		.flatMap((name) => JSON.parse(readFileSync(join(partial, name), 'utf8')).removals)
		.map(({ key }) => key.tag)
}
