import { isShown, type Line, type Loudness } from '../report/messages.ts'
import { openOutput } from '../report/output.ts'

/** How much is told, and in which form. */
export interface Telling extends Loudness {
	/** Objects on stdout, in place of the lines for people there. */
	json: boolean
}

/** Tells what a command does that is no pass. */
export interface Teller {
	print: (line: Line) => void
	/** Nothing without `--json`. */
	printJson: (value: unknown) => void
	/** On a terminal only, and at least at -v 1. */
	showProgress: (text: string) => void
	endProgress: () => void
}

/** A teller on this process's stdout and stderr. */
export async function openTeller(telling: Telling): Promise<Teller> {
	const output = await openOutput()
	const withProgress = process.stderr.isTTY && isShown('result', telling)
	return {
		print: (line) => {
			if (telling.json && line.to === 'stdout') return
			if (isShown(line.importance, telling)) output.print(line)
		},
		printJson: (value) => {
			if (telling.json) output.printJson(value)
		},
		showProgress: (text) => {
			if (withProgress) output.showProgress(text, performance.now())
		},
		endProgress: () => output.end(),
	}
}
