import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathsOf } from './disk-model.ts'
import { flushesIn, statesWithout } from './left-out.ts'
import { knownAfter, type Recording, readRecording } from './recording.ts'
import { chanceOf, listStates, type State } from './states.ts'
import { tryState } from './try-state.ts'

/** How a recording's states are to be tried, as JSON in the first argument. */
export interface TryOrder {
	folder: string
	seed: number
	/** This process tries those whose contents fall to it: of so many, the so-manieth. */
	part: number
	parts: number
	/** What share is tried of the states in which no change is treated apart from all others, in which one is, and more. */
	shares: { whole: number; alone: number; more: number }
	/** These alone. */
	only?: number[]
	/** As if it had never flushed anything. */
	unflushed?: boolean
	/** As if it had left out one flush after another, each alone: of them all this share, in so many states each, at most. */
	leaveOut?: { share: number; most: number }
}

/** What came of it, as JSON on stdout. */
export interface TryReport {
	listed: number
	/** Of those, how many were looked at, how many of them were another state than any before, and tried. */
	chosen: number
	tried: number
	broken: { number: number; wrong: string[] }[]
	/** Each flush that was left out, and the first state that was broken by that, if any. */
	leftOut: { what: string; tried: number; wrong?: string[] }[]
}

// Without a `sync` to be found, each file and folder is flushed: that costs nothing in memory.
process.env['PATH'] = ''

const order: TryOrder = JSON.parse(process.argv[2] ?? '')
const { folder, seed, part, parts } = order
const recording: Recording = JSON.parse(
	readFileSync(join(folder, 'recording.json'), 'utf8').replaceAll('FOLDER', folder),
)
const recorded = readRecording(folder)
const report: TryReport = { listed: 0, chosen: 0, tried: 0, broken: [], leftOut: [] }
await tryStates(order)
if (order.leaveOut) await leaveOutEach(order.leaveOut)
console.log(JSON.stringify(report))

async function tryStates({ shares, only, unflushed }: TryOrder): Promise<void> {
	const { start, records, changes } = recorded
	if (unflushed) for (const change of changes) change.promisedAfter = Number.POSITIVE_INFINITY
	const states = listStates(start, changes, records.length, seed)
	report.listed = states.count
	const seen = new Set<string>()
	for (const number of only ?? Array.from({ length: states.count }, (_, index) => index)) {
		const apart = states.apart(number)
		const share = [shares.whole, shares.alone][apart] ?? shares.more
		if (!only && chanceOf(seed, -number)() >= share) continue
		const state = states.at(number)
		report.chosen++
		const print = printOf(state)
		if (seen.has(print)) continue
		seen.add(print)
		if (Number.parseInt(print.slice(0, 8), 16) % parts !== part) continue
		const wrong = await tryOne(state)
		if (wrong.length > 0) report.broken.push({ number, wrong })
	}
}

async function leaveOutEach({ share, most }: NonNullable<TryOrder['leaveOut']>): Promise<void> {
	const { start, records } = recorded
	const known = new Map<string, string[]>()
	for (const [index, { records: flushes, what }] of flushesIn(start, records).entries()) {
		if (index % parts !== part || chanceOf(seed, index)() >= share) continue
		const found: TryReport['leftOut'][number] = { what, tried: 0 }
		report.leftOut.push(found)
		for (const state of statesWithout(recorded, flushes, { seed, most })) {
			const print = printOf(state)
			const wrong = known.get(print) ?? (await tryOne(state))
			if (!known.has(print)) found.tried++
			known.set(print, wrong)
			if (wrong.length === 0) continue
			found.wrong = wrong
			break
		}
	}
}

async function tryOne({ number, records: after, disk }: State): Promise<string[]> {
	report.tried++
	const known = knownAfter(recorded.records, after, recording)
	return await tryState({ recording, disk, known, place: join(folder, `state-${number}-${part}`) })
}

/** The same for two states that can't be told apart. */
function printOf({ records: after, disk }: State): string {
	const { remembered, ...known } = knownAfter(recorded.records, after, recording)
	const hash = createHash('sha1').update(JSON.stringify([remembered, ...Object.values(known).map((one) => [...one])]))
	for (const [path, bytes] of pathsOf(disk)) hash.update(`${path}\0${bytes?.length}\0`).update(bytes ?? '')
	return hash.digest('hex')
}
