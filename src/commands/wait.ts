import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { tellVersion } from './tell-version.ts'
import { WAIT_FLAG_GROUPS, WAIT_FLAGS } from './wait-flags.ts'
import { WAIT_HELP } from './wait-help.ts'

/** `snaphaven wait`: waits until a tag is sealed. Returns the exit code; throws for wrong usage. */
export async function wait(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, WAIT_FLAGS)
	if (values.help) return await tellHelp(WAIT_HELP, WAIT_FLAGS, WAIT_FLAG_GROUPS)
	if (values.version) return tellVersion()
	const { loudness } = await import('./shared-options.ts')
	const { waitOptions } = await import('./wait-options.ts')
	const told = { ...loudness(values), json: values.json }
	const options = await waitOptions(values, positionals, { directory: process.cwd(), environment: process.env })
	const { runWait } = await import('./wait-run.ts')
	return await runWait(options, told)
}
