import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathsOf } from './disk-model.ts'
import { knownAfter, type Recording, readRecording } from './recording.ts'
import { chanceOf, listStates } from './states.ts'
import { tryState } from './try-state.ts'

/** How a recording's states are to be tried, as JSON in the first argument. */
export interface TryOrder {
	folder: string
	seed: number
	/** This process tries those whose contents fall to it: of so many, the so-manieth. */
	part: number
	parts: number
	/** Of the states that treat one change apart from all others this share is tried, and of those with more another. */
	shares: { alone: number; more: number }
	/** These alone. */
	only?: number[]
	/** As if it had never flushed anything. */
	unflushed?: boolean
}

/** What came of it, as JSON on stdout. */
export interface TryReport {
	listed: number
	/** Of those, how many were looked at, how many of them were another state than any before, and tried. */
	chosen: number
	tried: number
	broken: { number: number; wrong: string[] }[]
}

// Without a `sync` to be found, each file and folder is flushed: that costs nothing in memory.
process.env['PATH'] = ''

const order: TryOrder = JSON.parse(process.argv[2] ?? '')
console.log(JSON.stringify(await tryStates(order)))

async function tryStates({ folder, seed, part, parts, shares, only, unflushed }: TryOrder): Promise<TryReport> {
	const recording: Recording = JSON.parse(
		readFileSync(join(folder, 'recording.json'), 'utf8').replaceAll('FOLDER', folder),
	)
	const { start, records, changes } = readRecording(folder)
	if (unflushed) for (const change of changes) change.promisedAfter = Number.POSITIVE_INFINITY
	const states = listStates(start, changes, records.length, seed)
	const report: TryReport = { listed: states.count, chosen: 0, tried: 0, broken: [] }
	const seen = new Set<string>()
	for (const number of only ?? Array.from({ length: states.count }, (_, index) => index)) {
		const apart = states.apart(number)
		if (!only && apart > 0 && chanceOf(seed, -number)() >= (apart === 1 ? shares.alone : shares.more)) continue
		const { records: after, disk } = states.at(number)
		report.chosen++
		const known = knownAfter(records, after, recording.sealedBefore)
		const hash = createHash('sha1').update(JSON.stringify([known.remembered, [...known.told], [...known.gone]]))
		for (const [path, bytes] of pathsOf(disk)) hash.update(`${path}\0${bytes?.length}\0`).update(bytes ?? '')
		const print = hash.digest('hex')
		if (seen.has(print)) continue
		seen.add(print)
		if (!only && Number.parseInt(print.slice(0, 8), 16) % parts !== part) continue
		const place = join(folder, `state-${number}`)
		const wrong = await tryState({ disk, known, node: recording.node, move: recording.move, place })
		report.tried++
		if (wrong.length > 0) report.broken.push({ number, wrong })
	}
	return report
}
