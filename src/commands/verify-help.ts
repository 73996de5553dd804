import type { HelpText } from './help.ts'

/** The help of `snaphaven verify`, beside its flags. */
export const VERIFY_HELP: HelpText = {
	usage: 'snaphaven verify -s HAVEN [options] [keyspace[.table]…]',
	about:
		'Reads every byte of the sealed snapshots in a haven and holds it against their receipts (sizes, CRC-32) and Cassandra’s own words (Digest.crc32, manifest.json). Names each damage, the snapshots that it touches, and where a good copy still is: in another sealed snapshot, or on the node. What snapshots share is read once. No lease is needed, so it goes beside a running service; nothing is written but the dates of what was found good (.snaphaven/verified.json).',
	examples: [
		{ does: 'all of it', line: 'snaphaven verify -s /mnt/nas/{host}' },
		{ does: 'a part each night, which comes round to all', line: 'snaphaven verify -q -s /mnt/nas/{host} --sample 5%' },
		{
			does: 'what was not verified this month',
			line: 'snaphaven verify -s /mnt/nas/{host} --since-last 30d',
		},
		{ does: 'mend what can be mended', line: 'snaphaven verify -s /mnt/nas/{host} --repair' },
		{ does: 'one tag, before it is needed', line: 'snaphaven verify -s /mnt/nas/{host} -t before_upgrade shop' },
	],
	exitCodes: {
		'0': 'all that was looked at is good',
		'1': 'it could not be done, was interrupted, or nothing fits what was asked for',
		'2': 'wrong usage or configuration',
		'3': 'damage was found, also where it was repaired then, or was sealed as damaged at the source',
	},
}
