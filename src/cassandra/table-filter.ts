import picomatch from 'picomatch'
import { usageError } from '../errors.ts'

/**
 * How globs are read everywhere, for picomatch. `debug` throws where else a glob that is no expression would fit nothing,
 * the last one where it would be literal.
 */
export const GLOB_OPTIONS = {
	dot: true,
	nonegate: true,
	posix: true,
	strictBrackets: true,
	debug: true,
	maxExtglobRecursion: false,
}

/**
 * Whether a table, by its name without its id, is wanted: one of the `include` globs fits it (all do where there is
 * none), and none of the `exclude` globs. Globs are bash's, with braces and extglobs; names are case-sensitive, as in
 * the folders' names. Throws for a glob that no table's name could fit.
 */
export function compileTableFilter(include: string[], exclude: string[]): (table: string) => boolean {
	const included = include.map((glob) => compileGlob('--include-table', glob))
	const excluded = exclude.map((glob) => compileGlob('--exclude-table', glob))
	return (table) =>
		(included.length === 0 || included.some((fits) => fits(table))) && !excluded.some((fits) => fits(table))
}

function compileGlob(flag: string, glob: string): (table: string) => boolean {
	if (/^!(?!\()/.test(glob)) {
		const other = flag === '--include-table' ? '--exclude-table' : '--include-table'
		throw usageError(`${flag} "${glob}": a glob cannot be turned round by "!"`, `Use ${other} "${glob.slice(1)}"`)
	}
	const stray = /[^\w*?[\]{}(),!|+@^:\\.-]|(?<!\.)\.(?!\.)/.exec(glob)
	if (stray) {
		throw usageError(
			`${flag} "${glob}": "${stray[0]}" is in no table's name (letters, digits and _)`,
			'Give the name of the table alone, without its keyspace and id.',
		)
	}
	try {
		const fits = picomatch(glob, GLOB_OPTIONS)
		return (table) => fits(table)
	} catch (error) {
		throw usageError(`${flag} "${glob}" is no glob: ${error instanceof Error ? error.message : String(error)}`)
	}
}
