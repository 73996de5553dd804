import type { NodeFacts } from '../cassandra/facts.ts'
import { createFile, readWhole } from '../files/contents.ts'
import { flushFolder, makeFolder, removeTree } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { lstatIfThere } from '../files/operations.ts'
import { FACTS, FACTS_TAGS, PRIVATE, safeName } from './layout.ts'
import { namesIn } from './receipt-folders.ts'
import { move } from './renames.ts'
import { checkedText, parseAs, withChecksum, withoutChecksum } from './sealed-text.ts'
import { fields, list, moment, oneOf, optional, part, type Shape, text, truth } from './shapes.ts'

/** The node's facts as they are kept: `.snaphaven/facts/<id>.json`. Nobody else may read them: they name roles and grants. */
export interface StoredFacts extends NodeFacts {
	format: 1
	/** When they were first found so, ISO 8601. */
	firstReadAt: string
}

/** When the node was asked for its facts for the sake of a tag, and what it said. */
export interface Reading {
	/** ISO 8601. Where nothing had changed since the reading before, the later time. */
	at: string
	/** The facts' id. */
	facts: string
}

/** `.snaphaven/facts/tags/<tag*>.json`. */
export interface TagNote {
	format: 1
	tag: string
	/** The oldest first. */
	readings: Reading[]
}

const isNote = fields({ tag: text, readings: list(fields({ at: moment, facts: part })) })

const maybe = optional(text)
const isFacts = fields({
	firstReadAt: moment,
	source: oneOf('cql', 'nodetool'),
	node: fields({
		clusterName: maybe,
		hostId: maybe,
		datacenter: maybe,
		rack: maybe,
		releaseVersion: maybe,
		partitioner: maybe,
		tokens: list(text),
	}),
	schema: optional(list(fields({ kind: text, keyspace: text, name: text, cql: text }))),
	roles: optional(
		list(
			fields({ name: text, login: truth, superuser: truth, memberOf: list(text), datacenters: optional(list(text)) }),
		),
	),
	grants: optional(list(fields({ role: text, resource: text, permissions: list(text) }))),
	missing: list(text),
})

const BYTES_MAX = 256 * 1024 * 1024

const factsPath = (id: string) => `${FACTS}/${id}.json`
const notePath = (tag: string) => `${FACTS_TAGS}/${safeName(tag)}.json`

/** Whether facts were ever kept in this haven, or it was said that they are not. */
export function* hasFactsFolder(base: string): Io<boolean> {
	return (yield* lstatIfThere(`${base}/${FACTS}`)) !== undefined
}

/** Makes their folders, which nobody else may enter. */
export function* makeFactsFolders(base: string): Io<void> {
	for (const folder of [FACTS, FACTS_TAGS]) yield* makeFolder(`${base}/${folder}`, 0o700)
}

/** The readings for a tag; none where there are none that can be believed. */
export function* readNote(base: string, tag: string): Io<TagNote | undefined> {
	const note = yield* readRecord<TagNote>(base, notePath(tag), isNote)
	return typeof note === 'object' ? note : undefined
}

/** Facts by their id; why they can't be had where they can't. */
export function* readFacts(base: string, id: string): Io<StoredFacts | string> {
	const facts = yield* readRecord<StoredFacts>(base, factsPath(id), isFacts)
	return facts ?? 'they are gone'
}

function* readRecord<T extends object>(base: string, path: string, shape: Shape): Io<T | string | undefined> {
	try {
		const text = checkedText(yield* readWhole(`${base}/${path}`, BYTES_MAX))
		const record = text === undefined ? undefined : parseAs<T>(withoutChecksum(text), shape)
		return record ?? `the checksum of ${path} does not hold`
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
		if (hasCode(error)) return `${path} can’t be read (${error.code})`
		throw error
	}
}

/** The facts of a node that were read for the sake of some tags. */
export interface FactsToKeep {
	tags: string[]
	/** When they were read, ISO 8601. */
	at: string
	facts: NodeFacts
}

/**
 * Keeps facts for tags, durably: in a new file only where they are not kept already. Through the lease's own folder, so
 * that who has lost the lease changes nothing. The tags' notes come last.
 */
export function* keepFacts(
	base: string,
	partial: string,
	{ tags, at, facts }: FactsToKeep,
	{ flushFolders }: { flushFolders: boolean },
): Io<void> {
	yield* makeFactsFolders(base)
	const id = factsId(facts)
	if (typeof (yield* readFacts(base, id)) === 'string') {
		const stored: StoredFacts = { format: 1, firstReadAt: at, ...facts }
		yield* put(base, partial, factsPath(id), stored)
		if (flushFolders) yield* flushFolder(`${base}/${FACTS}`)
	}
	for (const tag of tags) {
		const before = (yield* readNote(base, tag))?.readings ?? []
		const others = before.at(-1)?.facts === id ? before.slice(0, -1) : before
		const readings = [...others, { at, facts: id }]
		yield* put(base, partial, notePath(tag), { format: 1, tag, readings } satisfies TagNote)
	}
	if (flushFolders) for (const folder of [FACTS_TAGS, FACTS, PRIVATE]) yield* flushFolder(`${base}/${folder}`)
}

function* put(base: string, partial: string, path: string, record: object): Io<void> {
	const draft = `${partial}/facts.json`
	yield* removeTree(`${base}/${draft}`)
	yield* createFile(`${base}/${draft}`, withChecksum(JSON.stringify(record)), { mode: 0o600, flush: true })
	yield* move(base, draft, path)
}

/** The same facts have the same id: 16 hex digits of the SHA-256 of their JSON. */
function factsId(facts: NodeFacts): string {
	const { source, node, schema, roles, grants, missing } = facts
	const text = JSON.stringify({ source, node, schema, roles, grants, missing })
	const { createHash } = process.getBuiltinModule('node:crypto')
	return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** The notes of all tags, in place of one that can't be believed why. */
export function* readNotes(base: string): Io<(TagNote | string)[]> {
	const notes: (TagNote | string)[] = []
	for (const name of yield* namesIn(`${base}/${FACTS_TAGS}`)) {
		const note = yield* readRecord<TagNote>(base, `${FACTS_TAGS}/${name}`, isNote)
		if (note !== undefined) notes.push(note)
	}
	return notes
}

/**
 * Removes the facts that no tag of a receipt needs any more, notes first: what a kill leaves in between goes the next
 * time. Call only while nothing is being published or removed.
 * @param wanted The names of receipts' files that are there, which are those of notes too.
 */
export function* clearFacts(base: string, partial: string, wanted: ReadonlySet<string>): Io<void> {
	const remove = function* (path: string): Io<void> {
		yield* move(base, path, `${partial}/facts.json`)
		yield* removeTree(`${base}/${partial}/facts.json`)
	}
	for (const name of yield* namesIn(`${base}/${FACTS_TAGS}`)) {
		if (!wanted.has(name)) yield* remove(`${FACTS_TAGS}/${name}`)
	}
	const notes = yield* readNotes(base)
	// What a damaged note needs can't be known.
	if (notes.some((note) => typeof note === 'string')) return
	const needed = new Set(
		notes.flatMap((note) => (typeof note === 'string' ? [] : note.readings.map(({ facts }) => `${facts}.json`))),
	)
	for (const name of yield* namesIn(`${base}/${FACTS}`)) {
		if (name.endsWith('.json') && !needed.has(name)) yield* remove(`${FACTS}/${name}`)
	}
}
