import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { decodeName, pathOf } from '../../src/files/names.ts'
import { runCli } from '../support/cli.ts'
import { readReceipts } from '../support/receipts.ts'
import { tagFolders, takeSnapshot } from '../support/tree.ts'
import { changesBetween, fingerprint, makeScene, mirrored, objectsOf, trueReceipts } from './support/scene.ts'

const noText = decodeName(Buffer.from([0x62, 0xff, 0xc3, 0x28]))
/** As Cassandra took them: signs, case, length, bytes that are no UTF-8. */
const tags = ['a:b c', 'A:B C', 'A:b C', 'ä 😀', 'line\nbreak', '.hidden', 'x'.repeat(255), '-v', noText]
const files = ['with space', 'line\nbreak', '"quoted\'', '*', noText, '-rf', '\\', 'é', 'e\u0301']

test('tags and files of any name arrive under the very bytes, and a further pass finds them', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const daily = tagFolders(scene.node, 'daily')[0]?.path ?? ''
	mkdirSync(pathOf(`${daily}/.${noText}`))
	for (const name of files) {
		writeFileSync(pathOf(`${daily}/${name}`), name)
		writeFileSync(pathOf(`${daily}/.${noText}/${name}`), `${name} inside`)
	}
	for (const [at, tag] of tags.entries()) {
		takeSnapshot(scene.node, `tag-${at}`)
		renameSync(join(daily, `../tag-${at}`), pathOf(`${daily}/../${tag}`))
	}
	const result = await scene.syncWell(['--json'])
	const sealed = objectsOf(result).flatMap(({ type, tag }) => (type === 'sealed' ? [tag] : []))
	t.deepEqual(sealed.sort(), ['daily', ...tags].sort())
	const ofNames = (folder: string) => fingerprint(folder, '%P %y %s %m').map((line) => line.replace(/( d) \d+/, '$1'))
	t.deepEqual(changesBetween(ofNames(join(daily, '..')), ofNames(join(mirrored(scene, 'daily'), '..'))), [])
	t.is(readdirSync(mirrored(scene, 'daily')).length, 2 * 8 + 2 + files.length + 1)
	t.regex((await scene.syncWell()).stdout, new RegExp(`${tags.length + 1} snapshots already safe`))
	await scene.syncWell(['--move-snapshots'])
	t.deepEqual(readdirSync(join(daily, '..')), [])
})

test('receipts have such names so that any reader gets the bytes back', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	writeFileSync(pathOf(`${tagFolders(scene.node, 'daily')[0]?.path}/${noText}`), 'x')
	await scene.syncWell()
	const [found] = readReceipts(scene.haven)
	const paths = found && 'receipt' in found ? found.receipt.files.map(({ path }) => path) : []
	t.true(paths.includes('b\udcff\udcc3('))
})

test('what is told of such names stays on one line, and carries no control characters', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const folder = tagFolders(scene.node, 'daily')[0]?.path ?? ''
	renameSync(folder, pathOf(`${folder}/../a\n\u001b[31m${noText}`))
	const { stdout } = await scene.syncWell()
	t.is(stdout.split('\n').filter((line) => line !== '').length, 2)
	t.regex(stdout, /^sealed ks\.t0000 "a\\n\\x1b\[31mb\\xff\\xc3\("/)
})

test('two tables in folders of one name in two keyspaces stay apart', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const other = makeScene(t, { keyspace: 'other', seed: 1 })
	takeSnapshot(other.node, 'daily')
	t.deepEqual(scene.node.folders, other.node.folders)
	await scene.syncWell()
	await runCli(['--once', '-s', scene.haven, ...other.node.flags, 'other'], { stateDirectory: scene.state })
	t.deepEqual(
		trueReceipts(t, scene)
			.map(({ keyspace }) => keyspace)
			.sort(),
		['ks', 'other'],
	)
})
