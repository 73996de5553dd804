import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { checkPlace, deviceOf } from '../../src/haven/place.ts'
import { ownFolder } from '../support/folder.ts'

/** `data` with a keyspace, `nas` with a folder, and links into each. */
function makePlaces(t: ExecutionContext): string {
	const own = ownFolder(t)
	for (const path of ['data/ks/t', 'nas/old']) mkdirSync(join(own, path), { recursive: true })
	writeFileSync(join(own, 'file'), 'x')
	symlinkSync(join(own, 'data'), join(own, 'to-data'))
	symlinkSync(join(own, 'nas'), join(own, 'to-nas'))
	symlinkSync('loop', join(own, 'loop'))
	symlinkSync(join(own, 'data/ks/new'), join(own, 'dangling'))
	return own
}

const refused: [string, RegExp][] = [
	['data', /lies inside the data directory/],
	['data/ks', /lies inside the data directory/],
	['data/new/deeper', /lies inside the data directory/],
	['to-data/new', /lies inside the data directory/],
	['nas/../to-data/ks/../new', /lies inside the data directory/],
	['.', /the data directory .*data lies inside the haven/],
	['file', /is not a directory/],
	['file/below', /lies below a file/],
	['loop', /no path that can be: ELOOP/],
	['n'.repeat(300), /no path that can be: ENAMETOOLONG/],
]
for (const [path, message] of refused) {
	test(`a haven at ${path.slice(0, 30)} is refused, and nothing is touched`, async (t) => {
		const own = makePlaces(t)
		const before = readdirSync(own, { recursive: true })
		const error = await t.throwsAsync(checkPlace(`${own}/${path}`, [join(own, 'data')]), { message })
		t.like(error, { exitCode: 2 })
		t.deepEqual(readdirSync(own, { recursive: true }), before)
	})
}

for (const path of ['nas', 'nas/old', 'new/deep/er', 'to-nas/new', 'data2', 'datanew', 'nas/../nas']) {
	test(`a haven at ${path} will do`, async (t) => {
		const own = makePlaces(t)
		await t.notThrowsAsync(checkPlace(`${own}/${path}`, [join(own, 'data'), join(own, 'missing')]))
	})
}

test('the root is refused in all its spellings, and a relative path too', async (t) => {
	for (const path of ['/', '//', '/tmp/..', '/./']) {
		await t.throwsAsync(checkPlace(path, []), { message: 'the haven can’t be /' })
	}
	await t.throwsAsync(checkPlace('nas', []), { message: 'the haven nas is not an absolute path' })
})

test('a data directory is recognised behind a link of its own', async (t) => {
	const own = makePlaces(t)
	await t.throwsAsync(checkPlace(join(own, 'data/haven'), [join(own, 'to-data')]), { message: /lies inside/ })
	await t.throwsAsync(checkPlace(own, [join(own, 'to-data')]), { message: /lies inside the haven/ })
})

test('the device of a folder that is not there yet is that of the place it would be made in', async (t) => {
	const own = makePlaces(t)
	t.is(await deviceOf(join(own, 'new/deep')), await deviceOf(own))
	t.not(await deviceOf('/proc/self'), await deviceOf(own))
})
