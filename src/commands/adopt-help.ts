import type { HelpText } from './help.ts'

/** The help of `snaphaven adopt`, beside its flags. */
export const ADOPT_HELP: HelpText = {
	usage: 'snaphaven adopt -s HAVEN [options] [keyspace[.table]…]',
	about:
		'Takes in snapshots that something else has copied to HAVEN/data/KEYSPACE/TABLE-ID/snapshots/TAG: the Python snaphaven, cp or rsync. Each that has no receipt yet is read to the last byte and held against its manifest, its digests and, where the node still has it, the node; then it gets its receipt, and list, verify, restore and prune know it. Nothing there is moved or changed. What is incomplete, or not what the node has, is named and left alone.',
	examples: [
		{ does: 'what is there that no receipt knows?', line: 'snaphaven adopt -n -s /mnt/nas/{host}' },
		{ does: 'before the service is started over an older tool’s copies', line: 'snaphaven adopt -s /mnt/nas/{host}' },
		{ does: 'one keyspace', line: "snaphaven adopt -s /mnt/nas/{host} -t 'daily*' shop" },
	],
	exitCodes: {
		'0': 'all was adopted, or there was nothing',
		'1': 'some was not adopted, or could not be: it is named',
		'2': 'wrong usage or configuration',
		'3': 'damage was found: incomplete copies, which were not adopted, or bytes that are not what Cassandra’s digest says',
	},
}
