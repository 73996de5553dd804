import { ADOPT_FLAG_GROUPS, ADOPT_FLAGS } from './adopt-flags.ts'
import { ADOPT_HELP } from './adopt-help.ts'
import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { tellVersion } from './tell-version.ts'

/** `snaphaven adopt`: gives receipts to copies that something else has made. Returns the exit code. */
export async function adopt(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, ADOPT_FLAGS)
	if (values.help) return await tellHelp(ADOPT_HELP, ADOPT_FLAGS, ADOPT_FLAG_GROUPS)
	if (values.version) return tellVersion()
	const { locate, loudness } = await import('./shared-options.ts')
	const { selectionOf } = await import('./selection.ts')
	const selection = selectionOf({ ...values, since: undefined, until: undefined }, positionals)
	const places = await locate(values, { directory: process.cwd(), environment: process.env })
	const { runAdopt } = await import('./adopt-run.ts')
	const options = { ...places, selection, dryRun: values['dry-run'] }
	return await runAdopt(options, { ...loudness(values), json: values.json })
}
