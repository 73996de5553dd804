import test from 'ava'
import { resourceCql, rolesCql } from '../../src/restore/roles-cql.ts'

const ofResource = test.macro({
	exec: (t, resource: string, cql: string | undefined) => t.is(resourceCql(resource), cql),
	title: (_, resource, cql) => `the resource ${resource} is ${cql ?? 'not known'}`,
})

test(ofResource, 'data', 'ALL KEYSPACES')
test(ofResource, 'data/shop', 'KEYSPACE shop')
test(ofResource, 'data/shop/*', 'ALL TABLES IN KEYSPACE shop')
test(ofResource, 'data/shop/Items', 'TABLE shop."Items"')
test(ofResource, 'roles', 'ALL ROLES')
test(ofResource, 'roles/a/b', 'ROLE "a/b"')
test(ofResource, 'functions', 'ALL FUNCTIONS')
test(ofResource, 'functions/shop', 'ALL FUNCTIONS IN KEYSPACE shop')
test(ofResource, 'functions/shop/f[]', 'FUNCTION shop.f()')
test(
	ofResource,
	'functions/shop/plus[org.apache.cassandra.db.marshal.Int32Type^org.apache.cassandra.db.marshal.UTF8Type]',
	'FUNCTION shop.plus(int, text)',
)
test(ofResource, 'functions/shop/f[org.apache.cassandra.db.marshal.ListType(x)]', undefined)
test(ofResource, 'mbean', 'ALL MBEANS')
test(ofResource, 'mbean/a:type=B,name=*', "MBEAN 'a:type=B,name=*'")
test(ofResource, 'something/new', undefined)

test('roles come before what they are granted, and what CQL can’t say is a comment', (t) => {
	const roles = [
		{ name: 'app', login: true, superuser: false, memberOf: ['Readers'], datacenters: ["d'1", 'd2'] },
		{ name: 'Readers', login: false, superuser: true, memberOf: [] },
	]
	const grants = [
		{ role: 'Readers', resource: 'data/shop', permissions: ['MODIFY', 'SELECT'] },
		{ role: 'app', resource: 'new', permissions: ['FLY'] },
	]
	t.deepEqual(rolesCql(roles, grants), [
		"CREATE ROLE IF NOT EXISTS app WITH SUPERUSER = false AND LOGIN = true AND ACCESS TO DATACENTERS {'d''1', 'd2'};",
		'CREATE ROLE IF NOT EXISTS "Readers" WITH SUPERUSER = true AND LOGIN = false;',
		'GRANT "Readers" TO app;',
		'GRANT MODIFY ON KEYSPACE shop TO "Readers";',
		'GRANT SELECT ON KEYSPACE shop TO "Readers";',
		'-- FLY on new to app',
	])
})
