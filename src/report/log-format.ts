import { fstatSync } from 'node:fs'
import type { Line } from './messages.ts'

/** How what is told to people is written. */
export interface LogOptions {
	/** `--log-format`: lines, the default, or one JSON object a line, all on stderr. */
	logFormat?: 'text' | 'json'
	/** It is told by a service, for months: lines have a time, where nobody else adds one. */
	service?: boolean
}

/** How grave a line is, in the words that loggers use. */
export type Level = 'error' | 'warn' | 'info' | 'debug'

/** The levels of syslog (syslog(3)), as the journal takes them at the beginning of a line (sd-daemon(3)). */
const JOURNAL_LEVELS: Record<Level, string> = { error: '<3>', warn: '<4>', info: '<6>', debug: '<7>' }

/** How grave a line is; one that goes on with a problem is as grave as an error. */
export function levelOf({ kind, importance }: Pick<Line, 'kind' | 'importance'>): Level {
	if (kind === 'bad' || (importance === 'problem' && kind === 'plain')) return 'error'
	if (kind === 'doubtful') return 'warn'
	return importance === 'detail' ? 'debug' : 'info'
}

/** What lines on a stream begin with. */
export function stampFor(to: Line['to'], { service }: LogOptions, environment: NodeJS.ProcessEnv) {
	if (isJournal(to, environment)) return (level: Level) => JOURNAL_LEVELS[level]
	if (service && !process[to].isTTY) return () => `${new Date().toISOString()} `
	return () => ''
}

/** Whether a stream goes to systemd's journal, which adds times itself (systemd.exec(5), $JOURNAL_STREAM). */
function isJournal(to: Line['to'], { JOURNAL_STREAM: journal }: NodeJS.ProcessEnv): boolean {
	if (!journal) return false
	try {
		const { dev, ino } = fstatSync(to === 'stdout' ? 1 : 2, { bigint: true })
		return journal === `${dev}:${ino}`
	} catch {
		return false
	}
}
