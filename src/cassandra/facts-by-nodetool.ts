import { failure } from '../errors.ts'
import type { NodeFacts, NodeIdentity } from './facts.ts'
import { describeCluster, type Nodetool, nodeInfo, nodeVersion } from './nodetool.ts'

/** Reads what nodetool tells of a node: who it is, and its tokens; no schema and no roles. Throws as nodetool's calls do. */
export async function factsByNodetool(nodetool: Nodetool, signal: AbortSignal): Promise<NodeFacts> {
	// Each is a JVM: one at a time, beside a node that has work to do.
	const info = await nodeInfo(nodetool, signal)
	const version = await nodeVersion(nodetool, signal)
	const cluster = await describeCluster(nodetool, signal)
	const missing = ['CREATE KEYSPACE, functions, views and roles: nodetool does not tell them; --cql does']
	return { source: 'nodetool', node: understandInfo(info, version, cluster), missing }
}

/** Takes the three answers apart. Throws where the first has no host id and no token. */
function understandInfo(info: string, version: string, cluster: string): NodeIdentity {
	const tell = (name: Exclude<keyof NodeIdentity, 'tokens'>, text: string, line: RegExp): Partial<NodeIdentity> => {
		const found = line.exec(text)?.[1]?.trim()
		return found === undefined || found === '' ? {} : { [name]: found }
	}
	const tokens = [...info.matchAll(/^Token\s*:\s*(\S+)\s*$/gm)].map(([, token = '']) => token)
	const identity: NodeIdentity = {
		...tell('clusterName', cluster, /^\s*Name:\s*(.*)$/m),
		...tell('hostId', info, /^ID\s*:\s*([0-9a-f-]{36})\s*$/m),
		...tell('datacenter', info, /^Data Center\s*:\s*(.*)$/m),
		...tell('rack', info, /^Rack\s*:\s*(.*)$/m),
		...tell('releaseVersion', version, /^ReleaseVersion:\s*(.*)$/m),
		...tell('partitioner', cluster, /^\s*Partitioner:\s*(.*)$/m),
		tokens: tokens.sort(),
	}
	if (identity.hostId !== undefined && tokens.length > 0) return identity
	throw failure('what nodetool info -T printed can’t be understood', info.slice(0, 1000))
}
