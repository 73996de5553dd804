import { explain, isOneSnapshots } from './one-snapshots.ts'
import type { DamageFound, VerifyEvent, VerifyOptions } from './verify-types.ts'
import { type Writer, withWriter } from './with-writer.ts'

/**
 * Puts a good copy in the place of each damaged file that has one, under the haven's lease: each is proven once more
 * while it is copied. Tells what was repaired and what was not. Throws where the haven can't be written to.
 */
export async function repairDamage(
	{ haven, dataDirectories, stateDirectory }: VerifyOptions,
	damages: readonly DamageFound[],
	tell: (event: VerifyEvent) => void,
	signal: AbortSignal,
): Promise<void> {
	const warn = (message: string) => tell({ type: 'warning', message })
	await withWriter({ haven, dataDirectories, stateDirectory, warn, signal }, async (writer) => {
		for (const [number, damage] of damages.entries()) {
			if (!signal.aborted) tell(await repairOne(writer, damage, number))
		}
	})
}

async function repairOne(writer: Writer, { paths, good, targets }: DamageFound, number: number): Promise<VerifyEvent> {
	const { engine, haven, writing } = writer
	const { base, record } = haven
	let reason = 'no good copy was found'
	for (const from of good) {
		try {
			const { hardLinks } = record.capabilities
			const repair = { number, from: from.path, targets, hardLinks }
			const problem = await writing.sealer.alone(() => engine.run('repairFile', base, writing.lease.partial, repair))
			if (problem === undefined) return { type: 'repaired', paths, from }
			reason = problem
		} catch (error) {
			if (!isOneSnapshots(error)) throw error
			reason = explain(error)
		}
	}
	return { type: 'not repaired', paths, reason }
}
