import {
	appendFileSync,
	mkdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { withChecksum, withoutChecksum } from '../../src/haven/sealed-text.ts'
import { changesBetween, fingerprint, objectsOf } from '../mirror/support/scene.ts'
import { fixtureNames } from '../support/fixtures.ts'
import { readReceipts } from '../support/receipts.ts'
import { damagesOf, filesByInode, flipBit, kindOf, type Sealed, sealedFixture, verify } from './support.ts'

/** One file of the mirror for each kind of component, with all its names; none is empty. */
function oneOfEachKind({ haven }: Sealed): Map<string, string[]> {
	const files = new Map<string, string[]>()
	for (const paths of filesByInode(haven)) {
		const [first = ''] = paths
		if (statSync(join(haven, first)).size > 0 && !files.has(kindOf(first))) files.set(kindOf(first), paths)
	}
	return files
}

for (const name of fixtureNames) {
	test.serial(
		`a flipped bit in any kind of component is named, under each name of the file, and nothing else: ${name}`,
		async (t) => {
			const sealed = await sealedFixture(t, name)
			const before = fingerprint(sealed.haven)
			const good = await verify(sealed, ['--json', ...sealed.node])
			t.is(good.exitCode, 0, good.stdout)
			t.like(objectsOf(good).at(-1), {
				files: filesByInode(sealed.haven).length,
				snapshots: readReceipts(sealed.haven).length,
				damages: 0,
			})
			const changes = changesBetween(before, fingerprint(sealed.haven))
			t.true(
				changes.every((line) => / (\.snaphaven|\.snaphaven\/verified\.json) /.test(line)),
				changes.join('\n'),
			)
			const files = oneOfEachKind(sealed)
			t.true(files.size >= 8, [...files.keys()].join())
			for (const [path = ''] of files.values()) flipBit(join(sealed.haven, path))
			const bad = await verify(sealed, ['--json', ...sealed.node])
			t.is(bad.exitCode, 3)
			const expected = [...files.values()].flat().map((path): [string, string] => [path, 'other bytes'])
			t.deepEqual(damagesOf(bad), expected.sort())
		},
	)
}

test.serial(
	'what is missing, cut, grown, swapped, linked elsewhere or no file is named by kind, and nothing else',
	async (t) => {
		const sealed = await sealedFixture(t, 'cassandra-5.0-big')
		const { haven } = sealed
		const own = filesByInode(haven)
			.filter((paths) => paths.length === 1)
			.flat()
			.filter((path) => statSync(join(haven, path)).size > 0)
		const take = (component: string) => {
			const at = own.findIndex((path) => kindOf(path) === component)
			t.not(at, -1, component)
			return own.splice(at, 1)[0] ?? ''
		}
		const place = (path: string) => join(haven, path)
		const [missing, cut, grown, link, folder] = ['Index.db', 'Data.db', 'Filter.db', 'Summary.db', 'TOC.txt'].map(take)
		const [one = '', other = ''] = [take('Statistics.db'), take('Statistics.db')]
		rmSync(place(missing ?? ''))
		truncateSync(place(cut ?? ''), 10)
		appendFileSync(place(grown ?? ''), 'x')
		renameSync(place(link ?? ''), join(haven, 'elsewhere'))
		symlinkSync(join(haven, 'elsewhere'), place(link ?? ''))
		rmSync(place(folder ?? ''))
		mkdirSync(place(folder ?? ''))
		renameSync(place(one), join(haven, 'between'))
		renameSync(place(other), place(one))
		renameSync(join(haven, 'between'), place(other))
		const sizes = [one, other].map((path) => statSync(place(path)).size)
		const swapped = sizes[0] === sizes[1] ? 'other bytes' : 'other size'
		const result = await verify(sealed, ['--json'])
		t.is(result.exitCode, 3)
		t.deepEqual(
			damagesOf(result),
			[
				[missing, 'missing'],
				[cut, 'other size'],
				[grown, 'other size'],
				[link, 'no file'],
				[folder, 'no file'],
				[one, swapped],
				[other, swapped],
			].sort() as [string, string][],
		)
		t.is(objectsOf(result).filter(({ type }) => type === 'extra').length, 0)
	},
)

test.serial('a snapshot whose folder is gone, or a link, is named once', async (t) => {
	const sealed = await sealedFixture(t, 'cassandra-4.1-nb')
	const [one, two] = readReceipts(sealed.haven).map(({ file }) => {
		const { keyspace, table, tag } = JSON.parse(readFileSync(file, 'utf8'))
		return `data/${keyspace}/${table}/snapshots/${tag}`
	})
	rmSync(join(sealed.haven, one ?? ''), { recursive: true })
	renameSync(join(sealed.haven, two ?? ''), join(sealed.haven, 'elsewhere'))
	symlinkSync(join(sealed.haven, 'elsewhere'), join(sealed.haven, two ?? ''))
	t.deepEqual(
		damagesOf(await verify(sealed, ['--json'])),
		[[one, 'missing'] as const, [two, 'no file'] as const].sort() as never,
	)
})

test.serial(
	'an edited receipt is named, and what is forged with a true checksum is found by the copies and the manifest',
	async (t) => {
		const sealed = await sealedFixture(t, 'cassandra-5.0-bti')
		const files = readReceipts(sealed.haven).flatMap((one) =>
			'receipt' in one && one.receipt.files.some(({ path }) => path.endsWith('Data.db')) ? [one] : [],
		)
		const [edited, head, forged, short] = files
		const text = (file = '') => readFileSync(file, 'utf8')
		const folderOf = (one: (typeof files)[number] | undefined) =>
			`data/${one?.receipt.keyspace}/${one?.receipt.table}/snapshots/${one?.receipt.tag}`
		const within = (file = '') => file.slice(sealed.haven.length + 1)
		writeFileSync(edited?.file ?? '', text(edited?.file).replace('"mode":420', '"mode":511'))
		writeFileSync(head?.file ?? '', text(head?.file).replace('"state"', '"stat\n"'))
		const crc = forged?.receipt.files[0]?.crc32 ?? ''
		const changed = withoutChecksum(text(forged?.file)).replace(`"crc32":"${crc}"`, '"crc32":"00000000"')
		writeFileSync(forged?.file ?? '', withChecksum(changed))
		const json = JSON.parse(text(short?.file))
		const lost = json.files.find(({ path }: { path: string }) => path.endsWith('Data.db')).path
		json.files = json.files.filter(({ path }: { path: string }) => path !== lost)
		const { checksum: _, folders, files: kept, ...rest } = json
		const lines = kept.map((one: unknown) => JSON.stringify(one)).join(',\n')
		const body = `${JSON.stringify(rest).slice(0, -1)},\n"folders":${JSON.stringify(folders)},\n"files":[\n${lines}\n]}`
		writeFileSync(short?.file ?? '', withChecksum(body))
		const result = await verify(sealed, ['--json'])
		t.is(result.exitCode, 3)
		t.deepEqual(
			damagesOf(result),
			[
				[within(edited?.file), 'receipt'],
				[within(head?.file), 'receipt'],
				[`${folderOf(forged)}/${forged?.receipt.files[0]?.path}`, 'other bytes'],
				[`${folderOf(short)}/manifest.json`, 'manifest'],
			].sort() as [string, string][],
		)
		const extra = objectsOf(result).find(({ type }) => type === 'extra')
		t.deepEqual(extra?.['paths'], [lost])
	},
)
