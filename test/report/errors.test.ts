import test from 'ava'
import { failure, usageError } from '../../src/errors.ts'
import { describeAbort, describeError, isAbort } from '../../src/report/errors.ts'

const texts = (error: unknown) => describeError(error).lines.map(({ label, text }) => `${label}|${text}`)

test('an error that is understood is told by its message, and what to do on a line of its own', (t) => {
	t.deepEqual(texts(usageError('bad\u001b', 'do this')), ['error:|bad\\x1b', '|do this'])
	t.is(describeError(usageError('bad')).exitCode, 2)
	t.is(describeError(failure('bad')).exitCode, 1)
})

test('its cause is a detail', (t) => {
	const { lines } = describeError(failure('bad', undefined, new Error('why')))
	t.deepEqual(
		lines.map(({ importance, text }) => [importance, text]),
		[
			['problem', 'bad'],
			['detail', 'caused by why'],
		],
	)
})

test('an error that nobody foresaw is told as a defect, with its stack', (t) => {
	const lines = texts(new TypeError('x is\nundefined'))
	t.regex(lines[0] ?? '', /did not foresee; please report/)
	t.regex(lines[1] ?? '', /TypeError: x is/)
	t.true(lines.some((line) => line.includes('errors.test.ts')))
	t.is(describeError('text').exitCode, 1)
	t.is(describeError('text').message, 'text')
})

test('an abort is told from other errors', (t) => {
	t.true(isAbort(AbortSignal.abort().reason))
	t.false(isAbort(new Error('AbortError')))
	t.is(describeAbort('by signal').lines.length, 1)
	t.is(describeAbort('reader gone').lines.length, 0)
	t.is(describeAbort('by signal').exitCode, 1)
})
