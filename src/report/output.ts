import { type Colours, coloursFor } from './colours.ts'
import { type Level, type LogOptions, levelOf, stampFor } from './log-format.ts'
import type { Line } from './messages.ts'
import { jsonLine } from './printable.ts'
import { writeText } from './streams.ts'

/** Where lines go: stdout and stderr of this process, with a line of progress that stays last on a terminal. */
export interface Output {
	/** fields: what stands beside the line where the log is for machines. */
	print(line: Line, fields?: Record<string, unknown>): void
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
export async function openOutput(options: LogOptions = {}): Promise<Output> {
	if (options.logFormat === 'json') return await jsonOutput(options)
	const paper = {
		colours: { stdout: await coloursFor('stdout'), stderr: await coloursFor('stderr') },
		stamps: { stdout: stampFor('stdout', options, process.env), stderr: stampFor('stderr', options, process.env) },
	}
	if (process.stderr.isTTY && process.stderr.columns > 0) return await terminalOutput(paper)
	return plainOutput(paper, options)
}

/** What lines are made of on each stream: colours, and what they begin with. */
interface Paper {
	colours: Record<Line['to'], Colours>
	stamps: Record<Line['to'], (level: Level) => string>
}

function format(line: Line, { colours, stamps }: Paper): string {
	const { to, label, kind } = line
	return `${stamps[to](levelOf(line))}${label === '' ? ' ' : colours[to].label(kind, label)} ${line.text}\n`
}

function plainOutput(paper: Paper, options: LogOptions): Output {
	return {
		print: (line) => writeText(line.to, format(line, paper)),
		printJson: (value) => writeText('stdout', `${jsonLine(value)}\n`),
		showProgress: nowAndThen(options, (text) => {
			writeText('stderr', `${paper.stamps.stderr('info')}progress: ${text}\n`)
		}),
		end: () => {},
	}
}

async function jsonOutput(options: LogOptions): Promise<Output> {
	const { openJsonLog } = await import('./json-log.ts')
	const log = openJsonLog()
	return {
		print: (line, fields = {}) => log(levelOf(line), `${line.label} ${line.text}`.trim(), fields),
		printJson: (value) => writeText('stdout', `${jsonLine(value)}\n`),
		showProgress: nowAndThen(options, (text) => log('info', `progress: ${text}`, { type: 'progress' })),
		end: () => {},
	}
}

/** Tells the progress where nothing can be taken back; a service's log is spared it. */
function nowAndThen({ service }: LogOptions, tell: (text: string) => void): Output['showProgress'] {
	let toldAt = performance.now()
	return (text, now) => {
		if (service || now - toldAt < PROGRESS_INTERVAL) return
		toldAt = now
		tell(text)
	}
}

async function terminalOutput(paper: Paper): Promise<Output> {
	const { createLogUpdate } = await import('log-update')
	const live = createLogUpdate(process.stderr, { showCursor: true })
	let shown = ''
	const above = (to: 'stdout' | 'stderr', text: string) => {
		live.clear()
		writeText(to, text)
		if (shown !== '') live(shown)
	}
	return {
		print: (line) => above(line.to, format(line, paper)),
		printJson: (value) => above('stdout', `${jsonLine(value)}\n`),
		showProgress: (text) => {
			shown = paper.colours.stderr.faint(text)
			live(shown)
		},
		end: () => {
			live.clear()
			shown = ''
		},
	}
}
