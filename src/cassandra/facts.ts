import type { SchemaPart } from './schema.ts'

/** What a restore needs of a node besides SSTables. */
export interface NodeFacts {
	/** Who told. */
	source: 'cql' | 'nodetool'
	node: NodeIdentity
	/** Of keyspaces that users made; of Cassandra's own, only the statements that make these keyspaces. */
	schema?: SchemaPart[]
	/** Sorted by name. No password, nor a hash of one. */
	roles?: Role[]
	/** Sorted by role and resource. */
	grants?: Grant[]
	/** What could not be had, and why, each a sentence. */
	missing: string[]
}

/** system.local, as far as it says what a node is. */
export interface NodeIdentity {
	clusterName?: string
	hostId?: string
	datacenter?: string
	rack?: string
	releaseVersion?: string
	partitioner?: string
	/** Sorted. */
	tokens: string[]
}

/** A role (system_auth.roles). */
export interface Role {
	name: string
	login: boolean
	superuser: boolean
	memberOf: string[]
	/** Where it may log in; not there where it may in all. */
	datacenters?: string[]
}

/** What a role may do to a resource (system_auth.role_permissions): `data/shop/orders`, `roles/app`. */
export interface Grant {
	role: string
	resource: string
	permissions: string[]
}
