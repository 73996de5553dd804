import { defineFlags } from './flags.ts'
import { DATA_FLAGS, TELLING_FLAGS } from './shared-flags.ts'

/** The flags of `snaphaven sstables`. */
export const SSTABLES_FLAGS = defineFlags({
	files: { kind: 'switch', help: 'the paths of the live files alone, one a line, as for another program' },
	json: { kind: 'switch', help: 'one JSON object a line: each SSTable, each transaction log, then a summary' },
	...DATA_FLAGS,
	help: TELLING_FLAGS.help,
	version: TELLING_FLAGS.version,
})

/** How the help groups them. */
export const SSTABLES_FLAG_GROUPS: Record<string, (keyof typeof SSTABLES_FLAGS)[]> = {
	'What is told': ['files', 'json', 'help', 'version'],
	'Where Cassandra keeps its data (one of)': ['cassandra-dir', 'data-dir', 'cassandra-yaml'],
}
