// Preloaded into the service: at SIGUSR2 it collects its garbage, and writes down what is left of its memory, in bytes.
import { renameSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'

const file = process.env.SNAPHAVEN_TEST_MEMORY ?? ''

if (isMainThread) {
	process.on('SIGUSR2', () => {
		setFlagsFromString('--expose-gc')
		runInNewContext('gc')()
		const { heapUsed, external } = process.memoryUsage()
		writeFileSync(`${file}.new`, String(heapUsed + external))
		renameSync(`${file}.new`, file)
	})
}
