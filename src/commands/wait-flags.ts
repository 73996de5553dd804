import { defineFlags } from './flags.ts'
import { DATA_FLAGS, HAVEN_FLAGS, PLACE_FLAGS, TABLE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'

/** The flags of `snaphaven wait`. */
export const WAIT_FLAGS = defineFlags({
	'snapshot-dir': {
		...HAVEN_FLAGS['snapshot-dir'],
		help: 'the haven; {host}, {fqdn}, {cluster} and {instance} in it are filled in',
	},
	tag: { kind: 'value', short: 't', placeholder: 'TAG', help: 'the tag that is waited for' },
	timeout: { kind: 'value', placeholder: 'TIME', help: 'how long, for example 90s, 30m or 2h (default: 1h)' },
	...DATA_FLAGS,
	...TABLE_FLAGS,
	'all-keyspaces': { kind: 'switch', help: "every keyspace but Cassandra's own; so it is too where none is named" },
	'state-dir': PLACE_FLAGS['state-dir'],
	...TELLING_FLAGS,
	verbosity: {
		...TELLING_FLAGS.verbosity,
		help: '0: the result and problems, 1: also how far it is, on a terminal (default), 2: also a line a table',
	},
	json: { kind: 'switch', help: 'one JSON object a line: each table, then a summary' },
})

/** How the help groups them. */
export const WAIT_FLAG_GROUPS: Record<string, (keyof typeof WAIT_FLAGS)[]> = {
	'What is waited for': [
		'snapshot-dir',
		'tag',
		'timeout',
		'all-keyspaces',
		'include-table',
		'exclude-table',
		'state-dir',
	],
	'Where Cassandra keeps its data (one of)': ['cassandra-dir', 'data-dir', 'cassandra-yaml'],
	'What is told': ['verbosity', 'quiet', 'json', 'help', 'version'],
}
