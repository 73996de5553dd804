import type { Flags } from './flags.ts'

/** A command, as the help and completion name it. */
interface NamedCommand {
	about: string
	/** What its arguments name. */
	names: 'keyspaces' | 'tables' | 'shells' | 'nothing'
	/** Its flags, loaded when they are asked for. */
	flags: () => Promise<Flags>
}

/** The commands in the order in which they are told. */
export const NAMED_COMMANDS: Record<string, NamedCommand> = {
	sync: {
		about: 'watch a node and mirror its snapshots (the default)',
		names: 'keyspaces',
		flags: async () => (await import('./sync-flags.ts')).SYNC_FLAGS,
	},
	status: {
		about: 'how the running service is',
		names: 'nothing',
		flags: async () => (await import('./status-flags.ts')).STATUS_FLAGS,
	},
	snapshot: {
		about: 'take a snapshot by nodetool, and wait until it is sealed',
		names: 'keyspaces',
		flags: async () => (await import('./snapshot-flags.ts')).SNAPSHOT_FLAGS,
	},
	wait: {
		about: 'wait until a tag is sealed',
		names: 'keyspaces',
		flags: async () => (await import('./wait-flags.ts')).WAIT_FLAGS,
	},
	list: {
		about: 'what is sealed in a haven',
		names: 'tables',
		flags: async () => (await import('./list-flags.ts')).LIST_FLAGS,
	},
	verify: {
		about: 'read every byte, and repair from good copies',
		names: 'tables',
		flags: async () => (await import('./verify-flags.ts')).VERIFY_FLAGS,
	},
	restore: {
		about: 'give data back',
		names: 'tables',
		flags: async () => (await import('./restore-flags.ts')).RESTORE_FLAGS,
	},
	prune: {
		about: 'remove what no rule keeps',
		names: 'tables',
		flags: async () => (await import('./prune-flags.ts')).PRUNE_FLAGS,
	},
	adopt: {
		about: 'take in copies that something else has made',
		names: 'tables',
		flags: async () => (await import('./adopt-flags.ts')).ADOPT_FLAGS,
	},
	sstables: {
		about: 'what is live on the node',
		names: 'tables',
		flags: async () => (await import('./sstables-flags.ts')).SSTABLES_FLAGS,
	},
	completion: {
		about: 'a script that has a shell complete all this',
		names: 'shells',
		flags: async () => (await import('./completion-flags.ts')).COMPLETION_FLAGS,
	},
}
