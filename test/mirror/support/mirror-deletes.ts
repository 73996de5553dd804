import type { ExecutionContext } from 'ava'
import { flushTables, takeSnapshot } from '../../support/tree.ts'
import { makeScene, type Scene, trueReceipts } from './scene.ts'

/** Removes at once what was cleared. */
export const NOW = ['--mirror-deletes', '--mirror-deletes-after', '0']

/** The tags that the haven has, of all tables; each of its receipts has to be true to the byte. */
export function kept(t: ExecutionContext, scene: Scene): string[] {
	return trueReceipts(t, scene)
		.map(({ tag }) => tag)
		.sort()
}

/** A scene with two tags in the haven, of one of which the other shares files. */
export async function sealedTwice(t: ExecutionContext, options: Parameters<typeof makeScene>[1] = {}): Promise<Scene> {
	const scene = makeScene(t, options)
	for (const tag of ['daily', 'weekly']) {
		takeSnapshot(scene.node, tag)
		flushTables(scene.node)
	}
	await scene.syncWell()
	return scene
}
