import { resolve } from 'node:path'
import { type CqlPlace, parseCqlPlace, readCredentials } from '../cassandra/cql-place.ts'
import type { Nodetool } from '../cassandra/nodetool.ts'
import { usageError } from '../errors.ts'
import type { FactsSource } from '../mirror/types.ts'
import type { FlagValues } from './flags.ts'
import type { CQL_FLAGS, NODETOOL_FLAGS } from './shared-flags.ts'
import type { Surroundings } from './shared-options.ts'

type Around = Pick<Surroundings, 'directory'>

/** Who is asked for the node's facts by the flags; throws for what cannot be. */
export function factsSource(
	values: FlagValues<typeof CQL_FLAGS> & FlagValues<typeof NODETOOL_FLAGS>,
	around: Around,
): FactsSource {
	const cql = cqlPlaceOf(values, around)
	if (cql) return { cql }
	return values.nodetool === undefined ? {} : { nodetool: nodetoolOf(values, around) }
}

/** Where the node is asked by CQL; undefined where it is not to be. Throws for what cannot be. */
export function cqlPlaceOf(values: FlagValues<typeof CQL_FLAGS>, { directory }: Around): CqlPlace | undefined {
	const file = values['cql-credentials']
	if (values.cql === undefined) {
		if (file === undefined) return undefined
		throw usageError('--cql-credentials says who asks by --cql, which is not given', 'Give both, or neither.')
	}
	const place = parseCqlPlace(values.cql)
	if (file === undefined) return place
	const credentialsFile = resolve(directory, file)
	readCredentials(credentialsFile)
	return { ...place, credentialsFile }
}

/** How nodetool is to be called by the flags; throws for what its start script would take apart. */
export function nodetoolOf(
	values: FlagValues<typeof NODETOOL_FLAGS>,
	{ directory }: Pick<Surroundings, 'directory'>,
): Nodetool {
	const { nodetool: program = 'nodetool', host, port, user, 'password-file': file } = values
	if (program === '') throw usageError('--nodetool expects a program, but was given ""')
	if (port !== undefined && !/^\d{1,5}$/.test(port)) {
		throw usageError(`--port expects a number, but was given "${port}"`)
	}
	return {
		program,
		...(host === undefined ? {} : { host: checkWord('--host', host) }),
		...(port === undefined ? {} : { port }),
		...(user === undefined ? {} : { user: checkWord('--user', user) }),
		...(file === undefined ? {} : { passwordFile: checkWord('--password-file', resolve(directory, file)) }),
	}
}

/** A word as nodetool's start script passes it on; throws for what it would take apart. */
export function checkWord(flag: string, text: string): string {
	if (/^[^\s*?[-][^\s*?[]*$/.test(text)) return text
	throw usageError(`${flag} can’t be given to nodetool: "${text}" has a blank or a sign that its script would expand`)
}
