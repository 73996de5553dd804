import { pino } from 'pino'
import type { Level } from './log-format.ts'
import { escapeJson } from './printable.ts'
import { writeText } from './streams.ts'

/** Writes an entry of the log: one JSON object a line on stderr, with `level`, `time` and `message`, then the fields. */
export type JsonLog = (level: Level, message: string, fields: Record<string, unknown>) => void

/** A log on stderr that is written before the call returns. */
export function openJsonLog(): JsonLog {
	const logger = pino(
		{
			level: 'debug',
			base: null,
			messageKey: 'message',
			timestamp: pino.stdTimeFunctions.isoTime,
			formatters: { level: (level) => ({ level }) },
		},
		{ write: (line) => writeText('stderr', `${escapeJson(line.trimEnd())}\n`) },
	)
	return (level, message, { message: _message, time: _time, level: _level, ...fields }) => {
		logger[level](fields, message)
	}
}
