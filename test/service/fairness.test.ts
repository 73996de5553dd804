import { join } from 'node:path'
import { execaSync } from 'execa'
import { mountNas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { flushTables, takeSnapshot } from '../support/tree.ts'
import { makeServiceScene } from './support/service.ts'

testWhere(
	nasfsMissing(),
	'on a slow NAS, small snapshots do not wait for two large ones that came before them',
	async (t) => {
		const nas = await mountNas({ latencyMs: 1, bandwidthMBs: 12 })
		t.teardown(() => nas.unmount())
		const scene = makeServiceScene(t, { tables: 8, sstables: 1, dataBytes: 1_000_000, haven: join(nas.path, 'haven') })
		const [one = '', other = '', ...small] = scene.node.folders
		const service = scene.start()
		await service.ready()
		flushTables({ ...scene.node, folders: [one, other] }, 140)
		takeSnapshot(scene.node, 'large', { folders: [one, other] })
		await service.until('the large ones are on their way', () => isGathering())
		takeSnapshot(scene.node, 'small', { folders: small })
		await service.until('the small ones are sealed', () => sealed('small') === 6)
		// The first large one may just have ended.
		t.true(sealed('large') < 2)
		nas.fault('bandwidth 0')
		await service.until('the large ones are', () => sealed('large') === 2)
		await service.stop()

		function sealed(tag: string): number {
			return service.said().match(new RegExp(`^sealed \\S+ ${tag}:`, 'gm'))?.length ?? 0
		}
		/** Whether the first file of a snapshot has come to the NAS. */
		function isGathering(): boolean {
			const files = execaSync('find', [join(nas.backing, 'haven/.snaphaven/partial'), '-name', '*-Data.db'], {
				reject: false,
			})
			return files.stdout !== ''
		}
	},
)
