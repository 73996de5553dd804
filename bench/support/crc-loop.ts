import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

// Reads each file below a folder and computes its CRC-32, one after the other: what verify is compared with.
const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
const seen = new Set<number>()
for (const entry of readdirSync(process.argv[2] ?? '', { recursive: true, withFileTypes: true })) {
	if (!entry.isFile()) continue
	const path = join(entry.parentPath, entry.name)
	const { ino, size } = statSync(path)
	if (seen.has(ino)) continue
	seen.add(ino)
	const fd = openSync(path, 'r')
	let crc = 0
	for (let done = 0; done < size; ) {
		const got = readSync(fd, buffer, 0, buffer.length, null)
		crc = crc32(buffer.subarray(0, got), crc)
		done += got
	}
	closeSync(fd)
}
