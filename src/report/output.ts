import { type Colours, coloursFor } from './colours.ts'
import type { Line } from './messages.ts'
import { jsonLine } from './printable.ts'
import { writeText } from './streams.ts'

/** Where lines go: stdout and stderr of this process, with a line of progress that stays last on a terminal. */
export interface Output {
	print(line: Line): void
	/** One line of JSON on stdout. */
	printJson(value: unknown): void
	/** Shows how far things are. now: milliseconds of a steady clock. */
	showProgress(text: string, now: number): void
	/** Takes the progress away. */
	end(): void
}

/** How often the progress is told where there is no terminal, in ms. */
const PROGRESS_INTERVAL = 10_000

/** A terminal that does not know its width cannot take back a line. */
export async function openOutput(): Promise<Output> {
	const colours = { stdout: await coloursFor('stdout'), stderr: await coloursFor('stderr') }
	return process.stderr.isTTY && process.stderr.columns > 0 ? await terminalOutput(colours) : plainOutput(colours)
}

/** The colours of each stream. */
type Palette = Record<'stdout' | 'stderr', Colours>

function format({ to, label, kind, text }: Line, colours: Palette): string {
	return label === '' ? `  ${text}\n` : `${colours[to].label(kind, label)} ${text}\n`
}

function plainOutput(colours: Palette): Output {
	let toldAt = performance.now()
	return {
		print: (line) => writeText(line.to, format(line, colours)),
		printJson: (value) => writeText('stdout', `${jsonLine(value)}\n`),
		showProgress: (text, now) => {
			if (now - toldAt < PROGRESS_INTERVAL) return
			toldAt = now
			writeText('stderr', `progress: ${text}\n`)
		},
		end: () => {},
	}
}

async function terminalOutput(colours: Palette): Promise<Output> {
	const { createLogUpdate } = await import('log-update')
	const live = createLogUpdate(process.stderr, { showCursor: true })
	let shown = ''
	const above = (to: 'stdout' | 'stderr', text: string) => {
		live.clear()
		writeText(to, text)
		if (shown !== '') live(shown)
	}
	return {
		print: (line) => above(line.to, format(line, colours)),
		printJson: (value) => above('stdout', `${jsonLine(value)}\n`),
		showProgress: (text) => {
			shown = colours.stderr.faint(text)
			live(shown)
		},
		end: () => {
			live.clear()
			shown = ''
		},
	}
}
