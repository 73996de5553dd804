import type { BigIntStats } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { failure, usageError } from '../errors.ts'
import { hasCode } from '../files/io.ts'

/**
 * Refuses places where a haven must not be: `/`, a file, a path inside a data directory, or one that holds a data
 * directory. Links are resolved as far as the path exists. Nothing is touched.
 */
export async function checkPlace(haven: string, dataDirectories: string[]): Promise<void> {
	if (!isAbsolute(haven)) throw usageError(`the haven ${haven} is not an absolute path`)
	if (resolve(haven) === '/')
		throw usageError('the haven can’t be /', 'Give a folder on the NAS or the second disk: -s /mnt/nas/cassandra.')
	const place = await placeOf(haven)
	for (const dataDirectory of dataDirectories) {
		const data = await realPath(dataDirectory)
		if (isWithin(place, data)) {
			throw usageError(
				`the haven ${haven} lies inside the data directory ${dataDirectory}`,
				'Cassandra would take it for tables. Give a place outside, best on another disk or machine.',
			)
		}
		if (isWithin(data, place)) {
			throw usageError(
				`the data directory ${dataDirectory} lies inside the haven ${haven}`,
				'Give the haven a folder of its own beside the data.',
			)
		}
	}
}

/** The device (st_dev) that a folder is on, or would be made on; undefined where that can't be told. */
export async function deviceOf(path: string): Promise<bigint | undefined> {
	try {
		return (await stat(path, { bigint: true })).dev
	} catch (error) {
		const parent = dirname(path)
		return parent !== path && hasCode(error, 'ENOENT') ? await deviceOf(parent) : undefined
	}
}

/** The haven's path with its links resolved; throws where it is no folder and can't become one. */
async function placeOf(haven: string): Promise<string> {
	const found = await statIfThere(haven)
	if (!found || found.isDirectory()) return await realPath(haven)
	throw usageError(`the haven ${haven} is not a directory`, 'Give a folder; it is made where it is missing.')
}

async function statIfThere(haven: string): Promise<BigIntStats | undefined> {
	try {
		return await stat(haven, { bigint: true })
	} catch (error) {
		if (hasCode(error, 'ENOENT', 'EACCES')) return undefined
		if (hasCode(error, 'ENOTDIR'))
			throw usageError(`the haven ${haven} lies below a file`, 'Give a folder; it is made where it is missing.')
		if (hasCode(error, 'ELOOP', 'ENAMETOOLONG'))
			throw usageError(`the haven ${haven} is no path that can be: ${error.message}`, 'Give the path of a folder.')
		if (hasCode(error))
			throw failure(
				`the haven ${haven} can’t be opened: ${error.message}`,
				'See that it is mounted and answers.',
				error,
			)
		throw error
	}
}

function isWithin(path: string, folder: string): boolean {
	return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

/** The path with links resolved, as far as it exists. */
async function realPath(path: string): Promise<string> {
	try {
		return await realpath(path)
	} catch (error) {
		if (!hasCode(error)) throw error
		const parent = dirname(path)
		return parent === path ? path : join(await realPath(parent), path.slice(parent.length))
	}
}
