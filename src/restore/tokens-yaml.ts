import type { FoundFacts } from './find-facts.ts'

/** Who a node was, and its tokens, as cassandra.yaml of a node takes them that is to own the same rows. */
export function tokensYaml({ facts: { node }, at }: FoundFacts): string[] {
	const who = [
		['host id', node.hostId],
		['datacenter', node.datacenter],
		['rack', node.rack],
		['Cassandra', node.releaseVersion],
	].flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
	return [
		`# ${[...who, `asked ${at}`].join(', ')}`,
		...(node.clusterName === undefined ? [] : [`cluster_name: ${quoted(node.clusterName)}`]),
		...(node.partitioner === undefined ? [] : [`partitioner: ${node.partitioner}`]),
		`num_tokens: ${node.tokens.length}`,
		`initial_token: ${quoted(node.tokens.join(','))}`,
	]
}

/** A string of YAML. */
function quoted(text: string): string {
	return `'${text.replaceAll("'", "''")}'`
}
