import { performance } from 'node:perf_hooks'
import { execa } from 'execa'
import { type Cost, costOf, medianCost } from './cost.ts'

/** A way to do the same work. */
export interface Contender {
	name: string
	/** The command that does the work into an empty target. */
	command: (target: string) => string[]
	/** Looks at what the command made, outside of the time; throws where it is wrong. */
	check?: (target: string) => void
	/** Takes part in the first so many rounds alone; default all. */
	roundsMax?: number
}

export interface RoundsOptions {
	rounds: number
	contenders: Contender[]
	/** Gives each timed run a fresh target. */
	withTarget: (use: (target: string) => Promise<void>) => Promise<void>
}

/** The median of what each contender took, by name; they take turns. */
export async function medians({ rounds, contenders, withTarget }: RoundsOptions): Promise<Map<string, Cost>> {
	const costs = new Map<string, Cost[]>(contenders.map(({ name }) => [name, []]))
	for (const { contender, round } of turns(contenders, rounds)) {
		if (round >= (contender.roundsMax ?? rounds)) continue
		await withTarget(async (target) => {
			costs.get(contender.name)?.push(await costOf(contender.command(target), target))
			contender.check?.(target)
		})
	}
	return new Map([...costs].map(([name, found]) => [name, medianCost(found)]))
}

/** Each contender once a round; another one begins each round, so that none always goes first. */
export function turns<T>(contenders: T[], rounds: number): { contender: T; round: number }[] {
	return Array.from({ length: rounds }, (_, round) => {
		const first = round % contenders.length
		return [...contenders.slice(first), ...contenders.slice(0, first)].map((contender) => ({ contender, round }))
	}).flat()
}

/** Runs a command to its end, which must be a good one. */
export async function secondsOf([file = '', ...args]: string[]): Promise<number> {
	const start = performance.now()
	await execa(file, args, { stdout: 'ignore' })
	return (performance.now() - start) / 1000
}
