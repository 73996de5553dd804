import { defineFlags } from './flags.ts'

/** The flags of `snaphaven sync`; all that the Python snaphaven had keep name, meaning and default. */
export const SYNC_FLAGS = defineFlags({
	'snapshot-dir': {
		kind: 'value',
		short: 's',
		placeholder: 'HAVEN',
		help: 'the folder that the copies live in, made if missing; {host}, {fqdn}, {cluster} and {instance} in it are filled in',
	},
	once: { kind: 'switch', help: 'one pass, then end; implies --fullsync' },
	fullsync: { kind: 'switch', help: 'also take the snapshots that were there before the first start' },
	'move-snapshots': { kind: 'switch', help: 'delete each snapshot on the node once its copy is sealed' },
	'sync-sstables': { kind: 'switch', help: 'also mirror the live SSTables (not there yet)' },
	hardlink: {
		kind: 'switch',
		help: "share the node's blocks by hard links, where HAVEN is on its file system and Cassandra never changes the file",
	},

	'cassandra-dir': {
		kind: 'optional',
		short: 'd',
		placeholder: 'DIR',
		help: "Cassandra's folder, its data in DIR/data (default: /var/lib/cassandra)",
	},
	'data-dir': { kind: 'list', placeholder: 'DIR', help: 'a data directory; once for each that the node has' },
	'cassandra-yaml': {
		kind: 'value',
		placeholder: 'FILE',
		help: 'take the data directories (unless --data-dir names them) and the name of the cluster from cassandra.yaml',
	},

	'all-keyspaces': { kind: 'switch', help: "every keyspace but Cassandra's own" },
	'snapshot-regex': {
		kind: 'value',
		placeholder: 'RE',
		help: "only snapshots whose tag this matches from its start, as Python's re.match does",
	},
	'include-table': { kind: 'list', placeholder: 'GLOB', help: 'only tables that one of these fits' },
	'exclude-table': { kind: 'list', placeholder: 'GLOB', help: 'no table that one of these fits' },
	'settle-time': {
		kind: 'value',
		placeholder: 'SECONDS',
		help: 'how long a snapshot without a complete manifest must have been quiet (default: 60)',
	},

	'dry-run': { kind: 'switch', help: 'say what would be done, and touch nothing' },
	'new-haven': { kind: 'switch', help: 'make a new haven even where another one was seen before' },
	'take-over': { kind: 'switch', help: 'go on with the haven of a node that this one replaces' },
	'state-dir': {
		kind: 'value',
		placeholder: 'DIR',
		help: 'where this node remembers its havens (default: /var/lib/snaphaven, or in your home where that is not writable)',
	},

	verbosity: {
		kind: 'value',
		short: 'v',
		placeholder: '{0,1,2}',
		help: '0: summary and problems, 1: also a line a snapshot (default), 2: also what is left alone, and details',
	},
	quiet: { kind: 'switch', short: 'q', help: 'only warnings and errors' },
	json: { kind: 'switch', help: 'one JSON object a line: each outcome, then a summary' },
	help: { kind: 'switch', short: 'h', help: 'show this help' },
	version: { kind: 'switch', help: 'show the version' },
})

/** How the help groups them. */
export const SYNC_FLAG_GROUPS: Record<string, (keyof typeof SYNC_FLAGS)[]> = {
	'What is done': ['snapshot-dir', 'once', 'fullsync', 'move-snapshots', 'sync-sstables', 'hardlink'],
	'Where Cassandra keeps its data (one of)': ['cassandra-dir', 'data-dir', 'cassandra-yaml'],
	'Which snapshots': ['all-keyspaces', 'snapshot-regex', 'include-table', 'exclude-table', 'settle-time'],
	'With care': ['dry-run', 'new-haven', 'take-over', 'state-dir'],
	'What is told': ['verbosity', 'quiet', 'json', 'help', 'version'],
}

/** The flags of the Python snaphaven, which argparse let people shorten to any unmistakable beginning. */
export const PYTHON_FLAGS = [
	'help',
	'quiet',
	'verbosity',
	'move-snapshots',
	'sync-sstables',
	'cassandra-dir',
	'snapshot-dir',
	'fullsync',
	'snapshot-regex',
] satisfies (keyof typeof SYNC_FLAGS)[]
