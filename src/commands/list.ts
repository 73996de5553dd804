import { tellHelp } from './help.ts'
import { LIST_FLAG_GROUPS, LIST_FLAGS } from './list-flags.ts'
import { LIST_HELP } from './list-help.ts'
import { parseArguments } from './parse-arguments.ts'
import { tellVersion } from './tell-version.ts'

/** `snaphaven list`: tells what is sealed in a haven. Returns the exit code; throws for wrong usage. */
export async function list(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, LIST_FLAGS)
	if (values.help) return await tellHelp(LIST_HELP, LIST_FLAGS, LIST_FLAG_GROUPS)
	if (values.version) return tellVersion()
	const { locate } = await import('./shared-options.ts')
	const { selectionOf } = await import('./selection.ts')
	const selection = selectionOf(values, positionals)
	const { haven, stateDirectory } = await locate(values, { directory: process.cwd(), environment: process.env })
	const { runList } = await import('./list-run.ts')
	const depth = values.files ? 'files' : values.tables ? 'tables' : 'tags'
	return await runList({ haven, stateDirectory, selection, depth, bytes: values.bytes, json: values.json })
}
