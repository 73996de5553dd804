import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { execa, execaSync } from 'execa'
import { ownFolder } from './folder.ts'

/** What this machine lacks to hear what a service tells systemd; undefined where it can. */
export function notifyMissing(): string | undefined {
	return programMissing('systemd-notify') ?? programMissing('python3')
}

/** `needs NAME`; undefined where it is there. */
export function programMissing(name: string): string | undefined {
	return execaSync(name, ['--version'], { reject: false }).exitCode === 0 ? undefined : `needs ${name}`
}

/** Listens as systemd does: for what runs in this environment, and the messages one after the other. */
export async function listenAsSystemd(t: ExecutionContext) {
	const socket = join(ownFolder(t), 'notify')
	const listener = execa('python3', [join(import.meta.dirname, 'notify-listener.py'), socket], {
		reject: false,
		timeout: 300_000,
	})
	t.teardown(async () => {
		listener.kill('SIGKILL')
		await listener
	})
	const lines = listener[Symbol.asyncIterator]()
	const heard = async () => JSON.parse(String((await lines.next()).value)) as string
	t.is(await heard(), 'listening')
	/** The next message, without the barriers by which systemd-notify waits for systemd. */
	const next = async () => {
		for (;;) {
			const message = await heard()
			if (!message.startsWith('BARRIER')) return message
		}
	}
	return { environment: { ...process.env, NOTIFY_SOCKET: socket }, next }
}
