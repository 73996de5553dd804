import parser from 'yargs-parser'
import { usageError } from '../errors.ts'
import type { Flag, Flags, FlagValues } from './flags.ts'
import { spell } from './spelling.ts'

/** A command line, taken apart. */
interface ParsedArguments<F extends Flags> {
	values: FlagValues<F>
	positionals: string[]
}

/**
 * Takes a command line apart, as getopt_long and Python's argparse would: `-qs DIR`, `-sDIR`, `-s=DIR`,
 * `--snapshot-dir=DIR`, underscores for dashes, flags and arguments in any order, `--` before arguments that begin with
 * a dash. Throws for what it does not know, what lacks its value or has one too many, and for what is given twice.
 * @param shortenable Names of flags that may be shortened to any beginning that fits one of them alone.
 */
export function parseArguments<const F extends Flags>(
	argv: string[],
	flags: F,
	shortenable: string[] = [],
): ParsedArguments<F> {
	refuseBrokenText(argv)
	const { words, written } = spell(argv, flags, shortenable)
	const { argv: parsed, error } = parser.detailed(words, optionsOf(flags))
	if (error) throw usageError(error.message)
	const { _: positionals, ...given } = parsed
	const entries = Object.entries(flags).map(([name, flag]) => [name, combine(written.get(name), flag, given[name])])
	return { values: Object.fromEntries(entries) as FlagValues<F>, positionals: positionals.map(String) }
}

/** Node decodes arguments as UTF-8: one that is none has lost bytes by now, and would name another file. */
function refuseBrokenText(argv: string[]): void {
	const broken = argv.find((argument) => argument.includes('\ufffd'))
	if (broken === undefined) return
	throw usageError(
		`the argument "${broken}" is not valid UTF-8, so what it names cannot be told`,
		'Give a path that is UTF-8, for example a symbolic link to it.',
	)
}

function optionsOf(flags: Flags): parser.Options {
	const named = (wanted: (flag: Flag) => boolean) => Object.keys(flags).filter((name) => wanted(flags[name] as Flag))
	const isSwitch = ({ kind }: Flag) => kind === 'switch'
	return {
		boolean: named(isSwitch),
		string: named((flag) => !isSwitch(flag)),
		// So many words that follow are a flag's: without it a `true` is taken for the value of a switch.
		narg: Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, isSwitch(flag) ? 0 : 1])),
		configuration: {
			'boolean-negation': false,
			'camel-case-expansion': false,
			'dot-notation': false,
			'parse-numbers': false,
			'parse-positional-numbers': false,
		},
	}
}

/** @param raw How the flag was written; undefined where it was not. */
function combine(raw: string | undefined, flag: Flag, given: unknown): boolean | string | string[] | undefined {
	if (flag.kind === 'switch') return raw !== undefined
	const texts = given === undefined ? [] : [given].flat().map(String)
	if (flag.kind === 'list') return texts
	if (texts.length > 1) {
		throw usageError(`${raw} was given ${texts.length} times (${texts.join(', ')}), where one was expected`)
	}
	return texts[0]
}
