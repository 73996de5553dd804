import type { HelpText } from './help.ts'

/** The help of `snaphaven status`, beside its flags. */
export const STATUS_HELP: HelpText = {
	usage: 'snaphaven status -s HAVEN [options]',
	about:
		'Tells how the service of a haven is, by its own word: what it sealed, what waits, what fails and why. The haven itself is not touched, so this answers while it hangs. Where no service runs, it tells when one last ran, and how it was.',
	examples: [
		{ does: 'how is it?', line: 'snaphaven status -s /mnt/nas/{host}' },
		{ does: 'for a monitor', line: 'snaphaven status -s /mnt/nas/{host} --max-age 2h --json' },
	],
	exitCodes: {
		'0': 'it runs, nothing fails, and nothing is unsealed for longer than --max-age',
		'1': 'no service runs, something fails, the haven is in trouble, or a snapshot is unsealed for too long',
		'2': 'wrong usage',
	},
}
