import test from 'ava'
import { moment } from '../../src/haven/shapes.ts'

// In a file of its own: what the thread has seen before counts.
test('what is no time is none, whatever was seen before', (t) => {
	t.false(moment(undefined))
	t.true(moment('2026-01-02T03:04:05.678Z'))
	t.true(moment('2026-01-02T03:04:05.678Z'))
	for (const other of [undefined, null, 0, '', 'soon', '2026-13-02T03:04:05.678Z']) t.false(moment(other))
})
