import test from 'ava'
import fc from 'fast-check'
import type { ServiceStatus } from '../../src/mirror/service-status.ts'
import { briefStatus, lifeLine, sweepLine } from '../../src/report/life-line.ts'
import { wellStatus } from './support/service.ts'

const start = Date.parse('2026-11-21T10:00:00.000Z')
const hour = 3_600_000
const snapshot = { keyspace: 'shop', table: `orders-${'0123456789abcdef'.repeat(2)}`, tag: 'daily 1' }

function at(minutes: number): string {
	return new Date(start + minutes * 60_000).toISOString()
}

test('the line of life says what was done since the last one, what is left, and what is oldest', (t) => {
	const before = { at: start + hour, status: wellStatus({ sealed: 1000, bytes: 5e9, moved: 4 }) }
	const waiting = [{ snapshot, since: at(119), reason: 'no manifest' }]
	const more: Partial<ServiceStatus> = { waiting, unsealed: 2, oldestUnsealed: { snapshot, since: at(116) } }
	const now = { at: start + 2 * hour + 900, status: wellStatus({ sealed: 1012, bytes: 8.4e9, moved: 5, ...more }) }
	t.deepEqual(lifeLine(now, before), {
		to: 'stderr',
		importance: 'summary',
		label: 'alive:',
		kind: 'good',
		text: '12 sealed (3.4 GB), 1 gone from the node in the last hour; 1 waiting, nothing failing; 2 snapshots unsealed, the oldest shop.orders "daily 1", for 4m 1s',
	})
	t.is(
		lifeLine({ at: start + 100_000, status: wellStatus() }).text,
		'nothing sealed since its start 1m 40s ago; nothing waiting, nothing failing',
	)
	t.regex(lifeLine({ ...now, at: start + hour + 60_000 }, before).text, /in the last 1m;/)
})

test('a line of life with a trouble in it is a problem, which -q shows too', (t) => {
	const trouble = { since: at(48), message: 'ENOSPC\u001b' }
	const failing = [{ what: 'shop/orders/snapshots/x', since: at(1), reason: 'torn' }]
	const { kind, importance, text } = lifeLine({ at: start + hour, status: wellStatus({ trouble, failing }) })
	t.deepEqual([kind, importance], ['doubtful', 'problem'])
	t.regex(text, /; the haven is in trouble for 12m: ENOSPC\\x1b; nothing waiting, 1 failing$/)
	t.is(lifeLine({ at: start, status: wellStatus({ failing }) }).importance, 'problem')
	t.is(
		briefStatus({ at: start + hour, status: wellStatus({ sealed: 7, bytes: 1e3, failing }) }),
		'7 sealed (1 kB); nothing waiting, 1 failing',
	)
})

test('a sweep is told of where it changed something, and only there', (t) => {
	const counts = fc.record({
		...{ sealed: fc.nat(2), moved: fc.nat(2), removed: fc.nat(2), tables: fc.nat(2) },
		waiting: fc.array(fc.constant({ snapshot, since: at(1), reason: 'x' }), { maxLength: 2 }),
		failing: fc.array(fc.constant({ what: 'x', since: at(1), reason: 'x' }), { maxLength: 2 }),
		lastSweepAt: fc.constantFrom(at(1), at(2)),
	})
	fc.assert(
		fc.property(counts, counts, (before, now) => {
			const parts = ({ sealed, moved, removed, waiting, failing }: typeof before) =>
				String([sealed, moved, removed, waiting.length, failing.length])
			const line = sweepLine({ at: start, status: wellStatus(now) }, { at: start, status: wellStatus(before) })
			return (line === undefined) === (parts(before) === parts(now))
		}),
	)
	const line = sweepLine(
		{ at: start, status: wellStatus({ sealed: 3, bytes: 10 }) },
		{ at: start, status: wellStatus() },
	)
	t.is(line?.text, '3 sealed (10 B); nothing waiting, nothing failing')
	t.is(line?.importance, 'result')
})
