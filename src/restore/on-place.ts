import { failure, SnaphavenError } from '../errors.ts'
import { hasCode, type Io } from '../files/io.ts'

/** Does work in a folder that is restored to; a system call that fails there is told as such. */
export function* onPlace<T>(folder: string, work: Io<T>): Io<T> {
	try {
		return yield* work
	} catch (error) {
		if (error instanceof SnaphavenError || !hasCode(error)) throw error
		throw failure(`${folder} can’t be restored (${error.code})`, 'See that this user may write there.', error)
	}
}
