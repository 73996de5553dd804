import { stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { failure } from '../errors.ts'
import { hasCode } from '../files/io.ts'

/**
 * Holds a folder for this process, so that two restores never gather in the same one: by an abstract Unix socket
 * (unix(7)), which goes with the process however it ends. Throws where another process of this machine holds it.
 */
export async function holdFolder(path: string): Promise<() => void> {
	const { dev, ino } = await stat(path, { bigint: true })
	const server = createServer()
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject)
		server.listen(`\0snaphaven-restore-${dev}-${ino}`, resolve)
	}).catch((error: unknown) => {
		if (!hasCode(error, 'EADDRINUSE')) throw error
		throw failure(`another restore into ${path} is running`, 'Wait until it has ended, or give another folder.', error)
	})
	server.unref()
	return () => server.close()
}
