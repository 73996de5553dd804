import type { Grant, Role } from '../cassandra/facts.ts'
import { quotedName } from '../cassandra/schema.ts'

/**
 * The statements that make roles and what they are granted, roles first. Passwords are not among them. What can't be said
 * in CQL stands there as a comment.
 */
export function rolesCql(roles: Role[], grants: Grant[]): string[] {
	return [
		...roles.map(createRole),
		...roles.flatMap(({ name, memberOf }) => memberOf.map((of) => `GRANT ${quotedName(of)} TO ${quotedName(name)};`)),
		...grants.flatMap(grantPermissions),
	]
}

function createRole({ name, login, superuser, datacenters }: Role): string {
	const access = datacenters === undefined ? '' : ` AND ACCESS TO DATACENTERS {${datacenters.map(text).join(', ')}}`
	return `CREATE ROLE IF NOT EXISTS ${quotedName(name)} WITH SUPERUSER = ${superuser} AND LOGIN = ${login}${access};`
}

function grantPermissions({ role, resource, permissions }: Grant): string[] {
	const on = resourceCql(resource)
	return permissions.map((permission) =>
		on === undefined
			? `-- ${permission} on ${resource} to ${quotedName(role)}`
			: `GRANT ${permission} ON ${on} TO ${quotedName(role)};`,
	)
}

/** A resource as CQL names it (org.apache.cassandra.auth.IResource), undefined where that is not known. */
export function resourceCql(resource: string): string | undefined {
	const [root, first, ...more] = resource.split('/')
	const rest = more.join('/')
	if (root === 'data') {
		if (first === undefined) return 'ALL KEYSPACES'
		if (rest === '') return `KEYSPACE ${quotedName(first)}`
		return rest === '*'
			? `ALL TABLES IN KEYSPACE ${quotedName(first)}`
			: `TABLE ${quotedName(first)}.${quotedName(rest)}`
	}
	if (root === 'roles') return first === undefined ? 'ALL ROLES' : `ROLE ${quotedName([first, ...more].join('/'))}`
	if (root === 'functions') {
		if (first === undefined) return 'ALL FUNCTIONS'
		return rest === '' ? `ALL FUNCTIONS IN KEYSPACE ${quotedName(first)}` : functionCql(first, rest)
	}
	if (root === 'mbean') return first === undefined ? 'ALL MBEANS' : `MBEAN ${text([first, ...more].join('/'))}`
	return undefined
}

/** Marshalling classes (org.apache.cassandra.db.marshal) of the types that a function may take. */
const TYPES: Record<string, string> = {
	...{ AsciiType: 'ascii', LongType: 'bigint', BytesType: 'blob', BooleanType: 'boolean', SimpleDateType: 'date' },
	...{ DecimalType: 'decimal', DoubleType: 'double', DurationType: 'duration', FloatType: 'float' },
	...{ InetAddressType: 'inet', Int32Type: 'int', ShortType: 'smallint', UTF8Type: 'text', TimeType: 'time' },
	...{ TimestampType: 'timestamp', TimeUUIDType: 'timeuuid', ByteType: 'tinyint', UUIDType: 'uuid' },
	...{ IntegerType: 'varint' },
}

function functionCql(keyspace: string, signature: string): string | undefined {
	const [, name = '', classes = ''] = /^(.*)\[(.*)\]$/s.exec(signature) ?? []
	const types = classes === '' ? [] : classes.split('^').map((one) => TYPES[one.replace(/^.*\./, '')])
	if (name === '' || types.includes(undefined)) return undefined
	return `FUNCTION ${quotedName(keyspace)}.${quotedName(name)}(${types.join(', ')})`
}

function text(value: string): string {
	return `'${value.replaceAll("'", "''")}'`
}
