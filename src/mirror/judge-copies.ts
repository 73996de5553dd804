import { parseManifest } from '../cassandra/manifest.ts'
import { MANIFEST, SCHEMA, SYSTEM_KEYSPACES } from '../cassandra/snapshot.ts'
import type { DamageKind, TableCopies } from '../haven/copies.ts'
import { hex } from '../haven/sealed-text.ts'
import { findDamage, type GatheredFile } from './proof.ts'
import type { CopyRead } from './verify-slices.ts'

/** Something that is not as it should be, and what it touches. */
export interface Damage {
	/** `digest`, `manifest` and `schema`: the copy is as its receipt says, and Cassandra’s own word on it disagrees. */
	kind: DamageKind | 'receipt' | 'digest' | 'manifest' | 'schema'
	reason: string
	/** It was so on the node when it was sealed, and is named in the receipt: nothing has happened to the haven. */
	atSource: boolean
	/** Where: a copy that is shared is many snapshots’. Snapshots by their index, paths within them. */
	touches: { snapshot: number; path: string }[]
}

/**
 * Judges a table's copies by what a look and the reading of each found. A pure function.
 * @param reads By the index of the copy; a copy that was not read is believed.
 */
export function judgeCopies(keyspace: string, table: TableCopies, reads: ReadonlyMap<number, CopyRead>): Damage[] {
	const damages: Damage[] = table.snapshots.flatMap(({ problem }, snapshot): Damage[] =>
		problem === undefined
			? []
			: [{ kind: 'receipt', reason: problem, atSource: false, touches: [{ snapshot, path: '' }] }],
	)
	damages.push(
		...gathered(table.problems.map(({ snapshot, path, kind, reason }) => ({ snapshot, path, kind, reason }))),
	)
	const contents = new Map<number, GatheredFile[]>()
	for (const [index, copy] of table.copies.entries()) {
		const read = reads.get(index)
		if (!read) continue
		const wrong = 'code' in read ? undefined : copy.claims.filter((claim) => whatIsWrong(claim.crc32, copy.size, read))
		if (wrong === undefined || wrong.length > 0) damages.push(damageOf(copy.size, read, wrong ?? copy.claims))
		if ('code' in read) continue
		for (const { snapshot, path } of copy.claims) {
			const file = { path, crc: read.crc, ...(read.text === undefined ? {} : { text: read.text }) }
			const files = contents.get(snapshot)
			if (files) files.push(file)
			else contents.set(snapshot, [file])
		}
	}
	return [...damages, ...proofsOf(keyspace, table, contents, damages)]
}

type Found = { snapshot: number; path: string; kind: Damage['kind']; reason: string }

/** One damage for all that say the same of the same path, since mostly one file is shared by them. */
function gathered(found: Found[], atSource = false): Damage[] {
	const groups = Map.groupBy(found, ({ path, kind, reason }) => `${kind}\0${path}\0${reason}`)
	return [...groups.values()].map((group): Damage => {
		const { kind, reason } = group[0] as Found
		return { kind, reason, atSource, touches: group.map(({ snapshot, path }) => ({ snapshot, path })) }
	})
}

function damageOf(size: number, read: CopyRead, touches: Damage['touches'] & { crc32: string }[]): Damage {
	const first = touches[0]
	const [kind, reason] =
		'code' in read
			? (['unreadable', `it can’t be read (${read.code})`] as const)
			: read.length === size
				? (['other bytes', `its CRC-32 is ${hex(read.crc)}, its receipt says ${first?.crc32}`] as const)
				: (['other size', `${read.length} bytes of it can be read, its receipt says ${size}`] as const)
	return { kind, reason, atSource: false, touches: touches.map(({ snapshot, path }) => ({ snapshot, path })) }
}

function whatIsWrong(crc32: string, size: number, read: { crc: number; length: number }): boolean {
	return read.length !== size || hex(read.crc) !== crc32
}

/** What Cassandra's own words (digests, manifests) say of copies that are as they were sealed. */
function proofsOf(
	keyspace: string,
	table: TableCopies,
	contents: ReadonlyMap<number, GatheredFile[]>,
	damages: readonly Damage[],
): Damage[] {
	const damaged = new Set(damages.flatMap(({ touches }) => touches.map(({ snapshot, path }) => `${snapshot} ${path}`)))
	const sealedSo = new Map<string, string>()
	for (const { claims } of table.copies) {
		for (const { snapshot, path, damage } of claims) if (damage) sealedSo.set(`${snapshot} ${path}`, damage)
	}
	const listed = listedPaths(table)
	const found: Found[] = []
	for (const [snapshot, files] of contents) {
		const sound = files.filter(({ path }) => !damaged.has(`${snapshot} ${path}`))
		for (const { path, reason } of findDamage(sound)) found.push({ snapshot, path, kind: 'digest', reason })
		if (table.snapshots[snapshot]?.state !== 'whole') continue
		const names = listed.get(snapshot) ?? new Set()
		const manifest = sound.find(({ path }) => path === MANIFEST)?.text
		if (manifest === undefined) continue
		found.push(...manifestProblems(manifest, names).map((reason) => ({ snapshot, path: MANIFEST, ...reason })))
		if (SYSTEM_KEYSPACES.has(keyspace)) continue
		const reason = schemaProblem(sound.find(({ path }) => path === SCHEMA)?.text, names)
		if (reason !== undefined) found.push({ snapshot, path: SCHEMA, kind: 'schema', reason })
	}
	const isKnown = ({ snapshot, path }: Found) => sealedSo.has(`${snapshot} ${path}`)
	const known = [...sealedSo].map(([where, reason]): Found => {
		const at = where.indexOf(' ')
		return { snapshot: Number(where.slice(0, at)), path: where.slice(at + 1), kind: 'digest', reason }
	})
	return [...gathered(found.filter((one) => !isKnown(one))), ...gathered(known, true)]
}

/** What the receipts list, by snapshot: what is there, and what is told of as a problem. */
function listedPaths({ copies, problems }: TableCopies): Map<number, Set<string>> {
	const listed = new Map<number, Set<string>>()
	for (const { snapshot, path } of [...copies.flatMap(({ claims }) => claims), ...problems]) {
		const paths = listed.get(snapshot)
		if (paths) paths.add(path)
		else listed.set(snapshot, new Set([path]))
	}
	return listed
}

function manifestProblems(text: string, names: ReadonlySet<string>): { kind: 'manifest'; reason: string }[] {
	const manifest = parseManifest(text)
	if ('problem' in manifest) return [{ kind: 'manifest', reason: manifest.problem }]
	// A folder that is missing is told of as that.
	const isListed = (path: string) => names.has(path) || names.has(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
	return manifest.files
		.filter((path) => !isListed(path))
		.map((path) => ({ kind: 'manifest', reason: `it names ${path}, which its receipt does not have` }))
}

/** Cassandra writes it statement by statement, each ended by a semicolon. */
function schemaProblem(text: string | undefined, names: ReadonlySet<string>): string | undefined {
	if (text === undefined) return names.has(SCHEMA) ? undefined : 'its receipt does not have it'
	return text.trimEnd().endsWith(';') ? undefined : 'it ends in the middle of a statement'
}
