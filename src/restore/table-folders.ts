import { runAsync } from '../files/io.ts'
import type { TableFolder } from './current-folder.ts'
import { liveSSTables, namesIn, tableFolders } from './live-sstables.ts'

/** The folders that have a table's name, over all data directories. */
export async function foldersOf(
	dataDirectories: string[],
	{ keyspace, name }: { keyspace: string; name: string },
): Promise<TableFolder[]> {
	const byName = new Map<string, TableFolder>()
	for (const path of await runAsync(tableFolders(dataDirectories, keyspace, name))) {
		const folder = path.slice(path.lastIndexOf('/') + 1)
		const known = byName.get(folder)
		const live = await runAsync(liveSSTables([path]))
		const tags = await runAsync(namesIn(`${path}/snapshots`))
		byName.set(folder, {
			name: folder,
			hasSSTables: known?.hasSSTables || live.length > 0,
			wasDropped: known?.wasDropped || tags.some((tag) => /^dropped-\d+-/.test(tag)),
		})
	}
	return [...byName.values()]
}

/** What to say where `currentFolder` finds none. */
export function whyNoFolder(folders: TableFolder[]): string {
	if (folders.length === 0) {
		return 'the node has no folder of such a table: start it, make the table by its schema.cql, and give --import'
	}
	const names = folders.map(({ name }) => name).join(', ')
	return `which folder is the table’s can’t be told (${names}): start the node, and give --import`
}
