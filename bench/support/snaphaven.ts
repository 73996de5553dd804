import { dirname, join } from 'node:path'
import { cliFile, nodeBinary } from '../../test/support/cli.ts'
import type { Tree } from '../../test/support/tree.ts'
import type { Cost } from './cost.ts'
import type { Figure } from './scenario.ts'

/** The command that mirrors a tree into a haven. Its memory lies on the node, as it does by default: new for each target. */
export function syncCommand(tree: Tree, target: string): string[] {
	return [nodeBinary, cliFile, 'sync', '--once', '--quiet', ...places(tree, target), tree.keyspace]
}

/** The same where there is no program to call syncfs by: each file is flushed by itself. */
export function flushingEach(command: string[]): string[] {
	return ['env', 'PATH=/nowhere', ...command]
}

/** The service for the same. */
export function serviceCommand(tree: Tree, target: string): string[] {
	return [nodeBinary, cliFile, 'sync', ...places(tree, target), tree.keyspace]
}

function places(tree: Tree, target: string): string[] {
	const state = join(dirname(tree.root), `state${target.replaceAll('/', '-')}`)
	return ['-s', havenIn(target), ...tree.flags, '--state-dir', state]
}

/** Where the haven of a target is. */
export function havenIn(target: string): string {
	return join(target, 'haven')
}

/**
 * What each took as figures, and how their times compare: each other tool's with the first one's, and snaphaven's (however
 * its name goes on) with those that it has goals beside, by their names.
 */
export function compared(costs: Map<string, Cost>, goals: Record<string, number>): Figure[] {
	const [base = ''] = costs.keys()
	const times = [...costs].map(([what, { seconds, ...cost }]): Figure => ({ what, value: seconds, unit: 's', cost }))
	const ratio = (one: string, other: string, atMost?: number): Figure => ({
		what: `${one} / ${other}`,
		value: (costs.get(one)?.seconds ?? Number.NaN) / (costs.get(other)?.seconds ?? Number.NaN),
		unit: '×',
		...(atMost === undefined ? {} : { atMost }),
	})
	const ratios = [...costs.keys()].flatMap((name) => {
		if (name === base) return []
		if (!name.startsWith('snaphaven')) return [ratio(name, base)]
		return Object.entries(goals).map(([other, atMost]) => ratio(name, other, atMost))
	})
	return [...times, ...ratios]
}
