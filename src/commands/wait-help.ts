import type { HelpText } from './help.ts'

/** The help of `snaphaven wait`, beside its flags. */
export const WAIT_HELP: HelpText = {
	usage: 'snaphaven wait -s HAVEN -t TAG [options] [keyspace…]',
	about:
		"Waits until a tag is sealed in the haven for every table of the node's keyspaces that has it, by whatever snaphaven writes there: a service or a pass. Begin it when nodetool snapshot has ended. It goes by the disk, writes nothing, and counts a snapshot that is in the haven and no more on the node (--move-snapshots) as sealed.",
	examples: [
		{
			does: 'a backup, and then something that must not begin before it is safe',
			line: 'nodetool snapshot -t before_upgrade shop && snaphaven wait -s /mnt/nas/{host} -t before_upgrade shop && upgrade',
		},
		{ does: 'is it sealed by now?', line: 'snaphaven wait -q --timeout 0s -s /mnt/nas/{host} -t daily_1' },
	],
	exitCodes: {
		'0': 'sealed',
		'1': 'not sealed within the time, or it cannot be told; what is missing is named',
		'2': 'wrong usage or configuration',
		'3': 'damage was found: the snapshot of a table is sealed as damaged',
	},
}
