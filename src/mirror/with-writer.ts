import { failure } from '../errors.ts'
import { flushWayOf } from '../haven/flush.ts'
import { type Haven, openExistingHaven, openHaven, openingTrouble } from '../haven/haven.ts'
import { type Engine, startThreads } from './engine.ts'
import type { Writing } from './pass.ts'
import { withWriting } from './session.ts'

/** Which haven is written to, and by what it is known. */
export interface WriterPlace {
	haven: string
	dataDirectories: string[]
	stateDirectory: string
	/** Make a haven of a folder that is none yet, as a pass would. */
	make?: boolean
	warn: (message: string) => void
	signal: AbortSignal
}

/** What writes to it. */
export interface Writer {
	haven: Haven
	engine: Engine
	writing: Writing
}

/**
 * Opens a haven that is there to change what it holds: takes its lease and finishes what earlier holders left, before
 * `work`. Throws where the haven is not this node's, or where another process writes to it.
 */
export async function withWriter(
	{ signal, warn, ...place }: WriterPlace,
	work: (writer: Writer) => Promise<void>,
): Promise<void> {
	const ownership = { newHaven: false, takeOver: false, requireMount: false }
	const options = { ...place, ...ownership, path: place.haven, warn }
	const existing = place.make ? await openHaven(options) : await openExistingHaven(options)
	if (!existing) throw failure(`there is no haven at ${place.haven}`, 'Is it mounted?')
	const threads = startThreads()
	const told = (error: unknown) => {
		throw openingTrouble(place.haven, error)
	}
	try {
		const haven = { ...existing, flushWay: await flushWayOf(existing.base).catch(told) }
		const engine = await threads.engineFor(haven).catch(told)
		const parts = { haven, engine, takeOver: false, warn, signal }
		await withWriting(parts, async (writing) => await work({ haven, engine, writing }))
	} finally {
		await threads.close()
		await existing.close()
	}
}
