import { statfsSync } from 'node:fs'
import test from 'ava'
import { makeSpace } from '../../src/mirror/space.ts'
import { ownFolder } from '../support/folder.ts'

test('what is set aside is not given twice, and comes back when it is released', async (t) => {
	const folder = ownFolder(t)
	const { bavail, bsize } = statfsSync(folder)
	const most = Math.floor((bavail * bsize) / 3) * 2
	const space = makeSpace(folder)
	t.true(await space.reserve(most))
	t.false(await space.reserve(most))
	t.true(space.isReserved())
	let released = false
	const waiting = space.released().then(() => {
		released = true
	})
	t.false(released)
	space.release(most)
	await waiting
	t.true(released)
	t.false(space.isReserved())
	t.true(await space.reserve(most))
	t.false(await space.reserve(Number.MAX_SAFE_INTEGER))
})

test('where nothing is set aside, nothing is waited for', async (t) => {
	await makeSpace(ownFolder(t)).released()
	t.pass()
})
