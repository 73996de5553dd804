/** What is known of one folder of a table's name, over all data directories. */
export interface TableFolder {
	/** `<name>-<32 hex of the id>`, or the bare name. */
	name: string
	hasSSTables: boolean
	/** It has a snapshot that Cassandra took when it was dropped. */
	wasDropped: boolean
}

/**
 * Which folder is the table's, of all that have its name: a table that was dropped and made again has one for each id.
 * That with SSTables, where one alone has any; else the one that was not dropped, where that is one alone; else undefined.
 */
export function currentFolder(folders: TableFolder[]): string | undefined {
	if (folders.length === 1) return folders[0]?.name
	const used = folders.filter(({ hasSSTables }) => hasSSTables)
	const kept = (used.length === 0 ? folders : used).filter(({ wasDropped }) => used.length === 1 || !wasDropped)
	return kept.length === 1 ? kept[0]?.name : undefined
}
