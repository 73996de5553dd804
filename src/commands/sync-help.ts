import type { HelpText } from './help.ts'

/** The help of `snaphaven sync`, beside its flags. */
export const SYNC_HELP: HelpText = {
	usage: 'snaphaven [sync] -s HAVEN [options] (keyspace… | --all-keyspaces)',
	about:
		"Mirrors the snapshots of a Cassandra node's keyspaces into a haven, a folder on a NAS or a second disk: each one whole, checked and durable, or not there at all. What is already safe is not copied again.",
	examples: [
		{ does: 'one pass over a keyspace', line: 'snaphaven --once -s /mnt/nas/{host} shop' },
		{ does: 'what would it do?', line: 'snaphaven --once --dry-run -s /mnt/nas/{host} shop' },
		{ does: 'only certain snapshots', line: "snaphaven --once -s /mnt/nas/{host} --snapshot-regex '^daily_' shop" },
		{ does: "free the node's disk", line: 'snaphaven --once -s /mnt/nas/{host} --move-snapshots shop' },
		{
			does: 'every keyspace, the data directories from cassandra.yaml',
			line: 'snaphaven --once -s /mnt/nas/{cluster}/{host} --all-keyspaces \\\n--cassandra-yaml /etc/cassandra/cassandra.yaml',
		},
		{ does: 'a keyspace whose name is that of a command', line: 'snaphaven sync --once -s /mnt/nas/{host} sync' },
	],
	exitCodes: {
		'0': 'done',
		'1': 'something could not be done; it is named',
		'2': 'wrong usage or configuration; nothing was touched',
		'3': 'damage was found, whatever else',
	},
}
