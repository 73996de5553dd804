// Preloaded into a service: pauses of a second and more take a thousandth of it; writes down what they were to take, in ms.
import { writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import timers from 'node:timers/promises'

const pause = timers.setTimeout
let sum = 0

timers.setTimeout = (ms, ...rest) => {
	if (ms < 1000) return pause(ms, ...rest)
	sum += ms
	writeFileSync(process.env.SNAPHAVEN_TEST_PAUSES, String(sum))
	return pause(ms / 1000, ...rest)
}
syncBuiltinESMExports()
