/** What a snapshot's manifest.json says (Cassandra's org.apache.cassandra.service.snapshot.SnapshotManifest). */
export interface Manifest {
	/** The Data.db files of all data directories together, as paths within the snapshot. */
	files: string[]
	/** When it was taken, ISO 8601; since 4.1. */
	createdAt?: string
	/** When Cassandra will delete it itself, ISO 8601. */
	expiresAt?: string
	/** Made by a repair for its own use; since 5.0. */
	ephemeral?: boolean
}

/** Reads a manifest. A text that is none gives what is wrong with it: it may be half written. */
export function parseManifest(text: string): Manifest | { problem: string; hopeless: boolean } {
	if (text.trim() === '') return unfinished('manifest.json is empty')
	let json: unknown
	try {
		json = JSON.parse(text)
	} catch {
		return unfinished('manifest.json is not whole JSON')
	}
	if (typeof json !== 'object' || json === null || !('files' in json) || !Array.isArray(json.files)) {
		return unfinished('manifest.json has no list "files"')
	}
	const files: unknown[] = json.files
	for (const file of files) {
		if (typeof file !== 'string') return unfinished('manifest.json lists something that is no file name')
		if (!staysInside(file)) {
			return { problem: `manifest.json names ${JSON.stringify(file)}, which is outside its folder`, hopeless: true }
		}
	}
	return { files: files as string[], ...times(json) }
}

function unfinished(problem: string): { problem: string; hopeless: boolean } {
	return { problem, hopeless: false }
}

function times(json: object): Omit<Manifest, 'files'> {
	const { created_at, expires_at, ephemeral } = json as Record<string, unknown>
	return {
		...(typeof created_at === 'string' ? { createdAt: created_at } : {}),
		...(typeof expires_at === 'string' ? { expiresAt: expires_at } : {}),
		...(typeof ephemeral === 'boolean' ? { ephemeral } : {}),
	}
}

function staysInside(path: string): boolean {
	return (
		path !== '' && !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
	)
}

/** One manifest from those that the data directories hold: all the files of any, and the word of the latest on the rest. */
export function uniteManifests(oldestFirst: Manifest[]): Manifest | undefined {
	const latest = oldestFirst.at(-1)
	if (!latest) return undefined
	return { ...latest, files: [...new Set(oldestFirst.flatMap(({ files }) => files))] }
}
