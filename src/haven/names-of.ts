import { hasCode, type Io } from '../files/io.ts'
import { readdir } from '../files/operations.ts'

/** The names in a folder of partial; a stray file among the folders holds none. */
export function* namesOf(partial: string): Io<string[]> {
	try {
		return yield* readdir(partial)
	} catch (error) {
		if (hasCode(error, 'ENOTDIR')) return []
		throw error
	}
}
