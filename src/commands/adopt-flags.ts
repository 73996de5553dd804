import { defineFlags } from './flags.ts'
import { SELECTION_FLAGS } from './selection-flags.ts'
import { DATA_FLAGS, HAVEN_FLAGS, PLACE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'

/** The flags of `snaphaven adopt`. */
export const ADOPT_FLAGS = defineFlags({
	'snapshot-dir': {
		...HAVEN_FLAGS['snapshot-dir'],
		help: 'the folder that the copies are in, made a haven if it is none; {host}, {fqdn}, {cluster} and {instance} in it are filled in',
	},
	tag: SELECTION_FLAGS.tag,
	'dry-run': { kind: 'switch', short: 'n', help: 'name what would be looked at, and touch nothing' },
	...DATA_FLAGS,
	'state-dir': PLACE_FLAGS['state-dir'],
	...TELLING_FLAGS,
	verbosity: {
		...TELLING_FLAGS.verbosity,
		help: '0: the summary and problems, 1: also a line a snapshot (default), 2: details',
	},
})

/** How the help groups them. */
export const ADOPT_FLAG_GROUPS: Record<string, (keyof typeof ADOPT_FLAGS)[]> = {
	'Which copies': ['snapshot-dir', 'tag', 'state-dir'],
	'Where Cassandra keeps its data (one of)': ['cassandra-dir', 'data-dir', 'cassandra-yaml'],
	'What is done and told': ['dry-run', 'verbosity', 'quiet', 'json', 'help', 'version'],
}
