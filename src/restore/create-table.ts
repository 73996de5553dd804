import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failure, usageError } from '../errors.ts'
import { crc32 } from '../files/builtins.ts'
import { readWhole } from '../files/contents.ts'
import { hasCode, runAsync } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import type { Haven } from '../haven/haven.ts'
import { type SnapshotKey, snapshotFolder } from '../haven/layout.ts'
import { readSealed } from '../haven/read-sealed.ts'
import { hex } from '../haven/sealed-text.ts'
import { onHaven } from '../haven/trouble.ts'
import type { PlannedTable } from './types.ts'

const SCHEMA_BYTES_MAX = 16 * 1024 * 1024

/** A snapshot's schema.cql, held against the receipt; throws where the haven has none that agrees. */
export async function readSchema(haven: Haven, key: SnapshotKey): Promise<string> {
	const read = await runAsync(onHaven(readSealed(haven.base, key)))
	const file = 'receipt' in read ? read.receipt.files.find(({ path }) => path === 'schema.cql') : undefined
	const path = `${haven.base}/${snapshotFolder(key)}/schema.cql`
	const bytes = file && (await runAsync(readWhole(pathOf(path), SCHEMA_BYTES_MAX)).catch(() => undefined))
	if (file !== undefined && bytes && hex(crc32(bytes)) === file.crc32) return bytes.toString('utf8')
	throw failure(
		`the haven has no good schema.cql of ${key.keyspace}/${key.table}/snapshots/${key.tag}`,
		'Make the table by hand, as it was.',
	)
}

/** Makes a table, its types and indexes, by cqlsh, which its own environment and cqlshrc tell where the node is. */
export async function createTable(
	haven: Haven,
	{ head }: PlannedTable,
	cqlsh: string,
	signal: AbortSignal,
): Promise<void> {
	const folder = await mkdtemp(join(tmpdir(), 'snaphaven-schema-'))
	try {
		const file = join(folder, 'schema.cql')
		await writeFile(file, await readSchema(haven, head))
		await runCqlsh(cqlsh, file, signal)
	} finally {
		await rm(folder, { recursive: true, force: true })
	}
}

function runCqlsh(program: string, file: string, signal: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		execFile(program, ['-f', file], { signal }, (error, stdout, stderr) => {
			if (!error) return resolve()
			if (error.name === 'AbortError') return reject(error)
			if (hasCode(error, 'ENOENT', 'EACCES')) {
				return reject(usageError(`${program} can’t be run (${error.code})`, 'Give Cassandra’s cqlsh by --cqlsh PATH'))
			}
			const said = `${stderr}\n${stdout}`.trim()
			reject(
				failure(
					`${program} could not make a table${/keyspace/i.test(said) ? '; schema.cql has no CREATE KEYSPACE: make it first' : ''}`,
					said === '' ? 'It printed nothing.' : said,
				),
			)
		})
	})
}
