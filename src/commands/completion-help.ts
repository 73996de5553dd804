import type { HelpText } from './help.ts'

/** The help of `snaphaven completion`, beside its flags. */
export const COMPLETION_HELP: HelpText = {
	usage: 'snaphaven completion bash|zsh|fish',
	about:
		'Prints a script that has the shell complete commands, flags, and the keyspaces, tables and tags of the haven that -s names in the line.',
	examples: [
		{ does: 'bash, in ~/.bashrc', line: 'source <(snaphaven completion bash)' },
		{ does: 'zsh, in ~/.zshrc after compinit', line: 'source <(snaphaven completion zsh)' },
		{ does: 'fish', line: 'snaphaven completion fish > ~/.config/fish/completions/snaphaven.fish' },
	],
	exitCodes: { '0': 'printed', '2': 'wrong usage' },
}
