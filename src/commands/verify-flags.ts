import { defineFlags } from './flags.ts'
import { SELECTION_FLAGS } from './selection-flags.ts'
import { DATA_FLAGS, HAVEN_FLAGS, PLACE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'

/** The flags of `snaphaven verify`. */
export const VERIFY_FLAGS = defineFlags({
	'snapshot-dir': {
		...HAVEN_FLAGS['snapshot-dir'],
		help: 'the haven, this node’s or another’s; {host}, {fqdn}, {cluster} and {instance} in it are filled in',
	},
	...SELECTION_FLAGS,
	'since-last': {
		kind: 'value',
		placeholder: 'TIME',
		help: 'leave out what was verified within that time: 7d, 30d',
	},
	sample: {
		kind: 'value',
		placeholder: 'PERCENT',
		help: 'only so much, for example 5%: of the snapshots that were not verified for longest, so that all come round',
	},
	quick: { kind: 'switch', help: 'sizes and times alone; only a file whose time is another is read' },
	repair: {
		kind: 'switch',
		help: 'put a good copy, proven once more, in the place of each damaged file that has one; through the service, where one runs',
	},
	...DATA_FLAGS,
	'state-dir': PLACE_FLAGS['state-dir'],
	...TELLING_FLAGS,
	verbosity: {
		...TELLING_FLAGS.verbosity,
		help: '0: the result and problems, 1: also how far it is (default), 2: also each file that no receipt knows',
	},
	json: { kind: 'switch', help: 'one JSON object a line: each damage, then a summary' },
})

/** How the help groups them. */
export const VERIFY_FLAG_GROUPS: Record<string, (keyof typeof VERIFY_FLAGS)[]> = {
	'Which snapshots': ['snapshot-dir', 'tag', 'since', 'until', 'since-last', 'sample'],
	How: ['quick', 'repair', 'state-dir'],
	'Where Cassandra keeps its data, which may still have a good copy (one of)': [
		'cassandra-dir',
		'data-dir',
		'cassandra-yaml',
	],
	'What is told': ['verbosity', 'quiet', 'json', 'help', 'version'],
}
