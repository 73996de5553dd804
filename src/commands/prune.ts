import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { PRUNE_FLAG_GROUPS, PRUNE_FLAGS } from './prune-flags.ts'
import { PRUNE_HELP } from './prune-help.ts'
import { tellVersion } from './tell-version.ts'

/** `snaphaven prune`: removes snapshots that no rule keeps. Returns the exit code; throws for wrong usage. */
export async function prune(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, PRUNE_FLAGS)
	if (values.help) return await tellHelp(PRUNE_HELP, PRUNE_FLAGS, PRUNE_FLAG_GROUPS)
	if (values.version) return tellVersion()
	const { loudness } = await import('./shared-options.ts')
	const { pruneOptions } = await import('./prune-options.ts')
	const told = { ...loudness(values), json: values.json }
	const options = await pruneOptions(values, positionals, { directory: process.cwd(), environment: process.env })
	const { runPrune } = await import('./prune-run.ts')
	return await runPrune(options, told)
}
