import type { ChalkInstance } from 'chalk'
import type { Line } from './messages.ts'

/** Colours what goes to one stream. */
export interface Colours {
	label: (kind: Line['kind'], text: string) => string
	faint: (text: string) => string
}

const PLAIN: Colours = { label: (_, text) => text, faint: (text) => text }

/**
 * The colours for a stream: none where it is no terminal, nor for NO_COLOR (https://no-color.org), unless FORCE_COLOR
 * asks. chalk is loaded only where there may be any.
 */
export async function coloursFor(to: 'stdout' | 'stderr'): Promise<Colours> {
	const { FORCE_COLOR: forced, NO_COLOR: refused } = process.env
	if (forced === undefined && (refused || !process[to].isTTY)) return PLAIN
	const { Chalk, supportsColor, supportsColorStderr } = await import('chalk')
	const support = to === 'stdout' ? supportsColor : supportsColorStderr
	return support ? coloured(new Chalk({ level: support.level })) : PLAIN
}

function coloured(chalk: ChalkInstance): Colours {
	const styles = { good: chalk.green, bad: chalk.red, doubtful: chalk.yellow, plain: chalk.bold }
	return { label: (kind, text) => styles[kind](text), faint: chalk.dim }
}
