import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { execa, execaSync } from 'execa'
import { systemdNotifier } from '../../src/control/notify.ts'
import { ownFolder } from '../support/folder.ts'
import { testWhere } from '../support/not-run.ts'

const notifyMissing = programMissing('systemd-notify') ?? programMissing('python3')

function programMissing(name: string): string | undefined {
	return execaSync(name, ['--version'], { reject: false }).exitCode === 0 ? undefined : `needs ${name}`
}

/** Listens as systemd does. */
async function listen(t: ExecutionContext) {
	const socket = join(ownFolder(t), 'notify')
	const listener = execa('python3', [join(import.meta.dirname, 'support/notify-listener.py'), socket], {
		reject: false,
		timeout: 120_000,
	})
	t.teardown(async () => {
		listener.kill('SIGKILL')
		await listener
	})
	const lines = listener[Symbol.asyncIterator]()
	const heard = async () => JSON.parse(String((await lines.next()).value)) as string
	t.is(await heard(), 'listening')
	/** What is told, without the barriers by which systemd-notify waits for systemd. */
	const next = async () => {
		for (;;) {
			const message = await heard()
			if (!message.startsWith('BARRIER')) return message
		}
	}
	return { environment: { ...process.env, NOTIFY_SOCKET: socket }, next }
}

function refuseWarnings(t: ExecutionContext) {
	return (message: string) => t.fail(message)
}

testWhere(
	notifyMissing,
	'systemd hears that the service is ready, how it is, and that it ends, in that order',
	async (t) => {
		const { environment, next } = await listen(t)
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
	},
)

testWhere(notifyMissing, 'a watchdog hears again and again, from ready on, that the service still turns', async (t) => {
	const { environment, next } = await listen(t)
	const watched = { ...environment, WATCHDOG_USEC: '200000', WATCHDOG_PID: String(process.pid) }
	const notifier = systemdNotifier(watched, refuseWarnings(t))
	// The notifier keeps no process alive; this one has nothing else to wait for.
	notifier.ready()
	t.deepEqual([await next(), await next(), await next()], ['READY=1', 'WATCHDOG=1', 'WATCHDOG=1'])
	await notifier.close()
})

testWhere(notifyMissing, 'a watchdog that is another process’s is left alone', async (t) => {
	const { environment, next } = await listen(t)
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

testWhere(notifyMissing, 'a socket that nobody listens at is told of once', async (t) => {
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
