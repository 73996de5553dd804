import { makeFolder } from '../files/folders.ts'
import { hasCode, type Io } from '../files/io.ts'
import { decodeName, type Name, pathOf } from '../files/names.ts'
import { lstatIfThere, readdirBytes } from '../files/operations.ts'
import { gathering, HAVEN_FILE, receiptPath, type SnapshotKey, snapshotFolder, snapshotsFolder } from './layout.ts'
import { placesOf } from './places.ts'
import { move } from './renames.ts'

/** A snapshot in the mirror whose receipt is drafted. */
export interface Adopted {
	/** Its number under the token. */
	number: number
	key: SnapshotKey
}

/** Puts the drafted receipt into its place. Call only when draft and snapshot are durable; durable with the next flush. */
export function* putAdopted(base: string, partial: string, { number, key }: Adopted): Io<void> {
	for (const path of placesOf(key)) yield* makeFolder(pathOf(`${base}/${path}`), 0o777)
	yield* move(base, gathering.receipt(partial, number), receiptPath(key))
}

/** The snapshots' folders in the mirror that have no receipt, by their names. */
export function* findUnknown(base: string): Io<SnapshotKey[]> {
	const unknown: SnapshotKey[] = []
	for (const keyspace of yield* foldersIn(base, 'data')) {
		for (const table of yield* foldersIn(base, `data/${keyspace}`)) {
			for (const tag of yield* foldersIn(base, snapshotsFolder({ keyspace, table }))) {
				const key = { keyspace, table, tag }
				if (!(yield* lstatIfThere(pathOf(`${base}/${receiptPath(key)}`)))) unknown.push(key)
			}
		}
	}
	return unknown
}

/** Whether there is a haven, damaged or not. */
export function* isHaven(base: string): Io<boolean> {
	return (yield* lstatIfThere(pathOf(`${base}/${HAVEN_FILE}`))) !== undefined
}

/** Links are none. */
function* foldersIn(base: string, path: string): Io<Name[]> {
	const folders: Name[] = []
	try {
		for (const bytes of yield* readdirBytes(pathOf(`${base}/${path}`), { encoding: 'buffer' })) {
			const name = decodeName(bytes)
			if ((yield* lstatIfThere(pathOf(`${base}/${path}/${name}`)))?.isDirectory()) folders.push(name)
		}
	} catch (error) {
		if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
	}
	return folders.sort()
}

/** The folders of the mirror that have to be durable for an adopted snapshot, but for those inside it. */
export function foldersOf(key: SnapshotKey): string[] {
	return [...placesOf(key), snapshotFolder(key)]
}
