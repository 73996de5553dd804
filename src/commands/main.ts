import { beginThread } from '../mirror/worker-threads.ts'
import { guardStreams } from '../report/streams.ts'
import { tellVersion } from './tell-version.ts'

/** The commands by their names; each is loaded when it is called. */
const COMMANDS: Record<string, () => Promise<(argv: string[]) => Promise<number>>> = {
	sync: async () => (await import('./sync.ts')).sync,
	status: async () => (await import('./status.ts')).status,
	wait: async () => (await import('./wait.ts')).wait,
	list: async () => (await import('./list.ts')).list,
	adopt: async () => (await import('./adopt.ts')).adopt,
	restore: async () => (await import('./restore.ts')).restore,
	verify: async () => (await import('./verify.ts')).verify,
	prune: async () => (await import('./prune.ts')).prune,
	snapshot: async () => (await import('./snapshot.ts')).snapshot,
	sstables: async () => (await import('./sstables.ts')).sstables,
	completion: async () => (await import('./completion.ts')).completion,
	/** What its scripts call. */
	__complete: async () => (await import('./complete.ts')).complete,
}

/**
 * Runs a command line. The first word is the command where it is one's name, else all of it is `sync`'s: so old command
 * lines work, whatever their keyspaces are called, as long as they begin with a flag. Returns the exit code.
 */
export async function main(argv: string[]): Promise<number> {
	guardStreams()
	// Scripts ask often: nothing is loaded for it.
	if (argv.length === 1 && argv[0] === '--version') return tellVersion()
	try {
		const [first = '', ...rest] = argv
		const named = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined
		if (willMirror(first, argv)) beginThread()
		const command = await (named ?? COMMANDS['sync'])?.()
		return (await command?.(named ? rest : argv)) ?? 1
	} catch (error) {
		const { tellError } = await import('../report/tell-error.ts')
		return await tellError(error)
	}
}

/** Whether a command line is, for all that can be seen at once, one that has the threads work: they start meanwhile. */
function willMirror(first: string, argv: string[]): boolean {
	const hasThreads = first === 'sync' || first === 'verify' || !Object.hasOwn(COMMANDS, first)
	return hasThreads && argv.length > 1 && !argv.some((argument) => /^(-h|--help|--version)$/.test(argument))
}
