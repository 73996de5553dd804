import { dirname, join } from 'node:path'
import { cliFile, nodeBinary } from '../../test/support/cli.ts'
import type { Tree } from '../../test/support/tree.ts'
import type { Figure } from './scenario.ts'

/** The command that mirrors a tree into a haven. Its memory lies on the node, as it does by default: new for each target. */
export function syncCommand(tree: Tree, target: string): string[] {
	return [nodeBinary, cliFile, 'sync', '--once', '--quiet', ...places(tree, target), tree.keyspace]
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

/** The medians as figures: seconds of each, and how they compare with the first; snaphaven's with its goal, however its name goes on. */
export function compared(times: Map<string, number>, atMost: number): Figure[] {
	const [[baseName, base] = ['', Number.NaN], ...others] = times
	return [
		{ what: baseName, value: base, unit: 's' },
		...others.flatMap(([name, value]): Figure[] => [
			{ what: name, value, unit: 's' },
			{
				what: `${name} / ${baseName}`,
				value: value / base,
				unit: '×',
				...(name.startsWith('snaphaven') ? { atMost } : {}),
			},
		]),
	]
}
