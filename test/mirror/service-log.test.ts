import test from 'ava'
import { FULL } from '../../src/haven/trouble.ts'
import { makeLedger } from '../../src/mirror/ledger.ts'
import { makeServiceLog } from '../../src/mirror/service-log.ts'
import type { SyncEvent } from '../../src/mirror/types.ts'
import { sealed } from '../report/support/events.ts'

test('a full haven is told of once, also where another snapshot is sealed just as one is tried again', (t) => {
	const told: SyncEvent[] = []
	const ledger = makeLedger()
	const { totals } = makeServiceLog({ haven: '/nas', mirrorDeletes: undefined }, ledger, (event) => told.push(event))
	const large = { keyspace: 'ks', table: 'large', dataDirectories: [] }
	const seal = (table: string) => totals.tell(sealed({ snapshot: { keyspace: 'ks', table, tag: 'daily' } }))
	const atWork = { tag: 'daily', sinceMs: 0, state: 'at work' } as const
	const fail = () => {
		ledger.set(large, [atWork])
		const reason = `${FULL}: it needs 7 bytes there, and 3 are free: 4 are missing`
		totals.tell({ type: 'failed', snapshot: { keyspace: 'ks', table: 'large', tag: 'daily' }, reason })
		seal('small')
		ledger.set(large, [{ ...atWork, state: 'failing', reason }])
	}
	fail()
	fail()
	t.deepEqual(
		told.map(({ type }) => type),
		['trouble', 'sealed', 'sealed'],
	)
	seal('large')
	ledger.set(large, [])
	t.deepEqual(
		told.slice(3).map(({ type }) => type),
		['recovered', 'sealed'],
	)
})

test('a full haven has room again once what did not fit is gone from the node, and another snapshot is sealed', (t) => {
	const told: SyncEvent[] = []
	const ledger = makeLedger()
	const { totals } = makeServiceLog({ haven: '/nas', mirrorDeletes: undefined }, ledger, (event) => told.push(event))
	const snapshot = { keyspace: 'ks', table: 'large', tag: 'daily' }
	ledger.set({ ...snapshot, dataDirectories: [] }, [{ tag: 'daily', sinceMs: 0, state: 'at work' }])
	totals.tell({ type: 'failed', snapshot, reason: FULL })
	ledger.keepOnly([])
	totals.tell(sealed())
	t.deepEqual(
		told.map(({ type }) => type),
		['trouble', 'recovered', 'sealed'],
	)
})
