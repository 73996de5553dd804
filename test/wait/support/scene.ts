import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Scene } from '../../mirror/support/scene.ts'
import type { RunningCli } from '../../support/cli.ts'

/** Resolves when the command has written this; rejects, with what it wrote there, when it ends without. */
export function says(running: RunningCli, to: 'stdout' | 'stderr', what: RegExp): Promise<void> {
	return new Promise((resolve, reject) => {
		let text = ''
		running[to]?.on('data', (data: Buffer) => {
			text += data.toString()
			if (what.test(text)) resolve()
		})
		running.then(() => reject(new Error(`it ended without saying ${what}:\n${text}`)))
	})
}

/** Breaks a live Data.db of the first table, so that its digest disagrees with it. */
export function damage({ node }: Scene): void {
	writeFileSync(join(node.dataDirectories[0] ?? '', node.keyspace, node.folders[0] ?? '', 'nb-1-big-Data.db'), 'rotten')
}
