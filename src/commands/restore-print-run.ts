import { ifNotExists, quotedName } from '../cassandra/schema.ts'
import { failure } from '../errors.ts'
import { runAsync } from '../files/io.ts'
import type { Haven } from '../haven/haven.ts'
import { openForReading } from '../haven/open-for-reading.ts'
import { onHaven } from '../haven/trouble.ts'
import { counted } from '../report/amounts.ts'
import { describeError } from '../report/errors.ts'
import { errorObject } from '../report/json-events.ts'
import { problemLine, resultLine } from '../report/messages.ts'
import { printable, quoted } from '../report/printable.ts'
import { stdoutSettled, writeText } from '../report/streams.ts'
import { type AppliedPart, applySchema, compareSchema } from '../restore/apply-schema.ts'
import { type FoundFacts, findFacts } from '../restore/find-facts.ts'
import { chooseTables } from '../restore/plan.ts'
import { rolesCql } from '../restore/roles-cql.ts'
import { planSchema, type SchemaPlan } from '../restore/schema-plan.ts'
import { type SchemaWay, schemaTarget } from '../restore/schema-target.ts'
import { tokensYaml } from '../restore/tokens-yaml.ts'
import { onSignals } from './interruption.ts'
import type { PrintRun } from './restore-options.ts'
import { openTeller, type Teller, type Telling } from './teller.ts'

/** Prints, or applies, what a restore needs besides SSTables. Returns the exit code. */
export async function runPrint(options: PrintRun, telling: Telling): Promise<number> {
	const teller = await openTeller(telling)
	const { signal, release } = onSignals((message) => teller.print(problemLine('signal', 'doubtful', message)))
	try {
		const haven = await openForReading(options.haven, options.stateDirectory)
		try {
			const exitCode = await print({ haven, options, teller, json: telling.json, signal })
			await stdoutSettled()
			return exitCode
		} finally {
			await haven.close()
		}
	} catch (error) {
		const { lines, message, hint, exitCode } = describeError(error)
		for (const line of lines) teller.print(line)
		teller.printJson(errorObject(exitCode, message, hint))
		return exitCode
	} finally {
		release()
	}
}

interface Printing {
	haven: Haven
	options: PrintRun
	teller: Teller
	/** Objects on stdout, in place of text. */
	json: boolean
	signal: AbortSignal
}

async function print(work: Printing): Promise<number> {
	const { haven, options, teller, json } = work
	if (options.what !== 'schema') return await printFacts(work, options.what)
	const plan = await planSchema(haven, options.chosen)
	for (const message of plan.warnings) warn(teller, message)
	if (options.apply) return await apply(plan, options.apply, work)
	if (!json) printText(schemaText(plan))
	for (const part of plan.parts) teller.printJson({ type: 'schema', ...part })
	teller.printJson({ type: 'summary', exitCode: 0, parts: plan.parts.length })
	return 0
}

function warn(teller: Teller, message: string): void {
	teller.print(problemLine('warning', 'doubtful', message))
	teller.printJson({ type: 'warning', message })
}

/** The result itself, which another program reads; on a terminal nothing in it can be taken for a command. */
function printText(lines: string[]): void {
	for (const line of lines.flatMap((text) => text.split('\n'))) {
		writeText('stdout', `${process.stdout.isTTY ? printable(line) : line}\n`)
	}
}

/** The schema as a file for cqlsh. */
function schemaText({ parts, keyspaces }: SchemaPlan): string[] {
	const sources = keyspaces.map(({ keyspace, tags, found }) => {
		const asked = found ? `; the node was asked ${found.at}, for the tag ${found.tag}` : ''
		return `-- ${quotedName(keyspace)} as in the snapshots ${tags.join(', ')}${asked}`.replace(/[\r\n]/g, ' ')
	})
	return [...sources, ...parts.flatMap(({ cql }) => ['', ifNotExists(cql)])]
}

