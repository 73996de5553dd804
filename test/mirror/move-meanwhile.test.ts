import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { tagFolders, takeSnapshot } from '../support/tree.ts'
import { assertNoTrace, makeScene, mirrored, trueReceipts } from './support/scene.ts'

/** More than a pass opens the tag's folder. */
const opensMax = 20

/** `reuse`: the other's folder has the same inode number, as it may well have where one was removed just now. */
type What = 'clear' | 'replace' | 'reuse'

/**
 * Clears the tag, or puts one of the same name into its place, right before its folder is opened for the nth time by any
 * thread; as a module for --import.
 */
function meddler(folder: string, counter: string, nth: number, what: What): string {
	const clear = `fs.rmSync(${JSON.stringify(folder)}, { recursive: true })`
	const other = `const names = fs.readdirSync(${JSON.stringify(folder)})
		fs.cpSync(${JSON.stringify(folder)}, ${JSON.stringify(`${counter}.aside`)}, { recursive: true, preserveTimestamps: true });
		fs.writeFileSync(${JSON.stringify(join(`${counter}.aside`, 'nb-1-big-Statistics.db'))}, 'of the other');`
	const replace = `${other} fs.renameSync(${JSON.stringify(folder)}, ${JSON.stringify(`${counter}.was`)});
		fs.renameSync(${JSON.stringify(`${counter}.aside`)}, ${JSON.stringify(folder)})`
	const reuse = `${other} for (const name of names) {
			fs.rmSync(${JSON.stringify(`${folder}/`)} + name)
			fs.renameSync(${JSON.stringify(`${counter}.aside/`)} + name, ${JSON.stringify(`${folder}/`)} + name)
		}`
	const does = { clear, replace, reuse }[what]
	return `import fs from 'node:fs'
		const { openSync } = fs
		fs.openSync = (path, ...more) => {
			if (String(path).endsWith('/daily')) {
				fs.appendFileSync(${JSON.stringify(counter)}, '.')
				if (fs.statSync(${JSON.stringify(counter)}).size === ${nth}) { ${does} }
			}
			return openSync(path, ...more)
		}`
}

const HAPPENS: Record<What, string> = {
	clear: 'cleared by another hand',
	replace: 'taken anew',
	reuse: 'taken anew in a folder of the same inode number',
}

for (const [what, happens] of Object.entries(HAPPENS) as [What, string][]) {
	test(`a snapshot that is ${happens} at any look at it is no fault, and nothing is lost`, async (t) => {
		for (let nth = 1; nth <= opensMax; nth++) {
			const scene = makeScene(t)
			takeSnapshot(scene.node, 'daily')
			const folder = tagFolders(scene.node, 'daily')[0]?.path ?? ''
			const counter = join(scene.own, 'opens')
			const env = {
				NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(meddler(folder, counter, nth, what))}`,
			}
			const result = await scene.sync(['--move-snapshots', '--settle-time', '2'], { env })
			assertNoTrace(t, result)
			trueReceipts(t, scene)
			if (statSync(counter).size < nth) {
				t.log(`opened ${nth - 1} times`)
				t.true(nth > 3)
				return
			}
			if (what === 'clear') continue
			const places = [folder, mirrored(scene, 'daily')].map((place) => join(place, 'nb-1-big-Statistics.db'))
			const texts = places.filter((path) => existsSync(path)).map((path) => readFileSync(path, 'utf8'))
			t.true(texts.includes('of the other'), `lost at the ${nth}th: ${result.stdout}${result.stderr}`)
		}
		t.fail(`it was opened more than ${opensMax} times`)
	})
}

test('one of its name that comes right before its emptied folder is removed stays, and is no failure', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	const come = `const fs = process.getBuiltinModule('node:fs')
		for (const form of ['rmdir', 'rmdirSync']) {
			const original = fs[form]
			fs[form] = (path, ...more) => {
				if (String(path).endsWith('/daily')) fs.writeFileSync(path + '/nb-9-big-Data.db', 'of the other')
				return original(path, ...more)
			}
		}`
	const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(come)}` }
	const result = await scene.sync(['--move-snapshots'], { env })
	assertNoTrace(t, result)
	t.notRegex(result.stderr, /could not be deleted/)
	t.is(readFileSync(join(tagFolders(scene.node, 'daily')[0]?.path ?? '', 'nb-9-big-Data.db'), 'utf8'), 'of the other')
})
