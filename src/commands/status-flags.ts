import { defineFlags } from './flags.ts'
import { DATA_FLAGS, HAVEN_FLAGS, PLACE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'

/** The flags of `snaphaven status`. */
export const STATUS_FLAGS = defineFlags({
	'snapshot-dir': { ...HAVEN_FLAGS['snapshot-dir'], help: 'the haven of the service, as the service was given it' },
	...DATA_FLAGS,
	'state-dir': {
		...PLACE_FLAGS['state-dir'],
		help: 'the --state-dir of the service (default: /var/lib/snaphaven, or in your home where there is none of it there)',
	},
	'max-age': {
		kind: 'value',
		placeholder: 'TIME',
		help: 'exit 1 where a snapshot is unsealed for longer than this: 90s, 15m, 2h, 1d',
	},
	json: { kind: 'switch', help: 'one JSON object' },
	help: TELLING_FLAGS.help,
	version: TELLING_FLAGS.version,
})

/** How the help groups them. */
export const STATUS_FLAG_GROUPS: Record<string, (keyof typeof STATUS_FLAGS)[]> = {
	'Which service': ['snapshot-dir', 'state-dir'],
	'What is asked': ['max-age', 'json', 'help', 'version'],
	'For {cluster} in HAVEN (accepted as the service takes them)': ['cassandra-yaml', 'cassandra-dir', 'data-dir'],
}
