import { apply, type Change, type ChangeRecord, changesOf, copyOf, type Disk } from './disk-model.ts'
import { chanceOf, type State, withNeeds, without } from './states.ts'

/** A flush that was recorded, by its record, or some of folders that were made together; and what it is of. */
export interface Flush {
	records: number[]
	what: string
}

/**
 * Each flush of a recorded run, and what was done last before it; where folders are flushed one after the other, or one
 * file again and again, all of these together too. One of a file system ends with the record `synced`.
 */
export function flushesIn(start: Disk, records: ChangeRecord[]): Flush[] {
	const flushes: Flush[] = []
	let last = 'the beginning'
	let together: number[] = []
	const ofFile = new Map<string, number[]>()
	const endGroup = () => {
		if (together.length > 1) flushes.push({ records: together, what: `${together.length} folders, after ${last}` })
		together = []
	}
	for (const [record, one] of records.entries()) {
		if (one.did === 'synced') flushes.push({ records: [record], what: `the file system, after ${last}` })
		else if (one.did === 'fsync') {
			const { end } = changesOf(start, records.slice(0, record))
			const name = plainName(nameOf(end, one.ino))
			if (end.files.has(one.ino)) ofFile.set(name, [...(ofFile.get(name) ?? []), record])
			else together.push(record)
			flushes.push({ records: [record], what: `${name}, after ${last}` })
		} else if ('path' in one || one.did === 'write') {
			endGroup()
			if ('path' in one) last = `${one.did} ${plainName('to' in one ? one.to : one.path)}`
		}
	}
	endGroup()
	for (const [name, all] of ofFile)
		if (all.length > 1) flushes.push({ records: all, what: `${name}, all ${all.length} times` })
	return flushes
}

/** What a file or folder is called by then. */
function nameOf({ folders }: Disk, ino: number): string {
	for (const [folder, names] of folders) {
		for (const [name, leadsTo] of names) {
			if (leadsTo !== ino) continue
			const slash = folders.has(ino) ? '/' : ''
			return folder === 0
				? name + slash
				: nameOf({ folders, files: new Map() }, folder).replace(/\/?$/, `/${name}${slash}`)
		}
	}
	return './'
}

/** Tokens and ids are others each time. */
function plainName(path: string): string {
	return path
		.replace(/t0000-[0-9a-f]{32}/g, 'TABLE')
		.replace(/partial\/[0-9a-f]{16}(\.inherited-\d+)?(?=\/)/, 'partial/TOKEN')
		.replace(/\d{4}-\d\d-\d\dt\d\d-[^/]*/g, 'PART')
		.replace(/haven-[0-9a-f-]+\.json/, 'haven-ID.json')
		.replace(/probe-[^/]+/, 'probe-ID')
		.replace(/facts\/[0-9a-f]{16}/, 'facts/ID')
}

/**
 * States that a power cut may leave only because a flush is left out, or some, at most so many, chosen by a seed: after each
 * record, each change that is promised later now, or never, is dropped; besides it none, each one, or all but each one of
 * the others that are not promised.
 */
export function* statesWithout(
	{ start, records, changes }: { start: Disk; records: ChangeRecord[]; changes: Change[] },
	flushes: number[],
	{ seed, most }: { seed: number; most: number },
): Generator<State> {
	const kept = records.map((one, at): ChangeRecord => (flushes.includes(at) ? { did: 'remember' } : one))
	const { changes: later } = changesOf(start, kept)
	const ways: { after: number; dropped: number; way: number }[] = []
	for (let after = Math.min(...flushes) + 1; after <= records.length; after++) {
		const open = openAfter(later, after)
		for (const dropped of open.filter((at) => (changes[at]?.promisedAfter ?? 0) < after))
			for (let way = 0; way < 2 * open.length + 2; way++) ways.push({ after, dropped, way })
	}
	const random = chanceOf(seed, flushes[0] ?? 0)
	// First what is simply not there at the end.
	const plain = ways.filter((one) => one.after === records.length && one.way === 0)
	for (let number = 0; number < most && ways.length > 0; number++) {
		const [any] = ways.splice(Math.trunc(random() * ways.length), 1)
		const { after, dropped, way } = plain[number] ?? any ?? { after: 0, dropped: 0, way: 0 }
		const open = openAfter(later, after)
		const there = wayWithout(dropped, way, open, changes)
		const blank = random() < 0.5
		const disk = copyOf(start)
		for (const [at, change] of changes.entries()) {
			if (change.record >= after) break
			if (!open.includes(at) || there.has(at)) apply(disk, change)
			else if (blank && change.write) apply(disk, change, true)
		}
		yield { number, records: after, disk }
	}
}

function openAfter(changes: Change[], after: number): number[] {
	return changes.flatMap(({ record, promisedAfter }, at) => (record < after && promisedAfter >= after ? [at] : []))
}

/** Which of the open changes are there in one of the ways in which one is not. */
function wayWithout(dropped: number, way: number, open: number[], changes: Change[]): Set<number> {
	if (way === 0) return without(open, [dropped], changes)
	if (way === 1) return new Set()
	const other = open[(way - 2) % open.length] ?? dropped
	if (way - 2 < open.length) return without(open, [dropped, other], changes)
	const alone = withNeeds([other], changes)
	return alone.has(dropped) ? new Set() : alone
}
