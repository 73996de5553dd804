import { defineFlags } from './flags.ts'

/** Which snapshots of a haven are meant, beside `keyspace[.table]`: the same for all commands that read one. */
export const SELECTION_FLAGS = defineFlags({
	tag: { kind: 'list', short: 't', placeholder: 'GLOB', help: 'only tags that this fits; may be given again' },
	since: {
		kind: 'value',
		placeholder: 'TIME',
		help: 'only snapshots taken then or later: a date, a date and time, or how long ago (30d)',
	},
	until: {
		kind: 'value',
		placeholder: 'TIME',
		help: 'only snapshots taken then or earlier; a date is meant to its end',
	},
})
