import type { HelpText } from './help.ts'

/** The help of `snaphaven restore`, beside its flags. */
export const RESTORE_HELP: HelpText = {
	usage:
		'snaphaven restore -s HAVEN (-t TAG | --at TIME) (--to DIR | --import | --offline) [options] [keyspace[.table]…]',
	about:
		'Gives data back: copies snapshots out of the haven, ready for nodetool import and sstableloader, and says how to load them; or loads them into the running node, or puts them into a stopped one. Every byte is held against its receipt on the way. A table appears whole or not at all, nothing is overwritten, and a restore that was interrupted goes on when it is run again. Names may be globs; without any, all keyspaces are meant.',
	examples: [
		{
			does: 'a keyspace as it was in a snapshot; what would be done?',
			line: 'snaphaven restore --dry-run -s /mnt/nas/{host} -t daily_1 --to /var/tmp/back shop',
		},
		{
			does: 'one table, back into the running node',
			line: 'snaphaven restore --import -s /mnt/nas/{host} -t daily_1 shop.orders',
		},
		{
			does: 'one table, as late as possible before noon',
			line: 'snaphaven restore -s /mnt/nas/{host} --at 2026-11-20T12:00 --to /var/tmp/back shop.orders',
		},
	],
	exitCodes: {
		'0': 'restored',
		'1': 'something could not be done; it is named',
		'2': 'wrong usage or configuration, or something is in the way; nothing was touched',
		'3': 'damage was found and is named; what is whole was restored',
	},
}
