import { defineFlags } from './flags.ts'
import { CQL_FLAGS, DATA_FLAGS, HAVEN_FLAGS, NODETOOL_FLAGS, PLACE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'
import { SYNC_FLAGS } from './sync-flags.ts'

/** The flags of `snaphaven snapshot`. */
export const SNAPSHOT_FLAGS = defineFlags({
	...HAVEN_FLAGS,
	tag: { kind: 'value', short: 't', placeholder: 'TAG', help: 'the tag (default: snaphaven- and the time, UTC)' },
	ttl: {
		kind: 'value',
		placeholder: 'TIME',
		help: 'when Cassandra is to clear it by itself, for example 1d; needs Cassandra 4.1 or newer',
	},
	clear: {
		kind: 'switch',
		help: 'clear it on the node once all of it is sealed whole (not with a service that has --mirror-deletes)',
	},
	timeout: {
		kind: 'value',
		placeholder: 'TIME',
		help: 'how long a service that runs is waited for, for example 30m (default: 1h)',
	},

	...NODETOOL_FLAGS,
	...CQL_FLAGS,

	...DATA_FLAGS,
	'require-mount': SYNC_FLAGS['require-mount'],
	...PLACE_FLAGS,
	...TELLING_FLAGS,
	quiet: { kind: 'switch', short: 'q', help: 'only warnings and errors, not even the tag' },
	verbosity: {
		...TELLING_FLAGS.verbosity,
		help: '0: the tag and problems, 1: also a line a snapshot (default), 2: also what nodetool printed, and details',
	},
	json: { kind: 'switch', help: 'in place of the tag, one JSON object with the tag, tables, bytes and time' },
})

/** How the help groups them. */
export const SNAPSHOT_FLAG_GROUPS: Record<string, (keyof typeof SNAPSHOT_FLAGS)[]> = {
	'What is done': ['snapshot-dir', 'tag', 'ttl', 'clear', 'timeout'],
	'How nodetool is called': ['nodetool', 'host', 'port', 'user', 'password-file'],
	'What else is kept (where it seals the snapshot itself)': ['cql', 'cql-credentials'],
	'Where Cassandra keeps its data (one of)': ['cassandra-dir', 'data-dir', 'cassandra-yaml'],
	'With care': ['require-mount', 'new-haven', 'take-over', 'state-dir'],
	'What is told': ['verbosity', 'quiet', 'json', 'help', 'version'],
}
