import test from 'ava'
import { isResting, lookAgainIn, restFor } from '../../src/mirror/retry.ts'

const HOUR_MS = 3_600_000
const quiet = { nowMs: 1_000_000, steadyMs: 5000, open: [], failures: 0, sealedMs: undefined }
const failing = { tag: 'daily', sinceMs: 0, state: 'failing' } as const

test('where nothing is open and nothing was sealed lately, only a change is a reason to look again', (t) => {
	t.is(lookAgainIn(quiet), undefined)
	t.is(lookAgainIn({ ...quiet, sealedMs: quiet.steadyMs - 60_000 }), undefined)
	t.is(lookAgainIn({ ...quiet, sealedMs: quiet.steadyMs - 1000 }), 4000)
})

test('what failed at once is tried again with pauses that grow to a minute', (t) => {
	const pauses = [1, 2, 3, 7, 50].map((failures) => lookAgainIn({ ...quiet, open: [failing], failures }))
	t.deepEqual(pauses, [1000, 2000, 4000, 60_000, 60_000])
})

for (const [spentMs, restMs] of [
	[0, 0],
	[60_000, 600_000],
	[HOUR_MS, 10 * HOUR_MS],
	[100 * HOUR_MS, 12 * HOUR_MS],
] as const) {
	test(`what failed after it was copied for ${spentMs} ms is left alone for ${restMs} ms, but for a change`, (t) => {
		t.is(restFor(spentMs), restMs)
		const untilMs = quiet.steadyMs + restMs
		const one = { ...failing, rest: { untilMs, identity: ['/data 1 2'] } }
		t.is(lookAgainIn({ ...quiet, open: [one], failures: 1 }), Math.max(1000, restMs))
		t.is(isResting(one, ['/data 1 2'], untilMs - 1), true)
		t.is(isResting(one, ['/data 1 2'], untilMs), false)
		t.is(isResting(one, ['/data 1 3'], untilMs - 1), false)
		// Others of the table do not wait for it.
		t.is(lookAgainIn({ ...quiet, open: [one, failing], failures: 1 }), 1000)
	})
}
