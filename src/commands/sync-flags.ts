import { defineFlags } from './flags.ts'
import {
	CQL_FLAGS,
	DATA_FLAGS,
	HAVEN_FLAGS,
	NODETOOL_FLAGS,
	PLACE_FLAGS,
	TABLE_FLAGS,
	TELLING_FLAGS,
} from './shared-flags.ts'

/** The flags of `snaphaven sync`; all that the Python snaphaven had keep name, meaning and default. */
export const SYNC_FLAGS = defineFlags({
	...HAVEN_FLAGS,
	once: { kind: 'switch', help: 'one pass, then end; implies --fullsync' },
	fullsync: { kind: 'switch', help: 'also take the snapshots that were there before the first start' },
	'move-snapshots': { kind: 'switch', help: 'delete each snapshot on the node once its copy is sealed' },
	'mirror-deletes': {
		kind: 'switch',
		help: 'remove from the haven what is cleared on the node (not what --move-snapshots deletes there)',
	},
	'mirror-deletes-after': {
		kind: 'value',
		placeholder: 'SECONDS',
		help: 'but not sooner after its seal (default: 3600)',
	},
	'sync-sstables': {
		kind: 'switch',
		help: 'also keep a current copy of the live SSTables: at any instant a set that Cassandra could load',
	},
	'keep-deleted': {
		kind: 'value',
		placeholder: 'DAYS',
		help: 'of live SSTables, keep for so many days what is compacted away (default: not)',
	},
	backups: {
		kind: 'switch',
		help: "also mirror incremental backups: what Cassandra's incremental_backups links into backups/",
	},
	'prune-backups': {
		kind: 'switch',
		help: 'with --backups: delete incremental backups on the node once they are sealed, which Cassandra never does',
	},
	'prune-backups-after': {
		kind: 'value',
		placeholder: 'DURATION',
		help: 'but not sooner after their seal: 90s, 12h, 2d (default: at once)',
	},
	hardlink: {
		kind: 'switch',
		help: "share the node's blocks by hard links, where HAVEN is on its file system and Cassandra never changes the file",
	},
	...CQL_FLAGS,
	...NODETOOL_FLAGS,
	nodetool: {
		...NODETOOL_FLAGS.nodetool,
		help: "without --cql: keep at least the node's tokens and names, as Cassandra's nodetool tells them",
	},
	...DATA_FLAGS,
	'snapshot-regex': {
		kind: 'value',
		placeholder: 'RE',
		help: "only snapshots whose tag this matches from its start, as Python's re.match does",
	},
	...TABLE_FLAGS,
	'settle-time': {
		kind: 'value',
		placeholder: 'SECONDS',
		help: 'how long a snapshot without a complete manifest must have been quiet (default: 60)',
	},

	'limit-rate': {
		kind: 'value',
		placeholder: 'RATE',
		help: "read no more than RATE bytes a second of the node's files: 50M is 50 MiB (default: as fast as it goes)",
	},
	'sweep-interval': {
		kind: 'value',
		placeholder: 'SECONDS',
		help: 'how often the service looks at the disk for what no event told it (default: 5)',
	},
	'require-mount': {
		kind: 'switch',
		help: "begin a haven only where something is mounted: never on the system's own file system",
	},

	'dry-run': { kind: 'switch', help: 'say what would be done, and touch nothing' },
	...PLACE_FLAGS,
	...TELLING_FLAGS,
	'log-format': {
		kind: 'value',
		placeholder: '{text,json}',
		help: 'text: lines for people (default); json: one JSON object a line on stderr for all that is told there or, as lines, on stdout',
	},
})

/** How the help groups them. */
export const SYNC_FLAG_GROUPS: Record<string, (keyof typeof SYNC_FLAGS)[]> = {
	'What is done': [
		'snapshot-dir',
		'once',
		'fullsync',
		'move-snapshots',
		'mirror-deletes',
		'mirror-deletes-after',
		'sync-sstables',
		'keep-deleted',
		'backups',
		'prune-backups',
		'prune-backups-after',
		'hardlink',
	],
	'What else is kept': ['cql', 'cql-credentials', 'nodetool', 'host', 'port', 'user', 'password-file'],
	'Where Cassandra keeps its data (one of)': ['cassandra-dir', 'data-dir', 'cassandra-yaml'],
	'Which snapshots': [
		'all-keyspaces',
		'snapshot-regex',
		'include-table',
		'exclude-table',
		'settle-time',
		'sweep-interval',
	],
	'How fast': ['limit-rate'],
	'With care': ['dry-run', 'require-mount', 'new-haven', 'take-over', 'state-dir'],
	'What is told': ['verbosity', 'quiet', 'json', 'log-format', 'help', 'version'],
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
