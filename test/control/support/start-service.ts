import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { execa } from 'execa'
import type { ServiceStatus } from '../../../src/mirror/service-status.ts'
import { nodeBinary } from '../../support/cli.ts'

/** A process that answers at the socket of a service, ended with the test; `said` has its lines by now. */
export async function startService(
	t: ExecutionContext,
	place: { stateDirectory: string; haven: string },
	status: Partial<ServiceStatus> = {},
) {
	const child = join(import.meta.dirname, 'serve-child.ts')
	const process = execa(nodeBinary, [child, place.stateDirectory, place.haven, JSON.stringify(status)], {
		reject: false,
		timeout: 300_000,
	})
	t.teardown(async () => {
		process.kill('SIGKILL')
		await process
	})
	const said: string[] = []
	await new Promise<void>((resolve) => {
		process.stdout.on('data', (text: Buffer) => {
			said.push(...text.toString().trim().split('\n'))
			resolve()
		})
		void process.then(() => resolve())
	})
	return { process, said }
}