async function apply(plan: SchemaPlan, way: SchemaWay, { options, teller, signal }: Printing): Promise<number> {
	const target = schemaTarget(way, signal)
	const applied = options.dryRun
		? { parts: compareSchema(plan.parts, await target.current()), said: [] }
		: await applySchema(plan.parts, target)
	for (const one of applied.parts) tellApplied(one, options, teller)
	const failed = applied.parts.filter(({ outcome }) => outcome === 'failed').length
	if (failed > 0) for (const text of applied.said) teller.print(problemLine('error', 'bad', text))
	const count = (wanted: AppliedPart['outcome']) => applied.parts.filter(({ outcome }) => outcome === wanted).length
	const made = `${options.dryRun ? 'would make' : 'made'} ${count('made')} of ${counted(plan.parts.length, 'part')}`
	const text = `${made}; ${count('there already')} there already, ${count('differs')} differ, ${failed} failed`
	const kind = failed > 0 ? 'bad' : count('differs') > 0 ? 'doubtful' : 'good'
	teller.print({ ...resultLine('schema:', text, kind), importance: 'summary' })
	const exitCode = failed > 0 ? 1 : 0
	teller.printJson({
		type: 'summary',
		exitCode,
		dryRun: options.dryRun,
		parts: plan.parts.length,
		made: count('made'),
		failed,
	})
	return exitCode
}

function tellApplied(applied: AppliedPart, { dryRun }: PrintRun, teller: Teller): void {
	const { part, outcome } = applied
	const name = quoted(part.kind === 'keyspace' ? part.name : `${part.keyspace}.${part.name}`)
	const what = `${part.kind} ${name}`
	if (outcome === 'made') teller.print(resultLine(dryRun ? 'would make' : 'made', what))
	if (outcome === 'there already') teller.print(resultLine('there already', what, 'plain'))
	if (outcome === 'failed') teller.print(problemLine('failed', 'bad', `${what} could not be made`))
	if (outcome === 'differs') {
		teller.print(problemLine('differs', 'doubtful', `${what} is there, and left as it is: ${applied.difference}`))
	}
	const { kind, keyspace, name: own } = part
	const difference = outcome === 'differs' ? { difference: applied.difference } : {}
	teller.printJson({
		type: outcome === 'made' && dryRun ? 'planned' : outcome,
		kind,
		keyspace,
		name: own,
		...difference,
	})
}

const HAS: Record<'roles' | 'tokens', (facts: FoundFacts['facts']) => boolean> = {
	roles: ({ roles }) => roles !== undefined,
	tokens: ({ node }) => node.tokens.length > 0,
}

/** What is the whole node's: as it was for the newest of the snapshots that are chosen. */
async function printFacts({ haven, options, teller, json }: Printing, what: 'roles' | 'tokens'): Promise<number> {
	const { wanted } = await chooseTables(haven, { ...options.chosen, acceptDamaged: true })
	const [newest] = [...wanted].sort((one, other) => Date.parse(other.takenAt) - Date.parse(one.takenAt))
	if (!newest) throw failure('no snapshot is chosen')
	const { found, problems } = await runAsync(onHaven(findFacts(haven.base, newest, HAS[what])))
	for (const problem of problems) warn(teller, problem)
	if (!found) {
		throw failure(
			`the haven does not have the node’s ${what}`,
			'These are kept by --cql of snaphaven sync, with each new tag.',
		)
	}
	if (!json) printText(what === 'roles' ? rolesText(found) : tokensYaml(found))
	const { node, roles, grants } = found.facts
	teller.printJson({ type: what, at: found.at, tag: found.tag, node, ...(what === 'roles' ? { roles, grants } : {}) })
	return 0
}

function rolesText({ facts, at, tag }: FoundFacts): string[] {
	const auth = facts.schema?.find(({ kind, name }) => kind === 'keyspace' && name === 'system_auth')
	return [
		`-- roles as the node told them ${at}, for the tag ${tag}; passwords are not kept: ALTER ROLE … WITH PASSWORD = …`.replace(
			/[\r\n]/g,
			' ',
		),
		...(auth ? [`-- ${auth.cql.replace(/^CREATE/, 'ALTER').replace(/\s+/g, ' ')}`] : []),
		...rolesCql(facts.roles ?? [], facts.grants ?? []),
	]
}
