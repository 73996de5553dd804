import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { type CliOptions, type CliResult, runCli } from '../../support/cli.ts'
import { ownFolder } from '../../support/folder.ts'
import { liesOf, type ReceiptText, readReceipts } from '../../support/receipts.ts'
import { makeTree, type Tree, type TreeOptions } from '../../support/tree.ts'

/** A node with no snapshot yet, and where its haven is to be. */
export interface Scene {
	own: string
	node: Tree
	haven: string
	/** The node's memory. */
	state: string
	/** Runs `snaphaven sync --once -s HAVEN FLAGS KEYSPACE`. */
	sync: (flags?: string[], options?: CliOptions) => Promise<CliResult>
	/** The same, which has to end well. */
	syncWell: (flags?: string[], options?: CliOptions) => Promise<CliResult>
}

export function makeScene(t: ExecutionContext, options: TreeOptions & { parent?: string } = {}): Scene {
	const own = ownFolder(t, options.parent)
	const node = makeTree(join(own, 'node'), { tables: 1, ...options })
	const [haven, state] = [join(own, 'haven'), join(own, 'state')]
	const sync: Scene['sync'] = (flags = [], more = {}) =>
		runCli(['sync', '--once', '-s', haven, ...node.flags, ...flags, node.keyspace], { stateDirectory: state, ...more })
	const syncWell: Scene['sync'] = async (...args) => {
		const result = await sync(...args)
		t.is(result.exitCode, 0, result.stderr + result.stdout)
		return result
	}
	return { own, node, haven, state, sync, syncWell }
}

/** All that can be known of all files below a folder without reading them, but for when they were last read. */
export function fingerprint(folder: string, what = '%P %y %i %n %s %m %U %G %T@ %C@ %l'): string[] {
	if (!existsSync(folder)) return []
	const text = execFileSync('find', [folder, '-printf', `${what}\\0`], { encoding: 'latin1', maxBuffer: 2 ** 28 })
	return text.split('\0').sort()
}

/** What one fingerprint has and the other has not. */
export function changesBetween(before: string[], after: string[]): string[] {
	const [was, is] = [new Set(before), new Set(after)]
	return [
		...before.filter((line) => !is.has(line)).map((line) => `was ${line}`),
		...after.filter((line) => !was.has(line)).map((line) => `is ${line}`),
	]
}

/** The folder of a snapshot in the haven. */
export function mirrored({ haven, node }: Scene, tag: string, table = node.folders[0] ?? ''): string {
	return join(haven, 'data', node.keyspace, table, 'snapshots', tag)
}

/** The haven's receipts, each of which has to be true to the byte, and nothing is to lie half done. */
export function trueReceipts(t: ExecutionContext, { haven }: Pick<Scene, 'haven'>): ReceiptText[] {
	const found = readReceipts(haven)
	t.deepEqual(
		found.filter((one) => 'broken' in one),
		[],
	)
	const receipts = found.flatMap((one) => ('receipt' in one ? [one.receipt] : []))
	for (const receipt of receipts) t.deepEqual(liesOf(haven, receipt), [])
	const partial = join(haven, '.snaphaven/partial')
	t.deepEqual(existsSync(partial) ? readdirSync(partial) : [], [])
	return receipts
}

/** The objects of `--json`, one a line. */
export function objectsOf({ stdout }: CliResult): Record<string, unknown>[] {
	return stdout
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line))
}

/** Nothing that only a programmer could read. */
export function assertNoTrace(t: ExecutionContext, { stderr, stdout }: CliResult): void {
	t.notRegex(stderr + stdout, /^\s+at .*:\d+:\d+|did not foresee|\/proc\/\w+\/fd/m)
}
