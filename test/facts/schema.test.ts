import test from 'ava'
import { baseOf, ifNotExists, inOrder, parseSchema, partKey } from '../../src/cassandra/schema.ts'
import { columnDifference, columnsOf, schemaDifference } from '../../src/cassandra/schema-difference.ts'
import { splitCql } from '../../src/cassandra/split-cql.ts'

const SCHEMA = `CREATE TABLE IF NOT EXISTS shop.orders (
    id int,
    "To" frozen<address>,
    s text static,
    m map<text, frozen<list<int>>>,
    old text,
    PRIMARY KEY ((id, "To"), s)
) WITH ID = 039a3350-e5d8-11f1-bf09-17d1d1daefd7
    AND CLUSTERING ORDER BY (s DESC)
    AND comment = 'it''s; a ( test -- no comment';
ALTER TABLE shop.orders DROP old USING TIMESTAMP 1795285136497000;
ALTER TABLE shop.orders ADD later list<text>;
CREATE CUSTOM INDEX IF NOT EXISTS "By" ON shop.orders (s) USING 'sai';
-- it's a comment; with a quote
/* CREATE TABLE system_views.x (id int PRIMARY KEY); */
CREATE FUNCTION shop.plus(a int, "B" map<text, int>) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$ return "a;b"; $$;
CREATE AGGREGATE shop.sum2(int) SFUNC plus STYPE int;
CREATE MATERIALIZED VIEW shop."V" AS SELECT * FROM shop."Orders" WHERE id IS NOT NULL PRIMARY KEY (id);
CREATE TYPE shop.address (street text, "Town" text);
CREATE KEYSPACE "Shop" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'};
SELECT now() FROM system.local`

test('the parts of a schema are told apart, whatever stands in strings, comments and function bodies', (t) => {
	const parts = parseSchema(SCHEMA)
	t.deepEqual(parts.map(partKey), [
		'table shop.orders',
		'index shop.By',
		'function shop.plus(int, map<text, int>)',
		'aggregate shop.sum2(int)',
		'view shop.V',
		'type shop.address',
		'keyspace Shop.Shop',
	])
	t.is(splitCql(parts[0]?.cql ?? '').length, 3)
	t.true(parts[0]?.cql.includes("    AND comment = 'it''s; a ( test -- no comment';\nALTER TABLE"))
	t.deepEqual(parts.map(baseOf).filter(Boolean), [
		{ keyspace: 'shop', name: 'orders' },
		{ keyspace: 'shop', name: 'Orders' },
	])
})

test('they are made in an order in which each finds what it needs', (t) => {
	const kinds = inOrder(parseSchema(SCHEMA)).map(({ kind }) => kind)
	t.deepEqual(kinds, ['keyspace', 'type', 'function', 'aggregate', 'table', 'index', 'view'])
})

test('what is there already is left alone by each statement', (t) => {
	const begun = parseSchema(SCHEMA).map(({ cql }) => ifNotExists(cql))
	for (const cql of begun)
		t.regex(cql, /^CREATE (KEYSPACE|TYPE|FUNCTION|AGGREGATE|TABLE|MATERIALIZED VIEW|CUSTOM INDEX) IF NOT EXISTS \S/)
	t.deepEqual(begun.map(ifNotExists), begun)
	t.deepEqual(parseSchema(begun.join('\n')).map(partKey), parseSchema(SCHEMA).map(partKey))
})

test('columns are those after all that was dropped and added', (t) => {
	t.deepEqual(
		[...columnsOf(parseSchema(SCHEMA)[0]?.cql ?? '')],
		[
			['id', 'int'],
			['To', 'frozen<address>'],
			['s', 'text static'],
			['m', 'map<text, frozen<list<int>>>'],
			['PRIMARY KEY', '((id, "To"), s)'],
			['later', 'list<text>'],
		],
	)
})

test('what differs is named: columns, types, keys, options, replication; an id is nothing', (t) => {
	const [table] = parseSchema(
		'CREATE TABLE a.b (id int PRIMARY KEY, c text) WITH ID = 039a3350-e5d8-11f1-bf09-17d1d1daefd7 AND gc_grace_seconds = 5;',
	)
	const other = (cql: string) => table && schemaDifference(table, { ...table, cql })
	t.is(
		other('CREATE TABLE IF NOT EXISTS a.b (\n\tid int PRIMARY KEY,\n\tc text\n) WITH gc_grace_seconds = 5'),
		undefined,
	)
	t.is(other('CREATE TABLE a.b (id int PRIMARY KEY, c text) WITH gc_grace_seconds = 6;'), 'it has other options')
	t.is(
		other('CREATE TABLE a.b (id int, c int, d text, PRIMARY KEY (id, c)) WITH gc_grace_seconds = 5;'),
		'PRIMARY KEY is (id, c), and was (id), c is int, and was text, it has d text more',
	)
	t.is(columnDifference('CREATE TYPE a.t (x int, y int)', 'CREATE TYPE a.t (x int)'), 'it lacks y int')
	const [keyspace] = parseSchema("CREATE KEYSPACE a WITH replication = {'class': 'S'};")
	t.regex(
		(keyspace &&
			schemaDifference(keyspace, { ...keyspace, cql: "CREATE KEYSPACE a WITH replication = {'class': 'N'};" })) ??
			'',
		/'N'/,
	)
})
