/** What a snapshot is known by that was pruned (see Pass.pruned). */
export function prunedKey({ keyspace, table, tag }: { keyspace: string; table: string; tag: string }): string {
	return `${keyspace}/${table}/${tag}`
}

/** Its folders' identity as one text, in whatever order the data directories are named. */
export function prunedIdentity({ identity }: { identity: string[] }): string {
	return [...identity].sort().join('\n')
}
