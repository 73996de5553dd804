import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onSignals } from '../../../src/commands/interruption.ts'
import { pass, type RunSync } from '../../../src/commands/sync-pass.ts'
import { failure } from '../../../src/errors.ts'
import type { SyncOptions } from '../../../src/mirror/types.ts'
import type { ReporterOptions } from '../../../src/report/reporter.ts'
import { guardStreams } from '../../../src/report/streams.ts'
import { sealed, summary } from '../../report/support/events.ts'

/** Runs a pass of a made-up engine: `pass-child.ts RUN [REPORTER OPTIONS AS JSON]`. */
const [name = '', report = '{}'] = process.argv.slice(2)
const options: ReporterOptions = { quiet: false, verbosity: 1, json: false, dryRun: false, ...JSON.parse(report) }

/** A call that never returns, as one to a NAS that is gone: opening a FIFO that nobody writes to. */
function hang(): Promise<unknown> {
	const fifo = join(mkdtempSync(join(tmpdir(), 'snaphaven-fifo-')), 'fifo')
	execFileSync('mkfifo', [fifo])
	return open(fifo)
}

function aborted(signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
}

const runs: Record<string, RunSync> = {
	obeys: async (_, tell, signal) => {
		const timer = setInterval(() => {}, 1000)
		tell(sealed())
		await aborted(signal)
		clearInterval(timer)
		return summary({ sealed: 1 })
	},
	throws: async (_, tell, signal) => {
		const timer = setInterval(() => {}, 1000)
		tell(sealed({ state: 'damaged' }))
		await aborted(signal)
		clearInterval(timer)
		signal.throwIfAborted()
		return summary()
	},
	hangs: async (_, tell) => {
		const call = hang()
		tell(sealed())
		await call
		return summary()
	},
	fails: async () => {
		throw failure('it failed', 'mend it')
	},
	breaks: async () => {
		throw new TypeError('nobody thought of this')
	},
	/** Tells seals until it is aborted, and in the end how many by stderr. */
	floods: async (_, tell, signal) => {
		for (let turn = 0; turn < 1_000_000 && !signal.aborted; turn++) {
			tell(sealed())
			if (turn % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
		}
		return summary({ sealed: signal.aborted ? 1 : 2 })
	},
	tells: async (_, tell) => {
		const files = { done: 1, total: 2 }
		const progress = { snapshots: files, files, bytes: files }
		tell({ type: 'progress', progress })
		tell(sealed())
		tell({ type: 'waiting', snapshot: sealed().snapshot, reason: 'not yet' })
		tell({ type: 'skipped', snapshot: sealed().snapshot, reason: 'ephemeral' })
		tell({ type: 'warning', message: 'odd' })
		tell({ type: 'progress', progress })
		return summary({ sealed: 1 })
	},
	/** Names that a terminal or a reader could misunderstand. */
	strange: async (_, tell) => {
		tell(sealed({ snapshot: { ...sealed().snapshot, tag: 'a\u001b[31m\u202eb\udc80' } }))
		return summary({ sealed: 1 })
	},
	plans: async (_, tell) => {
		const { snapshot, ...rest } = sealed()
		for (const tag of ['a', 'b']) tell({ ...rest, type: 'planned', snapshot: { ...snapshot, tag } })
		return summary({ unchanged: 1 })
	},
}

guardStreams()
const run = runs[name]
if (name === 'impatient') {
	onSignals((message) => process.stderr.write(`${message}\n`), 300)
	const call = hang()
	process.stdout.write('ready\n')
	await call
} else if (run !== undefined) {
	const none: Partial<SyncOptions> = {}
	process.exitCode = await pass(none as SyncOptions, options, run)
}
