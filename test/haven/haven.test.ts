import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { claimHaven, type Haven, type OpenOptions, openExistingHaven, openHaven } from '../../src/haven/haven.ts'
import type { HavenRecord } from '../../src/haven/haven-record.ts'
import { withChecksum } from '../../src/haven/sealed-text.ts'
import { makeScene } from '../mirror/support/scene.ts'
import { ownFolder } from '../support/folder.ts'

interface Place extends OpenOptions {
	warnings: string[]
	file: string
	open: (changes?: Partial<OpenOptions>) => Promise<Haven>
}

function makePlace(t: ExecutionContext): Place {
	const own = ownFolder(t)
	const warnings: string[] = []
	const options: OpenOptions = {
		path: join(own, 'haven'),
		dataDirectories: [join(own, 'data')],
		stateDirectory: join(own, 'state'),
		newHaven: false,
		takeOver: false,
		requireMount: false,
		warn: (message) => warnings.push(message),
	}
	const open = async (changes: Partial<OpenOptions> = {}) => {
		const haven = await openHaven({ ...options, ...changes })
		await haven.close()
		return haven
	}
	return { ...options, warnings, open, file: join(own, 'haven/.snaphaven/haven.json') }
}

function change(file: string, changes: Partial<HavenRecord>): void {
	const { checksum: _, ...record } = JSON.parse(readFileSync(file, 'utf8'))
	writeFileSync(file, withChecksum(JSON.stringify({ ...record, ...changes })))
}

test('a haven is made where there is none, and found again as the same', async (t) => {
	const place = makePlace(t)
	const { record } = await place.open()
	t.like(record, { format: 1, owner: { host: hostname() }, capabilities: { caseSensitive: true, hardLinks: true } })
	t.like(record.capabilities, { anySign: true, anyBytes: true, nameBytesMax: 255, mtimeGrainNs: 1, folderFlush: true })
	t.deepEqual((await place.open()).record.id, record.id)
	t.deepEqual(readdirSync(join(place.path, '.snaphaven')).sort(), ['haven.json', 'partial', 'receipts'])
	t.deepEqual(readdirSync(place.path), ['.snaphaven'])
})

test('a haven is made where a link leads to, and found again as the same', async (t) => {
	const place = makePlace(t)
	const target = join(place.path, '../target')
	mkdirSync(target)
	symlinkSync(target, place.path)
	const { record } = await place.open()
	t.deepEqual(readdirSync(target), ['.snaphaven'])
	t.is((await place.open()).record.id, record.id)
})

test('what was in the folder before is left alone', async (t) => {
	const place = makePlace(t)
	mkdirSync(join(place.path, 'data/ks'), { recursive: true })
	writeFileSync(join(place.path, 'data/ks/file'), 'x')
	await place.open()
	t.is(readFileSync(join(place.path, 'data/ks/file'), 'utf8'), 'x')
})

test('a haven of a newer format is refused, also where its checksum is made in another way', async (t) => {
	const place = makePlace(t)
	await place.open()
	for (const text of [withChecksum('{"format":2,"id":"x"}'), '{"format":17,"anything":true}\n']) {
		writeFileSync(place.file, text)
		const error = await t.throwsAsync(place.open(), {
			message: /has format \d+, and this snaphaven understands format 1/,
		})
		t.like(error, { exitCode: 2, hint: 'A newer snaphaven made it: update this one.' })
	}
})

test('a damaged haven.json is named and nothing is made in its place', async (t) => {
	const place = makePlace(t)
	await place.open()
	const whole = readFileSync(place.file, 'utf8')
	for (const text of ['', whole.slice(0, -1), whole.replace('owner', 'owned'), 'x']) {
		writeFileSync(place.file, text)
		await t.throwsAsync(place.open(), { message: /haven\.json is damaged: its checksum does not hold/ })
		t.is(readFileSync(place.file, 'utf8'), text)
	}
	copyFileSync(place.file, `${place.file}.old`)
	rmSync(place.file)
	await t.notThrowsAsync(place.open({ newHaven: true }))
})

test('another machine’s haven is refused by its name, and taken over when asked', async (t) => {
	const place = makePlace(t)
	await place.open()
	change(place.file, { owner: { machine: 'another', host: 'node7.example' } })
	const before = readFileSync(place.file, 'utf8')
	for (const open of [place.open(), openExistingHaven(place)]) {
		const error = await t.throwsAsync<Error & { hint?: string; exitCode?: number }>(open)
		t.is(error.message, `the haven ${place.path} belongs to another node, node7.example`)
		t.is(error.exitCode, 2)
		t.regex(error.hint ?? '', /--take-over/)
	}
	t.is(readFileSync(place.file, 'utf8'), before)
	const haven = await openHaven({ ...place, takeOver: true })
	t.is(readFileSync(place.file, 'utf8'), before, 'it is claimed under the lease, and not before')
	await t.throwsAsync(claimHaven(haven, false), { message: /belongs to another node, node7\.example$/ })
	await claimHaven(haven, true)
	await haven.close()
	t.is((await place.open()).record.owner.host, hostname())
})

