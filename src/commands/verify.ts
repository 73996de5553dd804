import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { tellVersion } from './tell-version.ts'
import { VERIFY_FLAG_GROUPS, VERIFY_FLAGS } from './verify-flags.ts'
import { VERIFY_HELP } from './verify-help.ts'

/** `snaphaven verify`: reads what is sealed in a haven and compares. Returns the exit code; throws for wrong usage. */
export async function verify(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, VERIFY_FLAGS)
	if (values.help) return await tellHelp(VERIFY_HELP, VERIFY_FLAGS, VERIFY_FLAG_GROUPS)
	if (values.version) return tellVersion()
	const { loudness } = await import('./shared-options.ts')
	const { verifyOptions } = await import('./verify-options.ts')
	const told = { ...loudness(values), json: values.json }
	const options = await verifyOptions(values, positionals, { directory: process.cwd(), environment: process.env })
	const { runVerify } = await import('./verify-run.ts')
	return await runVerify(options, told, values.repair)
}
