import { writeText } from '../report/streams.ts'
import { version } from '../version.ts'

/** Tells the version. Returns the exit code. */
export function tellVersion(): number {
	writeText('stdout', `snaphaven ${version}\n`)
	return 0
}