test('of many that make a haven at the same instant each finds the one that is there then', async (t) => {
	const place = makePlace(t)
	const opened = await Promise.all(Array.from({ length: 6 }, () => openHaven(place)))
	const { id } = (await place.open()).record
	for (const haven of opened) {
		t.is(haven.record.id, id)
		await t.notThrowsAsync(claimHaven(haven, false))
	}
	t.deepEqual(readdirSync(join(place.path, '.snaphaven')).sort(), ['haven.json', 'partial', 'receipts'])
	// Where there are no hard links, one may have stood there only for an instant.
	change(place.file, { id: 'another' })
	for (const haven of opened) {
		await t.throwsAsync(claimHaven(haven, true), { message: /became another one while it was opened/ })
		await haven.close()
	}
})

test('a known path without its haven is a NAS that is not mounted, until a new one is asked for', async (t) => {
	const place = makePlace(t)
	const { record } = await place.open()
	rmSync(place.path, { recursive: true })
	for (const there of [false, true]) {
		if (there) mkdirSync(place.path)
		for (const open of [place.open(), openExistingHaven(place)]) {
			const error = await t.throwsAsync<Error & { hint?: string; exitCode?: number }>(open)
			t.regex(error.message, /a haven was at .* before, and is not there now: is the NAS mounted\?/)
			t.is(error.exitCode, 1)
			t.regex(error.hint ?? '', /--new-haven/)
		}
		t.is(existsSync(place.path), there)
		if (there) t.deepEqual(readdirSync(place.path), [])
	}
	t.not((await place.open({ newHaven: true })).record.id, record.id)
})

test('another haven of this node at a known path is not taken for the one that was there, until that is asked for', async (t) => {
	const place = makePlace(t)
	const { record } = await place.open()
	change(place.file, { id: 'that of the archive' })
	for (let turn = 0; turn < 2; turn++)
		await t.throwsAsync(place.open(), { message: /another one than was there before/ })
	change(place.file, { id: record.id })
	t.is((await place.open()).record.id, record.id)
	change(place.file, { id: 'that of the archive' })
	t.is((await place.open({ newHaven: true })).record.id, 'that of the archive')
	t.is((await place.open()).record.id, 'that of the archive')
})

test('a memory that is lost, damaged or can’t be kept costs a warning at most', async (t) => {
	const place = makePlace(t)
	mkdirSync(place.stateDirectory)
	for (const text of ['', '[]', 'null', '"x"', '{"']) {
		writeFileSync(join(place.stateDirectory, 'havens.json'), text)
		await t.notThrowsAsync(place.open(), text)
	}
	t.deepEqual(place.warnings, [])
	t.deepEqual(Object.keys(JSON.parse(readFileSync(join(place.stateDirectory, 'havens.json'), 'utf8'))), [place.path])
	writeFileSync(join(place.path, '../file'), '')
	await place.open({ stateDirectory: join(place.path, '../file/state') })
	t.regex(place.warnings.join(), /can’t remember the haven in .*; give --state-dir/)
})

test('looking at a haven that is not there makes nothing', async (t) => {
	const place = makePlace(t)
	t.is(await openExistingHaven(place), undefined)
	t.false(existsSync(place.path))
})

test('an opened haven stays that folder, also when another is put into its place', async (t) => {
	const place = makePlace(t)
	const haven = await openHaven(place)
	t.teardown(() => haven.close())
	rmSync(place.path, { recursive: true })
	mkdirSync(place.path)
	t.throws(() => writeFileSync(`${haven.base}/file`, 'x'), { code: 'ENOENT' })
	t.deepEqual(readdirSync(place.path), [])
})

test('a new haven’s folders are durable before it counts as one: after a power cut nobody would make them', async (t) => {
	const { own, haven, state, syncWell } = makeScene(t)
	const log = join(own, 'log')
	await syncWell([], {
		env: {
			NODE_OPTIONS: `--import=${join(import.meta.dirname, '../faults/crash-points/record-changes.mjs')}`,
			SNAPHAVEN_RECORD: [log, haven, own, join(state, 'havens.json'), 'quick', '-'].join(' '),
		},
	})
	const lines = readFileSync(log, 'utf8').trim().split('\n')
	const records: { did: string; path?: string; to?: string; ino?: number }[] = lines.map((line) => JSON.parse(line))
	const counts = records.findIndex(({ path, to }) => [path, to].includes('.snaphaven/haven.json'))
	const flushed = records.findIndex(
		({ did, ino }) => did === 'fsync' && ino === statSync(join(haven, '.snaphaven')).ino,
	)
	const made = records.findLastIndex(
		({ did, path }) => did === 'mkdir' && /^\.snaphaven\/(partial|receipts)$/.test(path ?? ''),
	)
	t.deepEqual(
		[made, flushed, counts].toSorted((a, b) => a - b),
		[made, flushed, counts],
	)
	t.true(made >= 0)
	t.true(counts >= 0)
})
