import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { SNAPSHOT_FLAG_GROUPS, SNAPSHOT_FLAGS } from './snapshot-flags.ts'
import { SNAPSHOT_HELP } from './snapshot-help.ts'
import { tellVersion } from './tell-version.ts'

/** `snaphaven snapshot`: takes a snapshot and has it sealed. Returns the exit code; throws for wrong usage. */
export async function snapshot(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, SNAPSHOT_FLAGS)
	if (values.help) return await tellHelp(SNAPSHOT_HELP, SNAPSHOT_FLAGS, SNAPSHOT_FLAG_GROUPS)
	if (values.version) return tellVersion()
	const { loudness } = await import('./shared-options.ts')
	const { snapshotOptions } = await import('./snapshot-options.ts')
	const telling = { ...loudness(values), json: values.json }
	const around = { directory: process.cwd(), environment: process.env }
	const options = await snapshotOptions(values, positionals, around, new Date())
	const { runSnapshot } = await import('./snapshot-run.ts')
	return await runSnapshot(options, telling)
}
