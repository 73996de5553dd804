import test from 'ava'
import fc from 'fast-check'
import { parseManifest, uniteManifests } from '../../src/cassandra/manifest.ts'

const whole = JSON.stringify({
	files: ['da-1-bti-Data.db', '.orders_customer/da-1-bti-Data.db'],
	created_at: '2026-11-21T08:00:00.123Z',
	expires_at: null,
	ephemeral: false,
})

test('what Cassandra 5.0 writes is understood', (t) => {
	t.deepEqual(parseManifest(whole), {
		files: ['da-1-bti-Data.db', '.orders_customer/da-1-bti-Data.db'],
		createdAt: '2026-11-21T08:00:00.123Z',
		ephemeral: false,
	})
})

test('what older versions leave out is left out', (t) => {
	t.deepEqual(parseManifest('{"files":[]}'), { files: [] })
	t.deepEqual(parseManifest('{"files":["a"],"expires_at":"2026-11-22T00:00:00Z"}'), {
		files: ['a'],
		expiresAt: '2026-11-22T00:00:00Z',
	})
})

test('a manifest that was cut anywhere is unfinished, and may be whole the next time', (t) => {
	for (let length = 0; length < whole.length; length++) {
		const found = parseManifest(whole.slice(0, length))
		t.true('problem' in found && !found.hopeless, whole.slice(0, length))
	}
})

for (const text of ['[]', 'null', '1', '{}', '{"files":null}', '{"files":{}}', '{"files":[1]}', ' \n', 'files']) {
	test(`${JSON.stringify(text)} is no manifest`, (t) => {
		const found = parseManifest(text)
		t.true('problem' in found && !found.hopeless)
	})
}

for (const path of ['../a-Data.db', '/etc/passwd', 'a/../../b', '..', '.', '', 'a//b', './a', 'a/.', 'a\0b']) {
	test(`a manifest that names ${JSON.stringify(path)} never becomes one`, (t) => {
		const found = parseManifest(JSON.stringify({ files: ['nb-1-big-Data.db', path] }))
		t.true('problem' in found && found.hopeless && found.problem.includes(JSON.stringify(path)))
	})
}

test('no text makes it throw, and what it takes stays inside', (t) => {
	const texts = fc.oneof(
		fc.string(),
		fc.json(),
		fc.array(fc.string({ unit: fc.constantFrom('.', '/', 'a', '\0') })).map((files) => JSON.stringify({ files })),
	)
	fc.assert(
		fc.property(texts, (text) => {
			const found = parseManifest(text)
			if ('problem' in found) return true
			return found.files.every((path) => !path.startsWith('/') && !/(^|\/)\.{0,2}(\/|$)/.test(path))
		}),
	)
	t.pass()
})

test('of several manifests the files of all belong, and the latest has the word on the rest', (t) => {
	t.is(uniteManifests([]), undefined)
	t.deepEqual(
		uniteManifests([
			{ files: ['a', 'b'], createdAt: 'early', ephemeral: true },
			{ files: ['b', 'c'], createdAt: 'late' },
		]),
		{ files: ['a', 'b', 'c'], createdAt: 'late' },
	)
})
