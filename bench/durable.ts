import { join } from 'node:path'
import { assertMirrored } from '../test/support/mirrored.ts'
import { makeTree, removeLive, takeSnapshot } from '../test/support/tree.ts'
import { disksMissing, type FileSystem, onDisk, onTmpfs } from './support/places.ts'
import { medians } from './support/rounds.ts'
import type { Figure, Scenario } from './support/scenario.ts'
import { compared, havenIn, syncCommand } from './support/snaphaven.ts'

const rounds = { full: 7, smoke: 1 }
const tables = { full: 50, smoke: 3 }

export const durable: Scenario = {
	name: 'durable',
	title: '8,000 small files, from tmpfs to ext4 and to xfs on the machine’s disk, flushed',
	missing: disksMissing,
	run: (scale) =>
		onTmpfs(512, async (source) => {
			const tree = makeTree(join(source, 'node'), { tables: tables[scale], sstables: 20 })
			takeSnapshot(tree, 'daily')
			removeLive(tree)
			const keyspace = join(tree.root, 'data', tree.keyspace)
			const measure = async (fileSystem: FileSystem): Promise<Figure[]> => {
				const flushed = 'cp -a "$0" "$1" && sync -f "$1"'
				const times = await medians({
					rounds: rounds[scale],
					withTarget: (use) => onDisk(fileSystem, 512, use),
					contenders: [
						{ name: `cp -a; sync -f, ${fileSystem}`, command: (target) => ['sh', '-c', flushed, keyspace, target] },
						{
							name: `snaphaven, ${fileSystem}`,
							command: (target) => syncCommand(tree, target),
							check: (target) => assertMirrored(tree, havenIn(target)),
						},
					],
				})
				return compared(times, 1.2)
			}
			return [...(await measure('ext4')), ...(await measure('xfs'))]
		}),
}
