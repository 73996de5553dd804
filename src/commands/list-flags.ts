import { defineFlags } from './flags.ts'
import { SELECTION_FLAGS } from './selection-flags.ts'
import { DATA_FLAGS, HAVEN_FLAGS, PLACE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'

/** The flags of `snaphaven list`. */
export const LIST_FLAGS = defineFlags({
	'snapshot-dir': {
		...HAVEN_FLAGS['snapshot-dir'],
		help: 'the haven, this node’s or another’s; {host}, {fqdn}, {cluster} and {instance} in it are filled in',
	},
	...SELECTION_FLAGS,
	tables: { kind: 'switch', help: 'also a line for each table of a tag' },
	files: { kind: 'switch', help: 'also a line for each file: reads the receipts whole' },
	bytes: { kind: 'switch', help: 'sizes as exact numbers of bytes' },
	json: { kind: 'switch', help: 'one JSON object a line: each tag (table, file), then a summary' },
	...DATA_FLAGS,
	'state-dir': PLACE_FLAGS['state-dir'],
	help: TELLING_FLAGS.help,
	version: TELLING_FLAGS.version,
})

/** How the help groups them. */
export const LIST_FLAG_GROUPS: Record<string, (keyof typeof LIST_FLAGS)[]> = {
	'Which snapshots': ['snapshot-dir', 'tag', 'since', 'until'],
	'How it is told': ['tables', 'files', 'bytes', 'json', 'help', 'version'],
	'Where this node remembers its havens, and for {cluster} in HAVEN': [
		'state-dir',
		'cassandra-yaml',
		'cassandra-dir',
		'data-dir',
	],
}
