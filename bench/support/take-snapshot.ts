import { type Tree, takeSnapshot } from '../../test/support/tree.ts'

/** From before the first link to after the last file; ms since the epoch. */
export interface Taken {
	firstMs: number
	lastMs: number
}

// Run as a process of its own, with a tree as JSON and a tag: takes the snapshot, and prints when that began and ended.
const [tree = '', tag = ''] = process.argv.slice(2)
const parsed: Tree = JSON.parse(tree)
const firstMs = Date.now()
takeSnapshot(parsed, tag)
const taken: Taken = { firstMs, lastMs: Date.now() }
console.log(JSON.stringify(taken))
