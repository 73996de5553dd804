import type { HelpText } from './help.ts'

/** The help of `snaphaven sync`, beside its flags. */
export const SYNC_HELP: HelpText = {
	usage: 'snaphaven [sync] -s HAVEN [options] (keyspace… | --all-keyspaces)',
	about: `Watches a Cassandra node's keyspaces and mirrors each snapshot, as it is taken, into a haven, a folder on a NAS or a second disk: whole, checked and durable, or not there at all. It runs until it is stopped; with --once it makes one pass over what is there.

Other commands, each with its own --help:
  status    how the running service is
  snapshot  take a snapshot by nodetool, and wait until it is sealed
  wait      wait until a tag is sealed
  list      what is sealed in a haven
  verify    read every byte, and repair from good copies
  restore   give data back
  prune     remove what no rule keeps
  adopt     take in copies that something else has made
  sstables  what is live on the node
  completion  a script that has bash, zsh or fish complete all this`,
	examples: [
		{ does: 'watch a keyspace for new snapshots', line: 'snaphaven -s /mnt/nas/{host} shop' },
		{ does: 'take also those that are there already', line: 'snaphaven -s /mnt/nas/{host} --fullsync shop' },
		{ does: 'only certain snapshots', line: "snaphaven -s /mnt/nas/{host} --snapshot-regex '^daily_' shop" },
		{ does: "free the node's disk", line: 'snaphaven -s /mnt/nas/{host} --move-snapshots shop' },
		{ does: 'one pass over what is there', line: 'snaphaven --once -s /mnt/nas/{host} shop' },
		{ does: 'what would it do?', line: 'snaphaven --once --dry-run -s /mnt/nas/{host} shop' },
		{
			does: 'every keyspace, the data directories from cassandra.yaml',
			line: 'snaphaven -s /mnt/nas/{cluster}/{host} --all-keyspaces \\\n--cassandra-yaml /etc/cassandra/cassandra.yaml',
		},
		{ does: 'a keyspace whose name is that of a command', line: 'snaphaven sync -s /mnt/nas/{host} sync' },
	],
	exitCodes: {
		'0': 'done; a service was stopped by a signal',
		'1': 'something could not be done; it is named',
		'2': 'wrong usage or configuration; nothing was touched',
		'3': 'damage was found, whatever else',
	},
}
