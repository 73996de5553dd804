import { join } from 'node:path'
import { stringify } from 'yaml'
import type { CassandraVersion } from './install.ts'

/** What a node is to be like. */
export interface NodeSettings {
	version: CassandraVersion
	/** The format of new SSTables; up to 4.1 there is `big` alone. */
	format: 'bti' | 'big'
	/** `NONE`: SSTables of 5.0's own versions, `da` (bti) or `oa` (big); `CASSANDRA_4`: `nb`. 4.1 does not have it. */
	compatibility?: 'NONE' | 'CASSANDRA_4'
	/** Whether SSTables are named `da-7-bti` (3.11 has no other) or `da-3gyn_0m4c_0ww9c2o4cfkw8gtnk5-bti`. */
	ids: 'number' | 'uuid'
	/** Number of data directories. */
	dataDirectories: number
	/** Whether each flushed SSTable is linked into `backups/` too. */
	incrementalBackups?: boolean
	/** Whether roles have to log in, and may do only what they are granted; `cassandra` may do all. */
	authentication?: boolean
	/** Its token, and the storage port of a node of the ring that it joins; by default it is alone, with token 0. */
	ring?: { token: string; seed?: number }
}

/** Ports of 127.0.0.1, all different. */
export interface Ports {
	cql: number
	storage: number
	sslStorage: number
	jmx: number
}

/** A node's data directories: `data`, `data2` and so on in its folder. */
export function dataDirectoriesOf(root: string, count: number): string[] {
	return Array.from({ length: count }, (_, i) => join(root, i === 0 ? 'data' : `data${i + 1}`))
}

/** The text of a node's cassandra.yaml (org.apache.cassandra.config.Config), on loopback only. */
export function cassandraYaml(root: string, ports: Ports, settings: NodeSettings): string {
	return stringify({
		cluster_name: 'snaphaven',
		num_tokens: 1,
		// Fixed, so that the same rows go to the same data directories in each run.
		initial_token: settings.ring?.token ?? '0',
		partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
		endpoint_snitch: 'SimpleSnitch',
		seed_provider: [
			{
				class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
				// 3.11 takes no port.
				parameters: [
					{ seeds: settings.version === '3.11.19' ? '127.0.0.1' : `127.0.0.1:${settings.ring?.seed ?? ports.storage}` },
				],
			},
		],
		listen_address: '127.0.0.1',
		start_native_transport: true,
		rpc_address: '127.0.0.1',
		native_transport_port: ports.cql,
		storage_port: ports.storage,
		ssl_storage_port: ports.sslStorage,
		data_file_directories: dataDirectoriesOf(root, settings.dataDirectories),
		commitlog_directory: join(root, 'commitlog'),
		saved_caches_directory: join(root, 'saved_caches'),
		hints_directory: join(root, 'hints'),
		cdc_raw_directory: join(root, 'cdc_raw'),
		commitlog_sync: 'periodic',
		concurrent_compactors: 1,
		auto_snapshot: true,
		incremental_backups: settings.incrementalBackups ?? false,
		...ofVersion(settings),
		...(settings.authentication
			? {
					authenticator: 'PasswordAuthenticator',
					authorizer: 'CassandraAuthorizer',
					role_manager: 'CassandraRoleManager',
				}
			: {}),
	})
}

/** Settings that older versions lack, or name otherwise. */
function ofVersion({ version, format, compatibility, ids }: NodeSettings): object {
	if (version === '3.11.19') {
		return { commitlog_sync_period_in_ms: 1000, commitlog_segment_size_in_mb: 4, start_rpc: false }
	}
	return {
		commitlog_sync_period: '1s',
		commitlog_segment_size: '4MiB',
		uuid_sstable_identifiers_enabled: ids === 'uuid',
		user_defined_functions_enabled: true,
		materialized_views_enabled: true,
		...(version === '5.0.8' && {
			sstable: { selected_format: format },
			storage_compatibility_mode: compatibility ?? 'NONE',
		}),
	}
}
