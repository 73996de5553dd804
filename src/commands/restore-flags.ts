import { defineFlags } from './flags.ts'
import { DATA_FLAGS, HAVEN_FLAGS, PLACE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'
import { SNAPSHOT_FLAGS } from './snapshot-flags.ts'

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
	'create-schema': { kind: 'switch', help: 'with --import: make tables that the node lacks, by cqlsh' },
	cqlsh: { kind: 'value', placeholder: 'PATH', help: "Cassandra's cqlsh (default: the one on PATH)" },
	nodetool: SNAPSHOT_FLAGS.nodetool,
	host: SNAPSHOT_FLAGS.host,
	port: SNAPSHOT_FLAGS.port,
	user: SNAPSHOT_FLAGS.user,
	'password-file': SNAPSHOT_FLAGS['password-file'],
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
	'What is restored': ['snapshot-dir', 'tag', 'at', 'accept-damaged'],
	'Where to (one of)': ['to', 'import', 'offline'],
	How: ['as', 'link', 'create-schema', 'replace', 'dry-run'],
	'How nodetool and cqlsh are called': ['nodetool', 'host', 'port', 'user', 'password-file', 'cqlsh'],
	'Where Cassandra keeps its data (one of)': ['cassandra-dir', 'data-dir', 'cassandra-yaml'],
	'With care': ['state-dir'],
	'What is told': ['verbosity', 'quiet', 'json', 'help', 'version'],
}
