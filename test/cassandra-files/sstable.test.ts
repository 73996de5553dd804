import test from 'ava'
import { mayBeRewritten, mayChangeInPlace, parseComponent } from '../../src/cassandra/sstable.ts'

const names: [string, { prefix: string; version: string; format: 'big' | 'bti'; component: string }][] = [
	['nb-7-big-Data.db', { prefix: 'nb-7-big-', version: 'nb', format: 'big', component: 'Data.db' }],
	['me-12-big-TOC.txt', { prefix: 'me-12-big-', version: 'me', format: 'big', component: 'TOC.txt' }],
	[
		'da-3gyn_0m4c_0ww9c2o4cfkw8gtnk5-bti-Partitions.db',
		{ prefix: 'da-3gyn_0m4c_0ww9c2o4cfkw8gtnk5-bti-', version: 'da', format: 'bti', component: 'Partitions.db' },
	],
	[
		'.orders_customer/da-1-bti-Data.db',
		{ prefix: '.orders_customer/da-1-bti-', version: 'da', format: 'bti', component: 'Data.db' },
	],
	[
		'da-1-bti-SAI+aa+orders_total+Meta.db',
		{ prefix: 'da-1-bti-', version: 'da', format: 'bti', component: 'SAI+aa+orders_total+Meta.db' },
	],
	['shop-orders-ka-7-Data.db', { prefix: 'shop-orders-ka-7-', version: 'ka', format: 'big', component: 'Data.db' }],
	['shop-orders-jb-7-Index.db', { prefix: 'shop-orders-jb-7-', version: 'jb', format: 'big', component: 'Index.db' }],
]
for (const [name, parts] of names) test(`${name} is taken apart`, (t) => t.deepEqual(parseComponent(name), parts))

for (const name of [
	'manifest.json',
	'schema.cql',
	'ephemeral.snapshot',
	'nb-7-big-',
	'nb-big-Data.db',
	'nb-7-huge-Data.db',
	'nb-7-big-Data.db/other',
	'Nb-7-big-Data.db',
	'',
]) {
	test(`${JSON.stringify(name)} is no component`, (t) => t.is(parseComponent(name), undefined))
}

for (const format of ['nb-7-big', 'da-7-bti', '.by_city/nb-7-big', 'ks-t-ka-7']) {
	test(`of ${format} what Cassandra changes later is never hard-linked between node and haven`, (t) => {
		for (const component of ['TOC.txt', 'Filter.db', 'Summary.db', 'Statistics.db'])
			t.true(mayBeRewritten(`${format}-${component}`), component)
		for (const component of ['Data.db', 'Index.db', 'Partitions.db', 'Rows.db', 'CompressionInfo.db', 'Digest.crc32'])
			t.false(mayBeRewritten(`${format}-${component}`), component)
		for (const component of ['TOC.txt', 'Filter.db']) t.true(mayChangeInPlace(`${format}-${component}`), component)
		for (const component of ['Summary.db', 'Statistics.db', 'Data.db'])
			t.false(mayChangeInPlace(`${format}-${component}`), component)
	})
}
