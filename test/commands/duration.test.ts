import test from 'ava'
import { parseDuration } from '../../src/commands/duration.ts'
import { SnaphavenError } from '../../src/errors.ts'

const given = {
	'90s': 90_000,
	'30m': 1_800_000,
	'1.5h': 5_400_000,
	'1d': 86_400_000,
	'0s': 0,
	'250ms': 250,
	'2 h': 7.2e6,
}

test('a time is a number with its unit', (t) => {
	for (const [text, expected] of Object.entries(given)) t.is(parseDuration('--timeout', text), expected, text)
})

test('what is no time is refused, a number without a unit too', (t) => {
	for (const text of ['', '30', 'm', '-5m', '1h30m', '5 parsecs', 'Infinity', '1e3s', ' 5m']) {
		const error = t.throws(() => parseDuration('--timeout', text), { instanceOf: SnaphavenError }, text)
		t.is(error?.exitCode, 2)
		t.is(error?.message, `--timeout expects a time such as 90s, 30m, 2h or 1d, but was given "${text}"`)
	}
})
