import { defineFlags } from './flags.ts'
import { TELLING_FLAGS } from './shared-flags.ts'

/** The flags of `snaphaven completion`. */
export const COMPLETION_FLAGS = defineFlags({ help: TELLING_FLAGS.help, version: TELLING_FLAGS.version })

/** How the help groups them. */
export const COMPLETION_FLAG_GROUPS: Record<string, (keyof typeof COMPLETION_FLAGS)[]> = {
	'What is told': ['help', 'version'],
}
