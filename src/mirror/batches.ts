import type { Sealer } from './sealer.ts'

interface Batches<I, R> {
	/** Gives a batch its turn. */
	alone: Sealer['alone']
	/** Items in a batch, at most. */
	max: number
	/** Does the work for all of them: a result for each. A failure is that of each. */
	work: (items: I[]) => Promise<R[]>
}

/** Does work for many at once: what is asked for until its turn comes goes together, so that one flush serves many. */
export function inBatches<I, R>({ alone, max, work }: Batches<I, R>): (item: I) => Promise<R> {
	const waiting: { item: I; resolve: (result: R) => void; reject: (error: unknown) => void }[] = []
	const next = async () => {
		const batch = waiting.splice(0, max)
		if (batch.length === 0) return
		try {
			const results = await work(batch.map(({ item }) => item))
			for (const [index, { resolve }] of batch.entries()) resolve(results[index] as R)
		} catch (error) {
			for (const { reject } of batch) reject(error)
		}
	}
	return (item) =>
		new Promise((resolve, reject) => {
			waiting.push({ item, resolve, reject })
			alone(next)
		})
}
