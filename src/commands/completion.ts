import { usageError } from '../errors.ts'
import { writeText } from '../report/streams.ts'
import { COMPLETION_FLAG_GROUPS, COMPLETION_FLAGS } from './completion-flags.ts'
import { COMPLETION_HELP } from './completion-help.ts'
import { COMPLETION_SCRIPTS } from './completion-scripts.ts'
import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { tellVersion } from './tell-version.ts'

/** `snaphaven completion SHELL`: prints what has that shell complete command lines. Returns the exit code; throws for wrong usage. */
export async function completion(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, COMPLETION_FLAGS)
	if (values.help) return await tellHelp(COMPLETION_HELP, COMPLETION_FLAGS, COMPLETION_FLAG_GROUPS)
	if (values.version) return tellVersion()
	const [shell = '', ...more] = positionals
	const script = Object.hasOwn(COMPLETION_SCRIPTS, shell) ? COMPLETION_SCRIPTS[shell] : undefined
	if (script === undefined || more.length > 0) {
		const given = positionals.length === 0 ? 'nothing' : `"${positionals.join(' ')}"`
		throw usageError(
			`completion expects bash, zsh or fish, but was given ${given}`,
			'For example: snaphaven completion bash',
		)
	}
	writeText('stdout', script)
	return 0
}
