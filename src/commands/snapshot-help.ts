import type { HelpText } from './help.ts'

/** The help of `snaphaven snapshot`, beside its flags. */
export const SNAPSHOT_HELP: HelpText = {
	usage: 'snaphaven snapshot -s HAVEN [options] keyspace…',
	about:
		'Takes a snapshot of keyspaces by nodetool, and ends when it is sealed in the haven for every table: by the service, where one runs, else by itself. Its tag goes to stdout, all else to stderr.',
	examples: [
		{
			does: "a backup that leaves nothing on the node's disk",
			line: 'snaphaven snapshot --clear -s /mnt/nas/{host} shop',
		},
		{
			does: 'where JMX asks for a password',
			line: 'snaphaven snapshot -s /mnt/nas/{host} -u backup --password-file /etc/snaphaven/jmx shop',
		},
		{
			does: 'the tag, for what comes next',
			line: 'tag=$(snaphaven snapshot -v 0 -s /mnt/nas/{host} shop) && echo "$tag"',
		},
	],
	exitCodes: {
		'0': 'taken and sealed (with --clear: and cleared)',
		'1': 'something could not be done; it is named',
		'2': 'wrong usage or configuration; nothing was touched',
		'3': 'damage was found: sealed as damaged, and not cleared',
	},
}
