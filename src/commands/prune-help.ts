import type { HelpText } from './help.ts'

/** The help of `snaphaven prune`, beside its flags. */
export const PRUNE_HELP: HelpText = {
	usage: 'snaphaven prune -s HAVEN --keep-… [options] [keyspace[.table]…]',
	about:
		'Removes snapshots from the haven, but for those that a rule keeps. The rules are those of restic forget. They are applied to the tags of each keyspace; what Cassandra itself took before a truncate or a drop counts by itself, for each table. The last whole snapshot of a table stays. Files that other snapshots share stay with them. On the node nothing is removed, and what is pruned there while it still has it is not mirrored again. Where the service runs, it does the removing.',
	examples: [
		{
			does: 'what would go?',
			line: 'snaphaven prune -n -s /mnt/nas/{host} --keep-daily 7 --keep-weekly 5 --keep-monthly 12',
		},
		{ does: 'two weeks of everything', line: 'snaphaven prune -s /mnt/nas/{host} --keep-within 14d' },
		{
			does: 'one keyspace, without the tags that are kept for ever',
			line: "snaphaven prune -s /mnt/nas/{host} --keep-last 10 --keep-tag 'release_' shop",
		},
	],
	exitCodes: {
		'0': 'done',
		'1': 'not all could be removed; what is named',
		'2': 'wrong usage or configuration: no rule, for example',
		'3': 'receipts that do not hold were found; they were left alone',
	},
}
