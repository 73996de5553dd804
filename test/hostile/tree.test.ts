import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { execaSync } from 'execa'
import { decodeName, pathOf } from '../../src/files/names.ts'
import { assertNoTrace, changesBetween, fingerprint, makeScene, mirrored, type Scene } from '../mirror/support/scene.ts'
import { runCli } from '../support/cli.ts'
import { testWhere } from '../support/not-run.ts'
import { tagFolders, takeSnapshot } from '../support/tree.ts'

/** Files in one folder: SNAPHAVEN_HOSTILE sets how many thousands. */
const { SNAPHAVEN_HOSTILE: thousands = 1 } = process.env
const many = Number(thousands) * 1000

const CANARY = 'nobody’s business'
/** Whose the data directory is, and who may do what they like in it. */
const CASSANDRA = '1234:1234'
const noText = decodeName(Buffer.from([0x62, 0xff, 0xc3, 0x28]))
const ID = '0123456789abcdef0123456789abcdef'
const missing = process.getuid?.() === 0 ? undefined : 'needs root to make devices and mounts, and to be somebody else'
const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--']

interface Hostile extends Scene {
	/** What the links lead to. */
	elsewhere: string
	/** The folders of the four tables’ snapshots. */
	tags: { sound: string; odd: string; mounted: string; closed: string }
	/** The command sees the data directory mounted again within a snapshot. */
	looped: string[]
}

for (const [who, wrapper, flags] of [
	['root', [], []],
	['root, with --move-snapshots', [], ['--move-snapshots']],
	['root, with live SSTables and backups', [], ['--sync-sstables', '--backups']],
	['somebody who may not read all of it', asNobody, []],
] as const) {
	testWhere(missing, `in a tree of everything that can lie in one, what is sound is mirrored by ${who}`, async (t) => {
		const scene = makeHostile(t)
		const { sound, odd, mounted, closed } = scene.tags
		const sealed = wrapper.length > 0 ? [sound, odd, mounted] : [sound, odd, mounted, closed]
		const moved: string[] = flags.some((flag) => flag === '--move-snapshots') ? [sound, closed] : []
		const files = new Map(sealed.map((tag) => [tag, regularFiles(tag)]))
		const [node, outside] = [fingerprint(scene.node.root), fingerprint(scene.elsewhere)]
		const result = await scene.sync([...flags, '--settle-time', '0'], { wrapper: [...scene.looped, ...wrapper] })
		assertNoTrace(t, result)
		t.is(result.exitCode, 1, 'some folders can’t be looked at')
		const verified = await runCli(['verify', '-s', scene.haven])
		t.is(verified.exitCode, 0, verified.stdout + verified.stderr)
		for (const [tag, expected] of files) {
			const table = dirname(dirname(tag))
			t.deepEqual(changesBetween(expected, regularFiles(mirrored(scene, 'daily', basename(table)))), [])
			t.is(existsSync(tag), !moved.includes(tag))
		}
		t.is(moved.length === 0, changesBetween(node, fingerprint(scene.node.root)).length === 0)
		t.deepEqual(changesBetween(outside, fingerprint(scene.elsewhere)), [])
		t.deepEqual(execaSync('grep', ['-rlF', CANARY, scene.haven], { reject: false }).stdout, '')
	})
}

/** Four tables with a snapshot each: a sound one, one of odd files, one with a mount in it, one that can’t be read; and odd folders beside them. */
function makeHostile(t: ExecutionContext): Hostile {
	const scene = makeScene(t, { tables: 4, sstables: 1, dataBytes: 400 })
	const elsewhere = join(scene.own, 'elsewhere')
	mkdirSync(join(elsewhere, 'snapshots/daily'), { recursive: true })
	for (const name of ['secret', 'snapshots/daily/nb-1-big-Data.db']) writeFileSync(join(elsewhere, name), CANARY)
	takeSnapshot(scene.node, 'daily')
	const [sound = '', odd = '', mounted = '', closed = ''] = tagFolders(scene.node, 'daily').map(({ path }) => path)
	fillWithOddFiles(odd, elsewhere)
	for (const folder of ['loop', `${noText}\n`]) mkdirSync(pathOf(join(mounted, folder)))
	mkdirSync(join(closed, '.index'))
	writeFileSync(join(closed, '.index/nb-1-big-Data.db'), CANARY.slice(1))
	addOddTables(join(scene.node.dataDirectories[0] ?? '', scene.node.keyspace), elsewhere)
	execFileSync('chown', ['-hR', CASSANDRA, scene.node.root])
	execFileSync('chmod', ['-R', 'a+rX', scene.own])
	for (const path of [scene.haven, scene.state]) {
		mkdirSync(path)
		chmodSync(path, 0o777)
	}
	chmodSync(join(closed, '.index'), 0)
	const mount = `mount --bind '${scene.node.dataDirectories[0]}' '${join(mounted, 'loop')}' && exec "$@"`
	return {
		...scene,
		elsewhere,
		tags: { sound, odd, mounted, closed },
		looped: ['unshare', '--mount', 'sh', '-c', mount, 'sh'],
	}
}

function fillWithOddFiles(folder: string, elsewhere: string): void {
	execFileSync('mkfifo', [join(folder, 'fifo'), join(folder, 'nb-2-big-Data.db')])
	execFileSync('mknod', [join(folder, 'zero'), 'c', '1', '5'])
	symlinkSync(elsewhere, join(folder, '.linked'))
	symlinkSync(join(elsewhere, 'secret'), join(folder, 'nb-3-big-Data.db'))
	symlinkSync('nowhere', join(folder, 'dangling'))
	for (const name of [noText, 'line\nbreak', 'x'.repeat(255), '-rf', '*', ' '])
		writeFileSync(pathOf(join(folder, name)), name)
	mkdirSync(pathOf(join(folder, `.${'y'.repeat(254)}`)))
	for (let number = 0; number < many; number++) writeFileSync(join(folder, `file ${number}`), String(number))
}

/** Folders, and what is none, where a table’s would be. */
function addOddTables(keyspace: string, elsewhere: string): void {
	symlinkSync(elsewhere, join(keyspace, `linked-${ID}`))
	mkdirSync(join(keyspace, `within-${ID}`))
	symlinkSync(join(elsewhere, 'snapshots'), join(keyspace, `within-${ID}`, 'snapshots'))
	mkdirSync(join(keyspace, `tag-${ID}`, 'snapshots'), { recursive: true })
	symlinkSync(join(elsewhere, 'snapshots/daily'), join(keyspace, `tag-${ID}`, 'snapshots/daily'))
	execFileSync('mkfifo', [join(keyspace, `fifo-${ID}`)])
	writeFileSync(join(keyspace, `file-${ID}`), 'no folder')
	for (const name of [noText, 'x'.repeat(255), 'line\nbreak', `${'z'.repeat(222)}-${ID}`])
		mkdirSync(pathOf(join(keyspace, name, 'snapshots/daily')), { recursive: true })
}

/** Path and size of each regular file in a folder; names as bytes. */
function regularFiles(folder: string): string[] {
	return fingerprint(folder, '%y %P %s').filter((line) => line.startsWith('f '))
}
