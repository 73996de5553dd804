import { writeText } from '../report/streams.ts'
import { forBash, splitTyped } from './completion-line.ts'
import { havenWords } from './completion-names.ts'
import { type Candidate, findWanted } from './completion-wanted.ts'

/** Nobody waits longer for a Tab than that, whatever the NAS does. Tests on a busy machine say for how long they do. */
const PATIENCE_MS = Number(process.env['SNAPHAVEN_TEST_PATIENCE'] ?? 2000)

/**
 * `snaphaven __complete SHELL …`, what completion scripts call: for bash the line up to the cursor and COMP_WORDBREAKS,
 * for zsh and fish its words, the command's name first and the unfinished word last. Never says what went wrong.
 */
export async function complete([shell = '', ...given]: string[]): Promise<number> {
	// A call to a NAS that hangs can't be taken back: no exit would wait less than for ever.
	const late = setTimeout(() => process.kill(process.pid, 'SIGKILL'), PATIENCE_MS)
	try {
		const [line = '', breaks = ''] = given
		const typed = shell === 'bash' ? splitTyped(line) : typedWords(given)
		const answer = await candidatesFor(typed.words, typed.current)
		const lines = answer === ':files' ? [answer] : answer.map((one) => shown(one, shell))
		const told = shell === 'bash' && answer !== ':files' ? forBash(lines, typed, breaks) : lines
		writeText('stdout', told.map((one) => `${one}\n`).join(''))
		return 0
	} catch {
		return 1
	} finally {
		clearTimeout(late)
	}
}

function typedWords(given: string[]) {
	return { words: given.slice(1, -1), current: (given.at(-1) ?? '').replace(/^['"]/, ''), quote: '' } as const
}

/** What may stand there: words, or paths. Throws where that can't be told. */
export async function candidatesFor(words: string[], current: string): Promise<Candidate[] | ':files'> {
	const wanted = await findWanted(words, current)
	if (wanted.kind === 'files') return ':files'
	const { prefix } = wanted
	const found = wanted.kind === 'words' ? wanted.words : await havenWords(wanted, current.slice(prefix.length))
	return found
		.map(({ word, ...rest }) => ({ word: `${prefix}${word}`, ...rest }))
		.filter(({ word }) => word.startsWith(current) && !/\p{Cc}|\p{Cs}/u.test(word))
}

function shown({ word, about }: Candidate, shell: string): string {
	return about === undefined || shell === 'bash' ? word : `${word}\t${about}`
}
