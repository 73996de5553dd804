import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { makeScene, type Scene } from '../../mirror/support/scene.ts'
import { type CliOptions, type RunningCli, startCli } from '../../support/cli.ts'
import type { TreeOptions } from '../../support/tree.ts'

/** A running `snaphaven -s HAVEN FLAGS KEYSPACE`. */
export interface RunningService {
	process: RunningCli
	/** What it has said so far, stdout and stderr in one, without the times that its lines begin with. */
	said: () => string
	/** The same with the times. */
	log: () => string
	/** Resolves when the condition holds; fails the test after five minutes, with what the service said. */
	until: (what: string, condition: () => boolean) => Promise<void>
	/** Resolves when it has said that it watches, and has the haven open. */
	ready: () => Promise<void>
	/** Ends it by SIGTERM: it has to end by itself, with exit code 0, and without a trace that only a programmer could read. */
	stop: () => Promise<void>
}

const PATIENCE_MS = 300_000
/** A service is killed after this. */
export const SERVICE_TIMEOUT_MS = 900_000
const TIMES = /^\d{4}-\d\d-\d\dT[\d:.]+Z /gm

export interface ServiceScene extends Scene {
	start: (flags?: string[], options?: CliOptions & { keyspaces?: string[] }) => RunningService
}

/** A node with no snapshot yet, and a service that can be started over it. It sweeps twice a second. */
export function makeServiceScene(
	t: ExecutionContext,
	options: TreeOptions & { parent?: string; haven?: string } = {},
): ServiceScene {
	const own = makeScene(t, options)
	const scene = { ...own, haven: options.haven ?? own.haven }
	const start: ServiceScene['start'] = (flags = [], { keyspaces = [scene.node.keyspace], ...more } = {}) => {
		const args = ['-s', scene.haven, ...scene.node.flags, '--sweep-interval', '0.5', ...flags, ...keyspaces]
		return superviseService(
			t,
			startCli(args, { stateDirectory: scene.state, timeoutMs: SERVICE_TIMEOUT_MS, ...more }),
			scene.haven,
		)
	}
	return { ...scene, start }
}

/** A service that was started just now, over that haven; it is killed with the test. */
export function superviseService(t: ExecutionContext, child: RunningCli, haven: string): RunningService {
	t.teardown(async () => {
		child.kill('SIGKILL')
		await child
	})
	let text = ''
	for (const stream of [child.stdout, child.stderr]) {
		stream?.on('data', (chunk: Buffer) => {
			text += chunk.toString()
		})
	}
	const said = () => text.replaceAll(TIMES, '')
	const until: RunningService['until'] = async (what, condition) => {
		const end = Date.now() + PATIENCE_MS
		while (!condition()) {
			if (Date.now() > end) throw new Error(`waited in vain for: ${what}. The service said:\n${text}`)
			await sleep(20)
		}
	}
	return {
		process: child,
		said,
		log: () => text,
		until,
		ready: () =>
			until('watching', () => /^watching:/m.test(said()) && existsSync(join(haven, '.snaphaven/baseline.json'))),
		stop: async () => {
			child.kill('SIGTERM')
			const { exitCode, signal } = await child
			t.deepEqual({ exitCode, signal }, { exitCode: 0, signal: undefined }, text)
			t.notRegex(text, /^\s+at .*:\d+:\d+/m)
		},
	}
}

/** Number of receipts of a tag in the haven. */
export function sealedOf({ haven }: Pick<Scene, 'haven'>, tag: string): number {
	const receipts = join(haven, '.snaphaven/receipts')
	if (!existsSync(receipts)) return 0
	return readdirSync(receipts, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith(`/${tag}.json`))
		.length
}

/** A receipt's text, the first table's; empty where there is none. */
export function receiptOf({ haven, node }: Scene, tag: string, table = node.folders[0] ?? ''): string {
	const path = join(haven, '.snaphaven/receipts', node.keyspace, table, `${tag}.json`)
	return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
