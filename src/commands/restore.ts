import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { RESTORE_FLAG_GROUPS, RESTORE_FLAGS } from './restore-flags.ts'
import { RESTORE_HELP } from './restore-help.ts'
import { tellVersion } from './tell-version.ts'

/** `snaphaven restore`: gives data back. Returns the exit code; throws for wrong usage. */
export async function restore(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, RESTORE_FLAGS)
	if (values.help) return await tellHelp(RESTORE_HELP, RESTORE_FLAGS, RESTORE_FLAG_GROUPS)
	if (values.version) return tellVersion()
	const { loudness } = await import('./shared-options.ts')
	const { printOptions, restoreOptions } = await import('./restore-options.ts')
	const telling = { ...loudness(values), json: values.json }
	const around = { directory: process.cwd(), environment: process.env }
	if (values.schema || values.roles || values.tokens) {
		const options = await printOptions(values, positionals, around, Date.now())
		const { runPrint } = await import('./restore-print-run.ts')
		return await runPrint(options, telling)
	}
	const options = await restoreOptions(values, positionals, around, Date.now())
	const { runRestore } = await import('./restore-run.ts')
	return await runRestore(options, telling)
}
