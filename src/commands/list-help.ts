import type { HelpText } from './help.ts'

/** The help of `snaphaven list`, beside its flags. */
export const LIST_HELP: HelpText = {
	usage: 'snaphaven list -s HAVEN [options] [keyspace[.table]…]',
	about:
		'Tells what is sealed in a haven, by its receipts: each keyspace’s tags, oldest first, with when they were taken, their tables, files, size, what of that is stored on its account (STORED: the rest is shared with earlier snapshots), and their state. Tables that a tag lacks, and that existed then, are named. Keyspaces and tables may be globs. Nothing is written, and no lease is taken; the copies themselves are not looked at: that is verify’s.',
	examples: [
		{ does: 'what is there?', line: 'snaphaven list -s /mnt/nas/{host}' },
		{ does: 'one table, this month', line: 'snaphaven list -s /mnt/nas/{host} --tables --since 30d shop.orders' },
		{ does: 'is that tag there?', line: "snaphaven list -s /mnt/nas/{host} -t 'before_*' --json shop" },
	],
	exitCodes: {
		'0': 'told',
		'1': 'nothing fits what was asked for, or the haven can’t be read',
		'2': 'wrong usage or configuration',
		'3': 'damage: a receipt does not hold, or a snapshot was sealed as damaged at the source',
	},
}
