import { askService } from '../control/client.ts'
import { readLastStatus } from '../control/last-status.ts'
import { SnaphavenError, usageError } from '../errors.ts'
import { openOutput } from '../report/output.ts'
import { describeService, type FoundService, problemsOf, serviceObject } from '../report/service-lines.ts'
import { parseDuration } from './duration.ts'
import { tellHelp } from './help.ts'
import { parseArguments } from './parse-arguments.ts'
import { locate } from './shared-options.ts'
import { knownStateDirectories } from './state-directory.ts'
import { STATUS_FLAG_GROUPS, STATUS_FLAGS } from './status-flags.ts'
import { STATUS_HELP } from './status-help.ts'
import { tellVersion } from './tell-version.ts'

/** `snaphaven status`: tells how the service of a haven is. Returns the exit code; throws for wrong usage. */
export async function status(argv: string[]): Promise<number> {
	const { values, positionals } = parseArguments(argv, STATUS_FLAGS)
	if (values.help) return await tellHelp(STATUS_HELP, STATUS_FLAGS, STATUS_FLAG_GROUPS)
	if (values.version) return tellVersion()
	if (positionals.length > 0) {
		throw usageError(
			`status takes no names, but was given ${positionals.join(', ')}`,
			'A service is known by its haven: snaphaven status -s HAVEN',
		)
	}
	const maxAge = values['max-age'] === undefined ? undefined : parseDuration('--max-age', values['max-age'])
	const { haven, stateDirectory } = await locate(values, { directory: process.cwd(), environment: process.env })
	const folders = values['state-dir'] === undefined ? knownStateDirectories(process.env) : [stateDirectory]
	const found = await findService(haven, folders)
	const problems = problemsOf(found, maxAge)
	const output = await openOutput()
	if (values.json) output.printJson(serviceObject(found, problems))
	else for (const line of describeService(found, problems)) output.print(line)
	return problems.length === 0 ? 0 : 1
}

/** Asks in one state directory after the other: a service of another user may have its own. */
async function findService(haven: string, folders: string[]): Promise<FoundService> {
	let last: FoundService['last']
	let silence: string | undefined
	for (const stateDirectory of folders) {
		const place = { stateDirectory, haven }
		const answer = await askService(place, 'status').catch(understood)
		if (answer instanceof SnaphavenError) silence ??= `${answer.message}. ${answer.hint}`
		else if (answer !== undefined)
			return { haven, running: answer, last: undefined, silence: undefined, at: Date.now() }
		const known = await readLastStatus(place)
		if (known !== undefined && !(last !== undefined && last.writtenAt > known.writtenAt)) last = known
	}
	return { haven, running: undefined, last, silence, at: Date.now() }
}

function understood(error: unknown): SnaphavenError {
	if (error instanceof SnaphavenError) return error
	throw error
}
