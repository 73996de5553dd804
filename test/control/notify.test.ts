import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { systemdNotifier } from '../../src/control/notify.ts'
import { ownFolder } from '../support/folder.ts'
import { testWhere } from '../support/not-run.ts'
import { listenAsSystemd, notifyMissing } from '../support/systemd.ts'

const missing = notifyMissing()

function refuseWarnings(t: ExecutionContext) {
	return (message: string) => t.fail(message)
}

testWhere(missing, 'systemd hears that the service is ready, how it is, and that it ends, in that order', async (t) => {
	const { environment, next } = await listenAsSystemd(t)
	const notifier = systemdNotifier(environment, refuseWarnings(t))
	notifier.ready()
	notifier.status('--12 sealed,\n2 waiting')
	notifier.status('passed over')
	notifier.status('13 sealed')
	notifier.alive()
	notifier.stopping()
	await notifier.close()
	notifier.alive()
	const told = [await next(), await next(), await next(), await next()]
	t.deepEqual(told, ['READY=1', 'STATUS=--12 sealed, 2 waiting', 'STOPPING=1', 'STATUS=13 sealed'])
})

testWhere(missing, 'a watchdog hears again and again, from ready on, that the service still turns', async (t) => {
	const { environment, next } = await listenAsSystemd(t)
	const watched = { ...environment, WATCHDOG_USEC: '200000', WATCHDOG_PID: String(process.pid) }
	const notifier = systemdNotifier(watched, refuseWarnings(t))
	// The notifier keeps no process alive; this one has nothing else to wait for.
	notifier.ready()
	t.deepEqual([await next(), await next(), await next()], ['READY=1', 'WATCHDOG=1', 'WATCHDOG=1'])
	await notifier.close()
})

testWhere(missing, 'a watchdog that is another process’s is left alone', async (t) => {
	const { environment, next } = await listenAsSystemd(t)
	const notifier = systemdNotifier({ ...environment, WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' }, refuseWarnings(t))
	notifier.alive()
	notifier.ready()
	notifier.alive()
	notifier.stopping()
	await notifier.close()
	t.deepEqual([await next(), await next()], ['READY=1', 'STOPPING=1'])
})

test('without systemd nothing is told, and nothing is warned of', async (t) => {
	const notifier = systemdNotifier({ WATCHDOG_USEC: '1000' }, refuseWarnings(t))
	notifier.ready()
	notifier.status('x')
	notifier.alive()
	notifier.stopping()
	await notifier.close()
	t.pass()
})

test('a missing systemd-notify is told of once', async (t) => {
	const warnings: string[] = []
	const notifier = systemdNotifier({ NOTIFY_SOCKET: '/nowhere', PATH: ownFolder(t) }, (message) => {
		warnings.push(message)
	})
	notifier.ready()
	notifier.stopping()
	await notifier.close()
	t.is(warnings.length, 1)
	t.regex(warnings[0] ?? '', /the program systemd-notify is not there/)
})

testWhere(missing, 'a socket that nobody listens at is told of once', async (t) => {
	const warnings: string[] = []
	const environment = { ...process.env, NOTIFY_SOCKET: join(ownFolder(t), 'nobody') }
	const notifier = systemdNotifier(environment, (message) => {
		warnings.push(message)
	})
	notifier.ready()
	notifier.stopping()
	await notifier.close()
	t.is(warnings.length, 1)
	t.regex(warnings[0] ?? '', /systemd can't be told how the service is: .*No such file/)
})
