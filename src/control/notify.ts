import { execFile } from 'node:child_process'

/** Tells systemd how the service is (sd_notify(3)). Nothing happens where systemd did not start it so (Type=notify). */
interface SystemdNotifier {
	/** It is up; from now on it also says by itself, as often as WatchdogSec= needs it, that it still turns. */
	ready: () => void
	/** One line for `systemctl status`. Call it as often as you like: one every ten seconds is sent, the latest. */
	status: (text: string) => void
	/** It is ending. */
	stopping: () => void
	/** Says now that it still turns, where a watchdog asks for it. */
	alive: () => void
	/** Returns when all that was told has been sent; no more is. */
	close: () => Promise<void>
}

const STATUS_EVERY = 10_000
/** How long one message may take, in ms: systemd itself may be busy. */
const PATIENCE = 10_000

/**
 * Messages go by `systemd-notify`, which systemd ships, since Node has no Unix datagram sockets; so the unit needs
 * NotifyAccess=all. Where they can't be sent, `warn` is told once.
 */
export function systemdNotifier(environment: NodeJS.ProcessEnv, warn: (message: string) => void): SystemdNotifier {
	if (!environment['NOTIFY_SOCKET']) return SILENT
	const sender = new Sender(environment, warn)
	const watchdogMs = watchdogInterval(environment)
	let watchdog: NodeJS.Timeout | undefined
	const alive = () => {
		if (watchdogMs !== undefined) sender.send('WATCHDOG=1')
	}
	return {
		ready: () => {
			sender.send('READY=1')
			if (watchdogMs !== undefined) watchdog ??= setInterval(alive, watchdogMs / 2).unref()
		},
		status: (text) => sender.sendStatus(text),
		stopping: () => sender.send('STOPPING=1'),
		alive,
		close: async () => {
			clearInterval(watchdog)
			await sender.close()
		},
	}
}

const SILENT: SystemdNotifier = {
	ready: () => {},
	status: () => {},
	stopping: () => {},
	alive: () => {},
	close: async () => {},
}

/** How often systemd wants to hear of this process, in ms (sd_watchdog_enabled(3)); undefined where it does not. */
function watchdogInterval({ WATCHDOG_USEC: micros, WATCHDOG_PID: pid }: NodeJS.ProcessEnv): number | undefined {
	if (pid !== undefined && pid !== String(process.pid)) return undefined
	const ms = Number(micros ?? '') / 1000
	return ms > 0 ? ms : undefined
}

/** Sends one message after the other, each by a process of its own. */
class Sender {
	readonly #environment: NodeJS.ProcessEnv
	readonly #warn: (message: string) => void
	#queue: string[] = []
	#sending: Promise<void> | undefined
	#closed = false
	#warned = false
	/** The latest that was sent, and what is to be sent when its time has come. */
	#status = ''
	#nextStatus: string | undefined
	#statusTimer: NodeJS.Timeout | undefined

	constructor(environment: NodeJS.ProcessEnv, warn: (message: string) => void) {
		this.#environment = environment
		this.#warn = warn
	}

	send(message: string): void {
		if (this.#closed) return
		if (!this.#queue.includes(message)) this.#queue.push(message)
		this.#sending ??= this.#sendAll()
	}

	sendStatus(text: string): void {
		this.#nextStatus = text.replaceAll(/\s+/g, ' ')
		if (this.#statusTimer === undefined) this.#sendNextStatus()
	}

	async close(): Promise<void> {
		clearTimeout(this.#statusTimer)
		this.#sendNextStatus()
		clearTimeout(this.#statusTimer)
		this.#closed = true
		await this.#sending
	}

	#sendNextStatus(): void {
		this.#statusTimer = undefined
		const next = this.#nextStatus
		if (next === undefined || next === this.#status) return
		this.#status = next
		this.send(`STATUS=${next}`)
		this.#statusTimer = setTimeout(() => this.#sendNextStatus(), STATUS_EVERY).unref()
	}

	async #sendAll(): Promise<void> {
		for (let message = this.#queue.shift(); message !== undefined; message = this.#queue.shift()) {
			const problem = await run(message, this.#environment)
			if (problem !== undefined && !this.#warned) {
				this.#warned = true
				this.#warn(`systemd can't be told how the service is: ${problem}; a unit of Type=notify needs that`)
			}
		}
		this.#sending = undefined
	}
}

/** What went wrong, if anything did. */
async function run(message: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
	return await new Promise((resolve) => {
		execFile('systemd-notify', ['--', message], { env, timeout: PATIENCE }, (error, _, stderr) => {
			if (error === null) resolve(undefined)
			else if (error.code === 'ENOENT') resolve('the program systemd-notify is not there')
			else resolve(stderr.trim() || error.message)
		})
	})
}
