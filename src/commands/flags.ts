/** A flag of a command, as it is parsed and as the help shows it. */
export interface Flag {
	/**
	 * `switch` takes no value, `value` takes one and stands at most once, `list` may be given again and again, and
	 * `optional` is a value that may be left out (`-d -s …`): then it is `''`.
	 */
	kind: 'switch' | 'value' | 'list' | 'optional'
	/** The letter of its short form, without the dash. */
	short?: string
	/** What its value is called in the help: `DIR`. */
	placeholder?: string
	/** What it does, in the help. */
	help: string
}

/** The flags of a command by their long names, in dashes, without the leading two. */
export type Flags = Record<string, Flag>

/** What a command line gave for each flag. */
export type FlagValues<F extends Flags> = {
	[Name in keyof F]: F[Name]['kind'] extends 'switch'
		? boolean
		: F[Name]['kind'] extends 'list'
			? string[]
			: string | undefined
}

/** How a flag is written, for messages and the help: `-s DIR` and `--snapshot-dir DIR`, the long one last. */
export function flagForms(name: string, flag: Flag): string[] {
	const placeholder = flag.kind === 'optional' ? `[${flag.placeholder}]` : flag.placeholder
	const value = placeholder === undefined ? '' : ` ${placeholder}`
	return [...(flag.short === undefined ? [] : [`-${flag.short}${value}`]), `--${name}${value}`]
}

/** `flags` as they are, their kinds kept exactly, so that the values' types follow from them. */
export function defineFlags<const F extends Flags>(flags: F): F {
	return flags
}
