import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CqlPlace } from '../cassandra/cql-place.ts'
import { parseSchema, type SchemaPart } from '../cassandra/schema.ts'
import { splitCql } from '../cassandra/split-cql.ts'
import { failure, SnaphavenError, usageError } from '../errors.ts'
import { hasCode } from '../files/io.ts'

/** By what a running node's schema is read and made. */
export type SchemaWay =
	| { cql: CqlPlace }
	/** The program; its own environment and cqlshrc tell it where the node is. */
	| { cqlsh: string }

/** A running node's schema. */
export interface SchemaTarget {
	/** What there is now. */
	current: () => Promise<SchemaPart[]>
	/** Runs statements in their order, also after one has failed: gives what was said of those that failed. */
	run: (cql: string[]) => Promise<string[]>
}

/** The schema of the node, each call with a connection of its own. Its calls throw where the node can't be asked. */
export function schemaTarget(way: SchemaWay, signal: AbortSignal): SchemaTarget {
	return 'cql' in way ? overCql(way.cql, signal) : byCqlsh(way.cqlsh, signal)
}

function overCql(place: CqlPlace, signal: AbortSignal): SchemaTarget {
	return {
		current: async () => {
			const [{ withCql }, { describeSchema }] = await Promise.all([
				import('../cassandra/cql-session.ts'),
				import('../cassandra/schema-by-cql.ts'),
			])
			const { parts, missing } = await withCql(place, signal, describeSchema)
			if (missing.length === 0) return parts
			throw usageError('a node older than 4.0 does not tell its schema by --cql', 'Leave --cql out: cqlsh knows it.')
		},
		run: async (cql) => {
			const { withCql } = await import('../cassandra/cql-session.ts')
			return await withCql(place, signal, async (session) => {
				const failed: string[] = []
				for (const statement of cql.flatMap(splitCql)) {
					await session.run(statement.replace(/;$/, '')).catch((error: unknown) => {
						if (!(error instanceof SnaphavenError)) throw error
						failed.push(error.message)
					})
				}
				return failed
			})
		},
	}
}

function byCqlsh(program: string, signal: AbortSignal): SchemaTarget {
	return {
		current: async () => {
			const { output, ended } = await runCqlsh(program, ['-e', 'DESCRIBE FULL SCHEMA'], signal)
			// It may warn before, in words that have apostrophes.
			const begin = output.search(/^(CREATE|\/\*)/m)
			if (ended === undefined) return begin === -1 ? [] : parseSchema(output.slice(begin))
			throw failure(`${program} could not describe the schema`, ended)
		},
		run: async (cql) => {
			const folder = await mkdtemp(join(tmpdir(), 'snaphaven-schema-'))
			try {
				const file = join(folder, 'schema.cql')
				await writeFile(file, `${cql.join('\n\n')}\n`)
				const { ended } = await runCqlsh(program, ['-f', file], signal)
				return ended === undefined ? [] : [ended]
			} finally {
				await rm(folder, { recursive: true, force: true })
			}
		},
	}
}

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024

/** `ended`: what it said, where it did not end well. */
function runCqlsh(
	program: string,
	args: string[],
	signal: AbortSignal,
): Promise<{ output: string; ended: string | undefined }> {
	return new Promise((resolve, reject) => {
		execFile(program, args, { signal, maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
			if (!error) return resolve({ output: stdout, ended: undefined })
			if (error.name === 'AbortError') return reject(error)
			if (hasCode(error, 'ENOENT', 'EACCES')) {
				return reject(
					usageError(
						`${program} can’t be run (${error.code})`,
						'Give Cassandra’s cqlsh by --cqlsh PATH, or say by --cql HOST:PORT where the node is.',
					),
				)
			}
			const said = `${stderr}\n${stdout}`.trim()
			resolve({ output: stdout, ended: said === '' ? `${program} ended with ${error.code} and printed nothing` : said })
		})
	})
}
