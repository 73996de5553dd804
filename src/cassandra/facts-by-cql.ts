import type { CqlPlace } from './cql-place.ts'
import { CqlFailure, type CqlRow, type CqlSession, withCql } from './cql-session.ts'
import type { Grant, NodeFacts, NodeIdentity, Role } from './facts.ts'
import { describeSchema } from './schema-by-cql.ts'

/**
 * Reads a node's facts over CQL. What a role may not read, or an older Cassandra does not have, is named in `missing`.
 * Throws as withCql does.
 */
export function factsByCql(place: CqlPlace, signal: AbortSignal): Promise<NodeFacts> {
	return withCql(place, signal, async (session) => {
		const node = await identity(session)
		const { parts: schema, missing: lacking } = await describeSchema(session)
		const { missing, ...auth } = await authorization(session)
		return { source: 'cql', node, schema, ...auth, missing: [...lacking, ...missing] }
	})
}

async function identity({ run }: CqlSession): Promise<NodeIdentity> {
	const [row = {}] = await run(
		"SELECT cluster_name, host_id, data_center, rack, release_version, partitioner, tokens FROM system.local WHERE key = 'local'",
	)
	const names = {
		clusterName: 'cluster_name',
		hostId: 'host_id',
		datacenter: 'data_center',
		rack: 'rack',
		releaseVersion: 'release_version',
		partitioner: 'partitioner',
	}
	const told = Object.entries(names).flatMap(([name, column]) => (row[column] ? [[name, String(row[column])]] : []))
	return { ...Object.fromEntries(told), tokens: texts(row, 'tokens') }
}

/** The columns are named, so that the hashes of passwords (salted_hash) never leave the node. */
async function authorization({ run }: CqlSession): Promise<Pick<NodeFacts, 'roles' | 'grants' | 'missing'>> {
	try {
		const places = await run('SELECT role, dcs FROM system_auth.network_permissions').catch((error: unknown) => {
			// Not before 4.0.
			if (error instanceof CqlFailure && error.isUnknown) return []
			throw error
		})
		const datacenters = new Map(places.map((row) => [String(row['role']), texts(row, 'dcs')]))
		const roles = await run('SELECT role, can_login, is_superuser, member_of FROM system_auth.roles')
		const grants = await run('SELECT role, resource, permissions FROM system_auth.role_permissions')
		return {
			roles: roles.map((row) => roleOf(row, datacenters)).sort(by(({ name }) => name)),
			grants: grants.map(grantOf).sort(by(({ role, resource }) => `${role} ${resource}`)),
			missing: [],
		}
	} catch (error) {
		if (!(error instanceof CqlFailure)) throw error
		const remedy = error.isUnauthorized
			? '. It needs SELECT on system_auth.roles, system_auth.role_permissions and system_auth.network_permissions'
			: ''
		return { missing: [`roles and what they are granted: ${error.message}${remedy}`] }
	}
}

function roleOf(row: CqlRow, allowed: Map<string, string[]>): Role {
	const name = String(row['role'])
	const datacenters = allowed.get(name) ?? []
	return {
		name,
		login: row['can_login'] === true,
		superuser: row['is_superuser'] === true,
		memberOf: texts(row, 'member_of'),
		...(datacenters.length === 0 ? {} : { datacenters }),
	}
}

function grantOf(row: CqlRow): Grant {
	return { role: String(row['role']), resource: String(row['resource']), permissions: texts(row, 'permissions') }
}

/** A set of texts, sorted: the node hands it out in any order. */
function texts(row: CqlRow, column: string): string[] {
	const value = row[column]
	return Array.isArray(value) ? value.map(String).sort() : []
}

function by<T>(keyOf: (item: T) => string): (one: T, other: T) => number {
	return (one, other) => (keyOf(one) < keyOf(other) ? -1 : 1)
}
