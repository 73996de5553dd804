import { defineFlags } from './flags.ts'
import { SELECTION_FLAGS } from './selection-flags.ts'
import { DATA_FLAGS, HAVEN_FLAGS, PLACE_FLAGS, TELLING_FLAGS } from './shared-flags.ts'

/** The flags of `snaphaven prune`. */
export const PRUNE_FLAGS = defineFlags({
	'snapshot-dir': {
		...HAVEN_FLAGS['snapshot-dir'],
		help: 'the haven; {host}, {fqdn}, {cluster} and {instance} in it are filled in',
	},
	...SELECTION_FLAGS,
	'keep-last': { kind: 'value', placeholder: 'N', help: 'keep the newest N tags' },
	'keep-hourly': {
		kind: 'value',
		placeholder: 'N',
		help: 'keep the newest tag of each of the last N hours that have one',
	},
	'keep-daily': { kind: 'value', placeholder: 'N', help: 'the same for days, by local time' },
	'keep-weekly': { kind: 'value', placeholder: 'N', help: 'the same for weeks, from Monday on' },
	'keep-monthly': { kind: 'value', placeholder: 'N', help: 'the same for months' },
	'keep-yearly': { kind: 'value', placeholder: 'N', help: 'the same for years' },
	'keep-within': {
		kind: 'value',
		placeholder: 'TIME',
		help: 'keep all that are no older than the newest by this: 36h, 30d',
	},
	'keep-tag': {
		kind: 'list',
		placeholder: 'RE',
		help: 'keep tags that this matches from their start on; may be given again',
	},
	'allow-empty': { kind: 'switch', help: 'remove a table’s last whole snapshot too, where no rule keeps it' },
	'dry-run': { kind: 'switch', short: 'n', help: 'say what would be kept and removed, and touch nothing' },
	...DATA_FLAGS,
	'state-dir': PLACE_FLAGS['state-dir'],
	verbosity: {
		...TELLING_FLAGS.verbosity,
		help: '0: the summary and problems, 1: also each tag (default), 2: also each snapshot that is removed',
	},
	quiet: TELLING_FLAGS.quiet,
	json: { kind: 'switch', help: 'one JSON object a line: each tag, each snapshot removed, then a summary' },
	help: TELLING_FLAGS.help,
	version: TELLING_FLAGS.version,
})

/** How the help groups them. */
export const PRUNE_FLAG_GROUPS: Record<string, (keyof typeof PRUNE_FLAGS)[]> = {
	'What is kept (N: a number, or unlimited)': [
		'keep-last',
		'keep-hourly',
		'keep-daily',
		'keep-weekly',
		'keep-monthly',
		'keep-yearly',
		'keep-within',
		'keep-tag',
		'allow-empty',
	],
	'Among which snapshots': ['snapshot-dir', 'tag', 'since', 'until'],
	'What is done and told': ['dry-run', 'verbosity', 'quiet', 'json', 'help', 'version'],
	'Where this node remembers its havens, and where its data is': [
		'state-dir',
		'cassandra-yaml',
		'cassandra-dir',
		'data-dir',
	],
}
