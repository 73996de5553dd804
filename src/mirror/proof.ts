import { parseComponent } from '../cassandra/sstable.ts'
import { LIVE } from '../haven/layout.ts'
import type { Origin } from '../haven/receipt.ts'
import type { FileDamage } from './types.ts'

/** A gathered file as far as proofs need it. */
export interface GatheredFile {
	path: string
	/** CRC-32 of its bytes, as a number. */
	crc: number
	/** The contents of Digest.crc32 and TOC.txt. */
	text?: string | undefined
}

/** How a file came, or is to come. */
export interface ReusableFile {
	path: string
	how: Origin
	/** `reused`: the tag that has it. */
	from?: { tag: string } | undefined
}

/**
 * Paths of those Digest.crc32 that were reused, and so not read, and whose contents are needed all the same. One that was
 * sealed together with its Data.db was held against it then, and both are what they were; of a live set it may have come
 * later.
 */
export function unprovenDigests(files: readonly ReusableFile[]): string[] {
	const reused = new Map(files.flatMap(({ path, how, from }) => (how === 'reused' ? [[path, from?.tag]] : [])))
	return [...reused].flatMap(([path, tag]) => {
		const name = isProof(path) ? parseComponent(path) : undefined
		if (name?.component !== 'Digest.crc32') return []
		return tag !== LIVE && reused.get(`${name.prefix}Data.db`) === tag ? [] : [path]
	})
}

/**
 * Holds each Data.db against its SSTable's Digest.crc32, the CRC-32 of Data.db as a decimal number
 * (Cassandra's org.apache.cassandra.io.util.DataIntegrityMetadata and ChecksumWriter).
 */
export function findDamage(files: readonly GatheredFile[]): FileDamage[] {
	const crcs = new Map(files.map(({ path, crc }) => [path, crc]))
	const damage: FileDamage[] = []
	for (const { path, text } of files) {
		const name = text === undefined ? undefined : parseComponent(path)
		if (name?.component !== 'Digest.crc32' || text === undefined) continue
		const data = `${name.prefix}Data.db`
		const crc = crcs.get(data)
		const digest = text.trim()
		if (!/^\d{1,10}$/.test(digest)) {
			damage.push({
				path,
				reason: `it holds ${JSON.stringify(digest.slice(0, 40))}, not the CRC-32 of Data.db as a number`,
			})
		} else if (crc !== undefined && crc !== Number(digest)) {
			damage.push({ path: data, reason: `its CRC-32 is ${crc}, and Digest.crc32 says ${digest}` })
		}
	}
	return damage
}

/**
 * A file that an SSTable's TOC.txt names, that it needs to load, and that is not there: CompressionInfo.db. What else a
 * TOC names may be missing (an index built after the snapshot was taken), as for Cassandra itself.
 */
export function findMissing(files: readonly Omit<GatheredFile, 'crc'>[]): string | undefined {
	const doubtful = new Set(doubtfulTocs(files))
	const named = files.find(({ path, text }) => doubtful.has(path) && text?.split('\n').includes(COMPRESSION_INFO))
	return named && `${parseComponent(named.path)?.prefix}${COMPRESSION_INFO}`
}

const COMPRESSION_INFO = 'CompressionInfo.db'

/** Paths of the TOC.txt that have to be read for that: of SSTables without CompressionInfo.db. */
export function doubtfulTocs(files: readonly { path: string }[]): string[] {
	const there = new Set(files.map(({ path }) => path))
	return [...there].filter((path) => {
		const name = isProof(path) ? parseComponent(path) : undefined
		if (name?.component !== 'TOC.txt') return false
		return there.has(`${name.prefix}Data.db`) && !there.has(`${name.prefix}${COMPRESSION_INFO}`)
	})
}

/** Whether a file's contents are needed for these proofs. */
export function isProof(path: string): boolean {
	return path.endsWith('-Digest.crc32') || path.endsWith('-TOC.txt')
}
