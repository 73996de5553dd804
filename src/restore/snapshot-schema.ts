import { failure } from '../errors.ts'
import { crc32 } from '../files/builtins.ts'
import { readWhole } from '../files/contents.ts'
import { runAsync } from '../files/io.ts'
import { pathOf } from '../files/names.ts'
import type { Haven } from '../haven/haven.ts'
import { type SnapshotKey, snapshotFolder } from '../haven/layout.ts'
import { readSealed } from '../haven/read-sealed.ts'
import { hex } from '../haven/sealed-text.ts'
import { onHaven } from '../haven/trouble.ts'

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
