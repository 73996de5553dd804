import type { HelpText } from './help.ts'

/** The help of `snaphaven sstables`, beside its flags. */
export const SSTABLES_HELP: HelpText = {
	usage: 'snaphaven sstables [options] keyspace[.table]…',
	about:
		'Lists the SSTables of tables by what they are: live (Cassandra would load them, were it to start now), temporary or obsolete (it would delete them), incomplete, or not known now; by the names of their files and by the transaction logs of all data directories, as sstableutil does, without a JVM. It writes nothing, and needs no haven. The node may run, be down, or have been killed.',
	examples: [
		{ does: 'a keyspace', line: 'snaphaven sstables shop' },
		{
			does: 'the live files of one table, whatever it is doing',
			line: 'snaphaven sstables --files --cassandra-yaml /etc/cassandra/cassandra.yaml shop.orders',
		},
	],
	exitCodes: {
		'0': 'done',
		'1': 'of some it is not known now, or they could not be looked at; they are named',
		'2': 'wrong usage or configuration',
		'3': 'damage was found: an SSTable lacks what it needs to load, or a transaction log is damaged',
	},
}
