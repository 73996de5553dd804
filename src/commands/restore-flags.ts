import { defineFlags } from './flags.ts'
import { CQL_FLAGS, DATA_FLAGS, HAVEN_FLAGS, NODETOOL_FLAGS, PLACE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'

/** The flags of `snaphaven restore`. */
export const RESTORE_FLAGS = defineFlags({
	'snapshot-dir': {
		...HAVEN_FLAGS['snapshot-dir'],
		help: 'the haven; {host}, {fqdn}, {cluster} and {instance} in it are filled in',
	},
	tag: { kind: 'value', short: 't', placeholder: 'TAG', help: 'the tag that is restored' },
	at: {
		kind: 'value',
		placeholder: 'TIME',
		help: 'the newest snapshots taken at or before a date, a date and time, or so long ago (36h); for a whole keyspace the newest tag that all its tables had',
	},
	backups: {
		kind: 'switch',
		help: 'with --at: and what was flushed between those snapshots and that time, of incremental backups (sync --backups)',
	},
	live: {
		kind: 'switch',
		help: 'with --to: in place of a snapshot the live sets, as --sync-sstables had them last',
	},
	to: {
		kind: 'value',
		placeholder: 'DIR',
		help: 'the folder that it goes to, made if missing: each table to DIR/KEYSPACE/TABLE',
	},
	link: {
		kind: 'switch',
		help: "share the haven's files by hard links in place of copying them, for a look inside alone",
	},
	as: {
		kind: 'value',
		placeholder: 'KEYSPACE.TABLE',
		help: 'with --to or --import: restore the one table that is named as another one, without its indexes',
	},
	import: {
		kind: 'switch',
		help: 'load it into the running Cassandra of this machine, table by table, by nodetool import',
	},
	offline: {
		kind: 'switch',
		help: "put it into the live folders of this machine's stopped Cassandra, beside what is there",
	},
	replace: { kind: 'switch', help: 'with --offline: move what is there aside first; nothing is deleted' },
	'create-schema': {
		kind: 'switch',
		help: 'with --import: make tables that the node lacks, and their keyspaces; by --cql, else by cqlsh',
	},
	'count-rows': {
		kind: 'switch',
		help: 'with --import and --cql: count each table’s rows before and after, which takes as long as reading it',
	},
	schema: {
		kind: 'switch',
		help: 'print the CQL that makes the keyspaces, types, functions, tables, indexes and views as they were',
	},
	roles: { kind: 'switch', help: 'print the CQL that makes the roles as they were, and what they were granted' },
	tokens: { kind: 'switch', help: "print the node's tokens as cassandra.yaml takes them, and who the node was" },
	apply: { kind: 'switch', help: 'with --schema: make what the running node lacks of it; by --cql, else by cqlsh' },
	cql: { ...CQL_FLAGS.cql, help: 'where the running node is asked by CQL, in place of cqlsh' },
	'cql-credentials': CQL_FLAGS['cql-credentials'],
	cqlsh: { kind: 'value', placeholder: 'PATH', help: "Cassandra's cqlsh (default: the one on PATH)" },
	...NODETOOL_FLAGS,
	...DATA_FLAGS,
	'accept-damaged': {
		kind: 'switch',
		help: 'restore what was sealed as damaged too, and go on without SSTables that are damaged in the haven',
	},
	'dry-run': { kind: 'switch', help: 'only say what would be restored; writes nothing' },
	'state-dir': PLACE_FLAGS['state-dir'],
	...TELLING_FLAGS,
	verbosity: {
		...TELLING_FLAGS.verbosity,
		help: '0: the result and problems, 1: also a line a table, how far it is and what to do next (default), 2: also details',
	},
	json: { kind: 'switch', help: 'one JSON object a line: each table, then a summary' },
})

/** How the help groups them. */
export const RESTORE_FLAG_GROUPS: Record<string, (keyof typeof RESTORE_FLAGS)[]> = {
	'What is restored': ['snapshot-dir', 'tag', 'at', 'backups', 'live', 'accept-damaged'],
	'Where to (one of)': ['to', 'import', 'offline'],
	'Or what is printed (one of)': ['schema', 'roles', 'tokens'],
	How: ['as', 'link', 'create-schema', 'count-rows', 'apply', 'replace', 'dry-run'],
	'How the node is reached': ['cql', 'cql-credentials', 'cqlsh', 'nodetool', 'host', 'port', 'user', 'password-file'],
	'Where Cassandra keeps its data (one of)': ['cassandra-dir', 'data-dir', 'cassandra-yaml'],
	'With care': ['state-dir'],
	'What is told': ['verbosity', 'quiet', 'json', 'help', 'version'],
}
