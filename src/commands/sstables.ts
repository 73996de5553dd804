import { usageError } from '../errors.ts'
import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { SSTABLES_FLAG_GROUPS, SSTABLES_FLAGS } from './sstables-flags.ts'
import { SSTABLES_HELP } from './sstables-help.ts'
import { tellVersion } from './tell-version.ts'

/** `snaphaven sstables`: lists what is live of tables, and what is not. Returns the exit code; throws for wrong usage. */
export async function sstables(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, SSTABLES_FLAGS)
	if (values.help) return await tellHelp(SSTABLES_HELP, SSTABLES_FLAGS, SSTABLES_FLAG_GROUPS)
	if (values.version) return tellVersion()
	if (positionals.length === 0) {
		throw usageError('of what? No keyspace is named, and no table', 'For example: snaphaven sstables shop shop2.orders')
	}
	const strange = positionals.find((one) => !/^\w+(\.\w+)?$/.test(one))
	if (strange !== undefined) {
		throw usageError(`"${strange}" is no keyspace and no table: expected shop, or shop.orders`)
	}
	if (values.files && values.json) {
		throw usageError('--files and --json cannot be given together', 'Leave one of them out.')
	}
	const { locateData } = await import('./shared-options.ts')
	const { dataDirectories } = await locateData(values, process.cwd())
	const { listSSTables } = await import('./sstables-run.ts')
	return await listSSTables(dataDirectories, [...new Set(positionals)], values)
}
