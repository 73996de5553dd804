import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { PYTHON_FLAGS, SYNC_FLAG_GROUPS, SYNC_FLAGS } from './sync-flags.ts'
import { SYNC_HELP } from './sync-help.ts'
import { tellVersion } from './tell-version.ts'

/** `snaphaven [sync]`: mirrors snapshots into a haven, until it is stopped or (`--once`) in one pass. Returns the exit code; throws for wrong usage. */
export async function sync(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, SYNC_FLAGS, PYTHON_FLAGS)
	if (values.help) return await tellHelp(SYNC_HELP, SYNC_FLAGS, SYNC_FLAG_GROUPS)
	if (values.version) return tellVersion()
	const { reporterOptions, syncOptions } = await import('./sync-options.ts')
	const report = reporterOptions(values)
	const options = await syncOptions(values, positionals, { directory: process.cwd(), environment: process.env })
	if (values.once || values['dry-run']) {
		const { pass } = await import('./sync-pass.ts')
		return await pass(options, report)
	}
	const { service } = await import('./sync-service.ts')
	return await service(options, report)
}
