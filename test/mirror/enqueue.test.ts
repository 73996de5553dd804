import test from 'ava'
import PQueue from 'p-queue'
import { enqueue } from '../../src/mirror/attempt.ts'

test('no snapshot waits for a larger one, but for the slices that were begun', async (t) => {
	const pass = { queue: new PQueue({ concurrency: 1 }), signal: new AbortController().signal }
	const begun = Promise.withResolvers<void>()
	const order: string[] = []
	const slice = (name: string, slices: number) => enqueue(pass, slices, async () => order.push(name))
	const first = enqueue(pass, 8000, () => begun.promise)
	const rest = [slice('large', 8000), slice('large', 8000), slice('middle', 2), slice('small', 0), slice('middle', 2)]
	begun.resolve()
	await Promise.all([first, ...rest])
	t.deepEqual(order, ['small', 'middle', 'middle', 'large', 'large'])
})
