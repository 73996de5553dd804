import { tableName } from '../cassandra/find-tables.ts'

/** Where one table goes, below the folder that a restore is given. */
export interface TablePlace {
	/** The folder that was given, absolute. */
	root: string
	keyspace: string
	/** The table's name, without its id: sstableloader and nodetool import take folders of such names alone. */
	name: string
}

/** Another table that one is restored as. */
export interface OtherTable {
	keyspace: string
	name: string
}

/** Where the table of a snapshot goes, below a folder. */
export function placeFor(
	root: string,
	snapshot: { keyspace: string; table: string },
	as: OtherTable | undefined,
): TablePlace {
	return { root, ...(as ?? { keyspace: snapshot.keyspace, name: tableName(snapshot.table) }) }
}

/** The folder of our own in the one that a restore is given: what was restored there, and from what. */
export const MARKERS = '.snaphaven-restore'

/** A table's folder. */
export function folderOf({ root, keyspace, name }: TablePlace): string {
	return `${root}/${keyspace}/${name}`
}

/** Where a table is gathered, beside its folder. */
export function partialOf({ root, keyspace, name }: TablePlace): string {
	return `${root}/${keyspace}/${partialName(name)}`
}

/** The name of the folder that a table of that name is gathered in. */
export function partialName(name: string): string {
	return `.${name}.snaphaven-partial`
}

/** The name in it of what says that a table's folder was restored whole, and from which receipt. */
export function markerName({ keyspace, name }: TablePlace): string {
	return `${keyspace}.${name}.json`
}

/** Whether Cassandra takes this for the name of a keyspace or a table: where not, its tools load nothing, silently. */
export function isCassandraName(name: string): boolean {
	return /^\w+$/.test(name)
}
