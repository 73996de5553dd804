import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { readLastStatus, saveLastStatus } from '../../src/control/last-status.ts'
import { serviceFiles } from '../../src/control/place.ts'
import { ownFolder } from '../support/folder.ts'
import { wellStatus } from './support/service.ts'

test('how a service last was is found by haven, and what it was before is gone', async (t) => {
	const stateDirectory = join(ownFolder(t), 'state')
	const one = { stateDirectory, haven: '/nas/one' }
	t.is(await readLastStatus(one), undefined)
	await saveLastStatus(one, wellStatus({ sealed: 1 }))
	await saveLastStatus({ stateDirectory, haven: '/nas/two' }, wellStatus({ sealed: 2 }))
	await saveLastStatus(one, wellStatus({ sealed: 3, state: 'ending' }))
	const last = await readLastStatus(one)
	t.deepEqual(last?.status, wellStatus({ sealed: 3, state: 'ending' }))
	t.is(last?.pid, process.pid)
	t.true(Number.isFinite(Date.parse(last?.writtenAt ?? '')))
	t.is(readdirSync(stateDirectory).length, 2)
})

test('a file that a power cut left empty counts as none', async (t) => {
	const place = { stateDirectory: ownFolder(t), haven: '/nas' }
	writeFileSync(join(place.stateDirectory, serviceFiles('/nas').lastStatus), '')
	t.is(await readLastStatus(place), undefined)
})
