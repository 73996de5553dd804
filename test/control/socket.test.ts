import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { askService } from '../../src/control/client.ts'
import { serviceFiles } from '../../src/control/place.ts'
import { serveControl } from '../../src/control/server.ts'
import { ownFolder } from '../support/folder.ts'
import { wellStatus } from './support/service.ts'
import { startService } from './support/start-service.ts'

const haven = '/mnt/nas/node1'

test('the service answers with its process, its version and how it is, and hears that it is to look anew', async (t) => {
	const place = { stateDirectory: join(ownFolder(t), 'not/made/yet'), haven }
	const { process, said } = await startService(t, place, { sealed: 7 })
	const answer = await askService(place, 'status')
	t.deepEqual(answer?.status, wellStatus({ sealed: 7 }))
	t.is(answer?.pid, process.pid)
	t.regex(answer?.version ?? '', /^\d+\.\d+\.\d+/)
	t.deepEqual(await askService(place, 'rescan'), {})
	// Its word may come after its answer.
	while (said.length < 2) await sleep(20)
	t.deepEqual(said, ['ready', 'rescan'])
})

test('only this user may use the socket, and it is all that is left beside it', async (t) => {
	const place = { stateDirectory: ownFolder(t), haven }
	const control = await serveControl({
		...place,
		status: () => wellStatus(),
		rescan: () => {},
		prune: async () => [],
		adopt: async () => [],
		repair: async () => [],
	})
	const { socket } = serviceFiles(haven)
	t.deepEqual(readdirSync(place.stateDirectory), [socket])
	t.is(lstatSync(join(place.stateDirectory, socket)).mode & 0o777, 0o600)
	await control.close()
	t.deepEqual(readdirSync(place.stateDirectory), [])
})

test('where no service runs nobody answers, whether there is a state directory or not', async (t) => {
	const stateDirectory = ownFolder(t)
	t.is(await askService({ stateDirectory, haven }, 'status'), undefined)
	t.is(await askService({ stateDirectory: join(stateDirectory, 'none'), haven }, 'status'), undefined)
})

test('the socket of a service that was killed is nobody’s, and the next one takes its place', async (t) => {
	const place = { stateDirectory: ownFolder(t), haven }
	const { process } = await startService(t, place)
	process.kill('SIGKILL')
	await process
	t.true(existsSync(join(place.stateDirectory, serviceFiles(haven).socket)))
	t.is(await askService(place, 'status'), undefined)
	const next = await startService(t, place, { sealed: 2 })
	t.is((await askService(place, 'status'))?.pid, next.process.pid)
})

test('a second service for a haven is refused, and the first one goes on answering', async (t) => {
	const place = { stateDirectory: ownFolder(t), haven }
	const first = await startService(t, place)
	const second = await startService(t, place)
	t.deepEqual(second.said, [`refused: a service for the haven ${haven} runs already`])
	t.is((await second.process).exitCode, 0)
	t.is((await askService(place, 'status'))?.pid, first.process.pid)
	t.is((await startService(t, { ...place, haven: `${haven}b` })).said[0], 'ready')
})

test('of services that start together over a dead one’s socket, one alone has it', async (t) => {
	const place = { stateDirectory: ownFolder(t), haven }
	const dead = await startService(t, place)
	dead.process.kill('SIGKILL')
	await dead.process
	const starters = Array.from({ length: 8 }, () =>
		serveControl({
			...place,
			status: () => wellStatus(),
			rescan: () => {},
			prune: async () => [],
			adopt: async () => [],
			repair: async () => [],
		}).then(
			(control) => control,
			() => undefined,
		),
	)
	const served = (await Promise.all(starters)).filter((control) => control !== undefined)
	t.is(served.length, 1)
	t.truthy(await askService(place, 'status'))
	await served[0]?.close()
	t.deepEqual(readdirSync(place.stateDirectory), [serviceFiles(haven).lastStatus])
})

test('a state directory that is longer than a socket’s address may be does as well', async (t) => {
	const stateDirectory = join(ownFolder(t), ...Array.from({ length: 6 }, () => 'x'.repeat(200)))
	mkdirSync(stateDirectory, { recursive: true })
	const { process } = await startService(t, { stateDirectory, haven })
	t.is((await askService({ stateDirectory, haven }, 'status'))?.pid, process.pid)
})

test('a service that hangs is told as that, and is not waited for', async (t) => {
	const place = { stateDirectory: ownFolder(t), haven }
	const { process } = await startService(t, place)
	process.kill('SIGSTOP')
	await t.throwsAsync(askService(place, 'status', 500), { message: /did not answer: no answer in time/ })
	process.kill('SIGCONT')
	t.is((await askService(place, 'status'))?.pid, process.pid)
})

test('a question that goes wrong or is not known leaves the service as it is', async (t) => {
	const place = { stateDirectory: ownFolder(t), haven }
	let broken = true
	const status = () => {
		if (broken) throw new Error('planted')
		return wellStatus()
	}
	const control = await serveControl({
		...place,
		status,
		rescan: () => {},
		prune: async () => [],
		adopt: async () => [],
		repair: async () => [],
	})
	t.teardown(control.close)
	await t.throwsAsync(askService(place, 'status'), { message: /planted/ })
	broken = false
	const socketPath = join(place.stateDirectory, serviceFiles(haven).socket)
	const codes = ['/', '/constructor', '/rescan'].map(
		(path) =>
			new Promise((resolve) => {
				get({ socketPath, path, agent: false }, (response) => resolve(response.resume().statusCode))
			}),
	)
	t.deepEqual(await Promise.all(codes), [404, 404, 404])
	t.truthy(await askService(place, 'status'))
})

test('a state directory that can’t be one is named, with what to do', async (t) => {
	const file = join(ownFolder(t), 'file')
	writeFileSync(file, '')
	const refused = await t.throwsAsync(
		serveControl({
			stateDirectory: file,
			haven,
			status: () => wellStatus(),
			rescan: () => {},
			prune: async () => [],
			adopt: async () => [],
			repair: async () => [],
		}),
	)
	t.regex(refused.message, /the state directory \S+file can't be used \(EEXIST\)/)
	t.regex(String(Reflect.get(refused, 'hint')), /--state-dir/)
	t.is(await askService({ stateDirectory: file, haven }, 'status'), undefined)
})
