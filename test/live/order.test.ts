import test from 'ava'
import { comingOrder, goingOrder } from '../../src/mirror/live-order.ts'

const AGES = new Map([
	['nb-2-big-', 1n],
	['nb-1-big-', 2n],
	['.idx/nb-1-big-', 3n],
])
const FILES = [
	'.idx/nb-1-big-Data.db',
	'.idx/nb-1-big-TOC.txt',
	'nb-1-big-Data.db',
	'nb-1-big-SAI+aa+i+ColumnComplete.db',
	'nb-1-big-SAI+aa+i+Meta.db',
	'nb-1-big-TOC.txt',
	'nb-2-big-Data.db',
	'nb-2-big-Statistics.db',
	'nb-2-big-TOC.txt',
]

test('SSTables come the oldest first, each with what completes it last: an index’s mark, Data.db, TOC.txt', (t) => {
	t.deepEqual(
		FILES.toSorted((one, other) => comingOrder(AGES, one, other)),
		[
			...['nb-2-big-Statistics.db', 'nb-2-big-Data.db', 'nb-2-big-TOC.txt'],
			...['nb-1-big-SAI+aa+i+Meta.db', 'nb-1-big-SAI+aa+i+ColumnComplete.db', 'nb-1-big-Data.db', 'nb-1-big-TOC.txt'],
			...['.idx/nb-1-big-Data.db', '.idx/nb-1-big-TOC.txt'],
		],
	)
})

test('SSTables go the oldest first, so that what hides older rows outlives them, each with TOC.txt first', (t) => {
	t.deepEqual(
		FILES.toSorted((one, other) => goingOrder(AGES, one, other)),
		[
			...['nb-2-big-TOC.txt', 'nb-2-big-Data.db', 'nb-2-big-Statistics.db'],
			...['nb-1-big-TOC.txt', 'nb-1-big-Data.db', 'nb-1-big-SAI+aa+i+ColumnComplete.db', 'nb-1-big-SAI+aa+i+Meta.db'],
			...['.idx/nb-1-big-TOC.txt', '.idx/nb-1-big-Data.db'],
		],
	)
})
