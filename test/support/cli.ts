import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import PQueue from 'p-queue'

const project = join(import.meta.dirname, '../..')
/** The Node that the project runs on, whatever the machine has. */
export const nodeBinary = join(project, 'node_modules/.bin/node')
const { SNAPHAVEN_CLI = join(project, 'dist/cli.js') } = process.env
/** The command as it is built and shipped; SNAPHAVEN_CLI names another build, to see a test fail with a planted defect. */
export const cliFile = SNAPHAVEN_CLI

export interface CliOptions {
	/** The node's memory (`--state-dir`); by default a new folder, removed when the command has ended. */
	stateDirectory?: string
	/** Variables that are added to the environment. */
	env?: Record<string, string>
	/** A command that starts the CLI, such as `strace -f`; its words come before Node's. */
	wrapper?: string[]
	/** After so many ms it is killed; default 300,000. */
	timeoutMs?: number
}

/** What a run of the command left. */
export interface CliResult {
	/** Undefined where a signal ended it. */
	exitCode: number | undefined
	signal: string | undefined
	stdout: string
	stderr: string
}

/**
 * A file's tests begin all at once; of their commands only so many run side by side, since on a busy machine dozens would
 * keep each other from their ends for minutes.
 */
const turns = new PQueue({ concurrency: Math.max(4, availableParallelism()) })

/**
 * Runs `snaphaven ARGS` as it is built, to its end, with a memory of its own, when it is its turn. Never throws for an
 * exit code.
 */
export function runCli(args: string[], options: CliOptions = {}): Promise<CliResult> {
	return turns.add(() => runNow(args, options))
}

async function runNow(args: string[], options: CliOptions): Promise<CliResult> {
	const own = options.stateDirectory === undefined ? await mkdtemp(join(tmpdir(), 'snaphaven-state-')) : undefined
	try {
		const result = await startCli(args, { ...options, stateDirectory: options.stateDirectory ?? own ?? '' })
		if (result.exitCode === undefined && result.signal === undefined) throw result
		const { exitCode, signal, stdout, stderr } = result
		return { exitCode, signal, stdout, stderr }
	} finally {
		if (own !== undefined) await rm(own, { recursive: true, force: true })
	}
}

/** A command that is running: `kill`, `pid`, `stdout`; as a promise it never rejects. */
export type RunningCli = ReturnType<typeof startCli>

/** Starts `snaphaven ARGS`, and leaves it to the caller to wait for it or to kill it. */
export function startCli(args: string[], options: CliOptions & { stateDirectory: string }) {
	return startCommand([nodeBinary, cliFile, ...withState(args, options.stateDirectory)], options)
}

/** Starts a command of one's own making, as startCli starts the CLI. */
export function startCommand(words: string[], options: Omit<CliOptions, 'stateDirectory'>) {
	const [file = '', ...rest] = [...(options.wrapper ?? []), ...words]
	// It has to end by itself when it is told to, also where a busy machine makes that long.
	const end = { killSignal: 'SIGKILL', forceKillAfterDelay: false } as const
	const env = { SNAPHAVEN_TEST_PATIENCE: '120000', ...options.env }
	return execa(file, rest, { reject: false, timeout: options.timeoutMs ?? 300_000, ...end, env })
}

/** The flag goes before a `--`, after which all words are names. */
function withState(args: string[], stateDirectory: string): string[] {
	const end = args.includes('--') ? args.indexOf('--') : args.length
	return [...args.slice(0, end), '--state-dir', stateDirectory, ...args.slice(end)]
}
