import { openTable, type TableLocation } from '../cassandra/list-snapshot.ts'
import { mountOf } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { close } from '../files/operations.ts'
import type { SourceFolders } from './source-folders.ts'

/**
 * What is mounted into a snapshot, or into `backups/`, is somebody else's, however it looks: the table's own live files, by
 * a bind mount.
 */
export function* refuseMounts(
	location: TableLocation,
	listing: { dataDirectories: string[]; folders: { directory: number; path: string }[] },
	folders: SourceFolders,
): Io<void> {
	for (const [directory, dataDirectory] of listing.dataDirectories.entries()) {
		const table = yield* openTable(dataDirectory, location.keyspace, location.table)
		if (table === undefined) continue
		try {
			for (const { path } of listing.folders.filter((folder) => folder.directory === directory)) {
				if (mountOf(yield* folders.folder(directory, path)) === mountOf(table)) continue
				throw Object.assign(
					new Error(
						`${path || 'its folder'} is mounted from elsewhere: unmount it, and what is safe in the haven goes`,
					),
					{ code: 'EXDEV' },
				)
			}
		} finally {
			yield* close(table)
		}
	}
}
