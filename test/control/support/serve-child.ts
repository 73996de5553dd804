// A process that is a service as far as its socket goes: `serve-child.ts STATE HAVEN [STATUS]`. It writes `ready`, then
// `rescan` whenever it is asked to; SIGTERM ends it well.
import { saveLastStatus } from '../../../src/control/last-status.ts'
import { serveControl } from '../../../src/control/server.ts'
import { wellStatus } from './service.ts'

const [stateDirectory = '', haven = '', more = '{}'] = process.argv.slice(2)
const place = { stateDirectory, haven }
const status = () => wellStatus(JSON.parse(more))
try {
	const control = await serveControl({
		...place,
		status,
		rescan: () => process.stdout.write('rescan\n'),
		prune: async () => [],
		adopt: async () => [],
		repair: async () => [],
	})
	await saveLastStatus(place, status())
	const alive = setInterval(() => {}, 1000)
	process.once('SIGTERM', async () => {
		clearInterval(alive)
		await control.close()
		await saveLastStatus(place, { ...status(), state: 'ending' })
	})
	process.stdout.write('ready\n')
} catch (error) {
	process.stdout.write(`refused: ${(error as Error).message}\n`)
}
