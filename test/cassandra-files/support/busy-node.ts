// A thread that flushes, compacts and gives up all the time; it pauses for a moment between two of these, and within them.
import { workerData } from 'node:worker_threads'
import { MadeNode } from './made-node.ts'

const { folders, stop }: { folders: string[]; stop: Int32Array } = workerData
const node = new MadeNode(folders)

for (let turn = 1; Atomics.load(stop, 0) === 0; turn++) {
	const steps = node.size >= 4 ? node.compact() : turn % 5 === 0 ? node.giveUp() : node.flush()
	let done = 0
	for (const _ of steps) if (++done % 7 === 0) Atomics.wait(stop, 0, 0, 1)
	Atomics.wait(stop, 0, 0, 2)
}
