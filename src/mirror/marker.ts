import type { Haven } from '../haven/haven.ts'
import { receiptsFolder } from '../haven/layout.ts'
import type { Lease } from '../haven/lease.ts'
import type { Mark } from '../haven/moving.ts'
import { havenTrouble } from '../haven/trouble.ts'
import { inBatches } from './batches.ts'
import type { Engine } from './engine.ts'
import { flushGroup } from './flush-haven.ts'
import type { Removable } from './remover.ts'
import type { Sealer } from './sealer.ts'

/** Marks receipts of snapshots that are about to be deleted on the node by us (`moving`), in groups. */
export interface Marker {
	/** Resolves when the mark is durable; false where the receipt is not there any more, or another. */
	mark: (snapshot: Removable) => Promise<boolean>
}

interface MarkerOptions {
	haven: Haven
	lease: Lease
	engine: Engine
	sealer: Sealer
}

const GROUP_MAX = 64

/** Makes a marker. It works while nothing is being published, so that no receipt changes under it. */
export function makeMarker(options: MarkerOptions): Marker {
	let numbers = 0
	const mark = inBatches({
		alone: options.sealer.alone,
		max: GROUP_MAX,
		work: async (wanted: Removable[]) => {
			try {
				return await markGroup(
					options,
					wanted.map((one): Mark => ({ ...one, number: numbers++ })),
				)
			} catch (error) {
				throw havenTrouble(error)
			}
		},
	})
	return { mark }
}

async function markGroup(options: MarkerOptions, marks: Mark[]): Promise<boolean[]> {
	const { engine, haven, lease } = options
	const begun = [{ flushFailures: haven.flushFailures() }]
	const drafted = await engine.run('draftMarks', haven.base, lease.partial, marks, haven.flushWay === 'each file')
	const meant = marks.filter((_, index) => drafted[index])
	if (meant.length === 0) return drafted
	await flushGroup(options, begun, [lease.partial])
	await engine.run('putMarks', haven.base, lease.partial, meant)
	await flushGroup(
		options,
		begun,
		meant.map(({ key }) => receiptsFolder(key)),
	)
	return drafted
}
