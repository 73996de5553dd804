import { usageError } from '../errors.ts'
import { type Flag, type Flags, flagForms } from './flags.ts'
import { unknownFlag } from './unknown-flag.ts'

/** A command line in one spelling. */
interface SpelledLine {
	/** Each flag by its long name; a value that was written in the same argument, or left out, follows a `=`. */
	words: string[]
	/** How each flag was written where it first stands, by its long name: `-s`. */
	written: Map<string, string>
}

/** A flag as it stands on the command line. */
interface WrittenFlag {
	name: string
	flag: Flag
	/** As it was written: `-s`. */
	raw: string
	/** What stands in the same argument; undefined where nothing does. */
	value: string | undefined
}

/**
 * Brings what getopt_long and Python's argparse accept into one spelling: `-qs DIR`, `-sDIR`, `-s=DIR`, underscores for
 * dashes, flags that are shortened, a value that is left out. Throws for a flag that the command does not have, and for
 * one that lacks its value or has one and takes none.
 * @param shortenable Names of flags that may be shortened to any beginning that fits one of them alone.
 */
export function spell(argv: string[], flags: Flags, shortenable: string[]): SpelledLine {
	const words: string[] = []
	const written = new Map<string, string>()
	for (const [index, argument] of argv.entries()) {
		if (argument === '--') return { words: [...words, ...argv.slice(index)], written }
		if (!looksLikeFlag(argument)) {
			words.push(argument)
			continue
		}
		const found = argument.startsWith('--') ? [long(argument, flags, shortenable)] : cluster(argument, flags)
		for (const one of found) {
			words.push(wordOf(one, argv[index + 1]))
			if (!written.has(one.name)) written.set(one.name, one.raw)
		}
	}
	return { words, written }
}

function looksLikeFlag(argument: string): boolean {
	return argument.length > 1 && argument.startsWith('-')
}

function long(argument: string, flags: Flags, shortenable: string[]): WrittenFlag {
	const equals = argument.indexOf('=')
	const raw = equals === -1 ? argument : argument.slice(0, equals)
	const name = nameOf(raw.slice(2).replaceAll('_', '-'), flags, shortenable)
	const flag = name === undefined ? undefined : flags[name]
	if (name === undefined || flag === undefined) throw unknownFlag(raw, argument, flags)
	return { name, flag, raw, value: equals === -1 ? undefined : argument.slice(equals + 1) }
}

/** The name that is meant; undefined where there is none, or more than one. */
function nameOf(written: string, flags: Flags, shortenable: string[]): string | undefined {
	if (Object.hasOwn(flags, written)) return written
	const meant = shortenable.filter((candidate) => candidate.startsWith(written))
	return meant.length === 1 ? meant[0] : undefined
}

/** The flags of `-qsDIR`: what follows the letter of one that takes a value is its value. */
function cluster(argument: string, flags: Flags): WrittenFlag[] {
	const found: WrittenFlag[] = []
	for (let rest = argument.slice(1); rest !== ''; ) {
		const letter = String.fromCodePoint(rest.codePointAt(0) ?? 0)
		const [name, flag] = Object.entries(flags).find(([, { short }]) => short === letter) ?? []
		if (name === undefined || flag === undefined) throw unknownFlag(`-${letter}`, argument, flags)
		rest = rest.slice(letter.length)
		const hasValue = rest.startsWith('=') || (flag.kind !== 'switch' && rest !== '')
		found.push({ name, flag, raw: `-${letter}`, value: hasValue ? rest.replace(/^=/, '') : undefined })
		if (hasValue) break
	}
	return found
}

function wordOf({ name, flag, raw, value }: WrittenFlag, next: string | undefined): string {
	if (flag.kind === 'switch') {
		if (value !== undefined) throw usageError(`${raw} takes no value, but was given "${value}"`)
		return `--${name}`
	}
	const isBare = value === undefined && (next === undefined || looksLikeFlag(next))
	if (flag.kind === 'optional') return isBare ? `--${name}=` : joined(name, value)
	const needs = `${raw} needs a value (${raw} ${flag.placeholder})`
	if (isBare && next === undefined) throw usageError(`${needs}, but is the last word of the line`)
	if (isBare) {
		const form = flagForms(name, flag).at(-1)?.split(' ')[0]
		throw usageError(
			`${needs}, but what follows is ${next}`,
			`A value that begins with a dash is written ${form}=${next}`,
		)
	}
	if ((value ?? next) === '') throw usageError(`${needs}, but was given an empty one`)
	return joined(name, value)
}

function joined(name: string, value: string | undefined): string {
	return value === undefined ? `--${name}` : `--${name}=${value}`
}
