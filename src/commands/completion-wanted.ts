import { NAMED_COMMANDS } from './command-names.ts'
import type { Flag, Flags } from './flags.ts'

/** A word that may stand there, and what it does. */
export interface Candidate {
	word: string
	about?: string
}

/** What may stand where the cursor is. `prefix`: what the word has before it, as `--tag=`. */
export type Wanted =
	| { kind: 'words'; words: Candidate[]; prefix: string }
	| { kind: 'files' }
	/** Of the haven, as these words of the command's line name it. */
	| { kind: 'keyspaces' | 'tables' | 'tags'; prefix: string; rest: string[]; flags: Flags }

const NOTHING: Wanted = { kind: 'words', words: [], prefix: '' }

/** Finds what may stand after these words, where so much of a word is typed already. */
export async function findWanted(words: string[], current: string): Promise<Wanted> {
	const [first = ''] = words
	const named = Object.hasOwn(NAMED_COMMANDS, first)
	if (words.length === 0 && !current.startsWith('-')) {
		const commands = Object.entries(NAMED_COMMANDS).map(([word, { about }]) => ({ word, about }))
		return { kind: 'words', words: commands, prefix: '' }
	}
	const command = NAMED_COMMANDS[named ? first : 'sync']
	if (!command) return NOTHING
	const rest = named ? words.slice(1) : words
	const flags = await command.flags()
	const ended = rest.includes('--')
	const before = ended ? undefined : awaiting(rest.at(-1), flags)
	if (before) return wantedOf(before, '', rest.slice(0, -1), flags)
	const [, prefix = '', name = ''] = (!ended && /^(--([\w-]+)=)/.exec(current)) || []
	const flag = flags[name.replaceAll('_', '-')]
	if (flag && flag.kind !== 'switch') return wantedOf([name.replaceAll('_', '-'), flag], prefix, rest, flags)
	if (!ended && current.startsWith('-')) return { kind: 'words', words: flagWords(flags, rest), prefix: '' }
	if (command.names === 'nothing') return NOTHING
	if (command.names === 'shells') {
		return { kind: 'words', words: ['bash', 'zsh', 'fish'].map((word) => ({ word })), prefix: '' }
	}
	return { kind: command.names, prefix: '', rest, flags }
}

/** The flag that a word is, or ends with (`-qs`), whose value comes next. */
function awaiting(word = '', flags: Flags): [name: string, flag: Flag] | undefined {
	const takesValue = ([, { kind }]: [string, Flag]) => kind !== 'switch'
	const long = /^--([\w-]+)$/.exec(word)?.[1]?.replaceAll('_', '-')
	if (long !== undefined) return Object.entries(flags).find(([name, flag]) => name === long && takesValue([name, flag]))
	if (!/^-\w+$/.test(word)) return undefined
	const letters = [...word.slice(1)]
	const first = letters.findIndex((letter) =>
		Object.entries(flags).some((entry) => entry[1].short === letter && takesValue(entry)),
	)
	if (first === -1 || first < letters.length - 1) return undefined
	return Object.entries(flags).find(([, { short }]) => short === letters.at(-1))
}

function wantedOf([name, flag]: [string, Flag], prefix: string, rest: string[], flags: Flags): Wanted {
	const { placeholder = '' } = flag
	if (name === 'tag') return { kind: 'tags', prefix, rest, flags }
	if (['HAVEN', 'DIR', 'FILE', 'PATH'].includes(placeholder)) return { kind: 'files' }
	const choices = /^\{(.*)\}$/.exec(placeholder)?.[1]?.split(',') ?? []
	return { kind: 'words', words: choices.map((word) => ({ word })), prefix }
}

/** The flags that may still be given. */
function flagWords(flags: Flags, rest: string[]): Candidate[] {
	const given = new Set(rest.map((word) => word.replace(/=.*$/s, '')))
	return Object.entries(flags)
		.filter(([name, { kind, short }]) => kind === 'list' || !(given.has(`--${name}`) || given.has(`-${short}`)))
		.map(([name, { help }]) => ({ word: `--${name}`, about: help }))
}
