import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Cost, costOf, medianCost } from './cost.ts'
import { secondsOf, turns } from './rounds.ts'

/** A way to do work that goes on from earlier work. */
export interface PreparedContender {
	name: string
	/** Does the earlier work in a new folder, outside of the time. */
	prepare: (target: string) => string[]
	/** The command that is timed. */
	command: (target: string) => string[]
	/** Looks at what the command made, outside of the time; throws where it is wrong. */
	check?: (target: string) => void
}

export interface PreparedRounds {
	rounds: number
	/** Where the targets are made, a folder for each. */
	place: string
	contenders: PreparedContender[]
	/** What happens between the earlier work and the work that is timed; nothing where it is left out. */
	change?: () => void
	/** Time the command again and again over the same target: it leaves it as it was. */
	again?: boolean
}

/** The median of what each contender took, by name; all targets are prepared first, then the contenders take turns. */
export async function preparedMedians(options: PreparedRounds): Promise<Map<string, Cost>> {
	const { rounds, place, contenders, change, again } = options
	const targetOf = (name: string, round: number) => join(place, `${name.replace(/\W+/g, '-')}.${again ? 0 : round}`)
	for (const { name, prepare } of contenders) {
		for (let round = 0; round < (again ? 1 : rounds); round++) {
			await mkdir(targetOf(name, round), { recursive: true })
			await secondsOf(prepare(targetOf(name, round)))
		}
	}
	change?.()
	const costs = new Map<string, Cost[]>(contenders.map(({ name }) => [name, []]))
	for (const { contender, round } of turns(contenders, rounds)) {
		const target = targetOf(contender.name, round)
		costs.get(contender.name)?.push(await costOf(contender.command(target), target))
		contender.check?.(target)
	}
	return new Map([...costs].map(([name, found]) => [name, medianCost(found)]))
}
