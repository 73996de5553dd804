import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeFacts } from '../cassandra/facts.ts'
import type { Haven } from '../haven/haven.ts'
import { havenTrouble } from '../haven/trouble.ts'
import type { Engine } from './engine.ts'
import { explain } from './one-snapshots.ts'
import type { Writing } from './pass.ts'
import type { Totals } from './totals.ts'
import type { FactsSource, SyncOptions } from './types.ts'

/** Keeps the node's facts (schema, roles, tokens) beside the receipts, with each new tag. */
export interface FactsKeeper {
	/** A snapshot of that tag, taken then (ms since the epoch), was sealed. Returns at once. */
	sealed: (tag: string, takenMs: number) => void
	/** Resolves when what was begun has ended: the node is not waited for longer than a minute. Never rejects. */
	close: () => Promise<void>
}

interface KeeperParts {
	options: Pick<SyncOptions, 'facts'>
	haven: Haven
	engine: Engine
	writing: Pick<Writing, 'lease' | 'sealer'>
	totals: Pick<Totals, 'tell'>
	signal: AbortSignal
}

const ANSWER_MS_MAX = 60_000
/** Between two readings: the tables of a tag are taken, and sealed, one after the other. */
const PAUSE_MS = 5000

/**
 * Makes a keeper. It works beside the mirroring, which never waits for it. What goes wrong is told as a warning, and the
 * node is asked again with the next tag.
 */
export function makeFactsKeeper(parts: KeeperParts): FactsKeeper {
	const { options, signal } = parts
	/** By tag, when the latest of its snapshots was taken that no reading covers. */
	const wanted = new Map<string, number>()
	/** By tag, when the node was last asked. */
	const asked = new Map<string, number>()
	const told = new Set<string>()
	const warn = (message: string) => {
		if (told.has(message)) return
		told.add(message)
		parts.totals.tell({ type: 'warning', message, standing: true })
	}
	let running: Promise<void> = Promise.resolve()
	let isRunning = false
	const closing = new AbortController()
	const attempt = async (work: () => Promise<void>) => {
		try {
			await work()
		} catch (error) {
			if (!signal.aborted) warn(failed(havenTrouble(error)))
		}
	}
	const keepAll = async () => {
		isRunning = true
		while (wanted.size > 0 && !signal.aborted) {
			const tags = [...wanted]
			wanted.clear()
			for (const [tag] of tags) asked.set(tag, Date.now())
			await attempt(() => keepFor(parts, tags, warn))
			if (wanted.size > 0) await sleep(PAUSE_MS, undefined, { signal: closing.signal }).catch(() => {})
		}
		isRunning = false
	}
	let isSaid = false
	const say = () => {
		if (isSaid) return
		isSaid = true
		running = attempt(() => sayOnce(parts, warn))
	}
	return {
		sealed: (tag, takenMs) => {
			if (!hasSource(options.facts)) return say()
			if ((asked.get(tag) ?? 0) > takenMs) return
			wanted.set(tag, Math.max(takenMs, wanted.get(tag) ?? 0))
			if (!isRunning) running = keepAll()
		},
		close: async () => {
			closing.abort()
			await running
		},
	}
}

function hasSource({ cql, nodetool }: FactsSource): boolean {
	return cql !== undefined || nodetool !== undefined
}

/** Asks the node for the tags that it was not asked for since their snapshots were taken, and keeps what it says. */
async function keepFor(
	{ options, haven, engine, writing, signal }: KeeperParts,
	wanted: [tag: string, takenMs: number][],
	warn: (message: string) => void,
): Promise<void> {
	const tags: string[] = []
	for (const [tag, takenMs] of wanted) {
		const note = await engine.run('readNote', haven.base, tag)
		if (!note?.readings.some(({ at }) => Date.parse(at) > takenMs)) tags.push(tag)
	}
	if (tags.length === 0) return
	const at = new Date().toISOString()
	const facts = await ask(options.facts, AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]))
	const how = { flushFolders: haven.record.capabilities.folderFlush }
	await writing.sealer.alone(() => engine.run('keepFacts', haven.base, writing.lease.partial, { tags, at, facts }, how))
	for (const missing of facts.missing) warn(`not kept of what a restore may need: ${missing}`)
}

async function ask({ cql, nodetool }: FactsSource, signal: AbortSignal): Promise<NodeFacts> {
	if (cql) {
		const { factsByCql } = await import('../cassandra/facts-by-cql.ts')
		return await factsByCql(cql, signal)
	}
	if (!nodetool) throw new Error('nobody to ask')
	const { factsByNodetool } = await import('../cassandra/facts-by-nodetool.ts')
	return await factsByNodetool(nodetool, signal)
}

function failed(error: unknown): string {
	const isLate = error instanceof Error && error.name === 'TimeoutError'
	const late = `it did not answer within ${ANSWER_MS_MAX / 1000} s`
	const reason = isLate ? late : explain(error instanceof Error ? error : new Error(String(error)))
	const stop = reason.endsWith('.') ? '' : '.'
	return `the node’s schema, roles and tokens are not kept: ${reason}${stop} It is asked again with the next tag.`
}

/** Once for each haven, by the folder that facts are kept in. */
async function sayOnce({ haven, engine }: KeeperParts, warn: (message: string) => void): Promise<void> {
	if (await engine.run('hasFactsFolder', haven.base)) return
	await engine.run('makeFactsFolders', haven.base)
	warn(
		'tables’ schemas are kept with their snapshots; CREATE KEYSPACE, functions, views, roles and the node’s tokens are not. --cql HOST:PORT has them kept too.',
	)
}
