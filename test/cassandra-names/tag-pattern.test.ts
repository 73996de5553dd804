import { readFileSync } from 'node:fs'
import test from 'ava'
import { compileTagPattern } from '../../src/cassandra/tag-pattern.ts'
import { SnaphavenError } from '../../src/errors.ts'

/** Recorded by record_expressions.py, which says how to compare with more. */
const recorded = process.env['EXPRESSIONS'] ?? new URL('python-expressions.jsonl', import.meta.url)
const [first = '', ...rest] = readFileSync(recorded, 'utf8').trimEnd().split('\n')
const tags: string[] = JSON.parse(first)
const cases: [expression: string, judgement: string][] = rest.map((line) => JSON.parse(line))

/** `1` and `0` for each tag as in the record; `!` and the message where the expression is refused. */
function judge(expression: string): string {
	try {
		const matches = compileTagPattern(expression)
		return tags.map((tag) => (matches(tag) ? '1' : '0')).join('')
	} catch (error) {
		if (error instanceof SnaphavenError && error.exitCode === 2) return `!${error.message}`
		throw error
	}
}

test('an expression that is taken matches the very tags that it matches in Python', (t) => {
	const taken = cases.filter(([, python]) => !python.startsWith('!'))
	const wrong = taken.filter(
		([expression, python]) => ![python, '!'].includes(judge(expression).replace(/^!.*$/s, '!')),
	)
	t.deepEqual(wrong, [])
	t.true(taken.length > 400)
})

test('what Python takes and we do not is refused by name', (t) => {
	const refused = cases.flatMap(([expression, python]) => {
		const ours = judge(expression)
		return ours.startsWith('!') && !python.startsWith('!') ? [ours] : []
	})
	t.deepEqual(
		refused.filter((message) => !message.includes('not supported here')),
		[],
	)
	t.true(refused.length >= 10)
	t.true(refused.length < cases.length / 10)
})

test('what Python refuses is refused, but for look-behinds of varying width', (t) => {
	const taken = cases.filter(([expression, python]) => python.startsWith('!') && !judge(expression).startsWith('!'))
	t.true(taken.every(([, python]) => python.includes('look-behind requires fixed-width')))
	t.true(cases.filter(([, python]) => python.startsWith('!')).length > 50)
})

test('an expression matches from the start of the tag and need not reach its end', (t) => {
	const matches = compileTagPattern('daily')
	t.true(matches('daily_1'))
	t.false(matches('a_daily'))
	t.false(compileTagPattern('b|c')('ab'))
})

const explained = test.macro({
	exec(t, expression: string, message: string, hint?: string) {
		const error = t.throws(() => compileTagPattern(expression), { instanceOf: SnaphavenError })
		t.is(error?.message, message)
		t.is(error?.hint, hint)
		t.is(error?.exitCode, 2)
	},
	title: (_, expression) => `the error for ${expression} tells the place and the reason`,
})

test(explained, 'daily(', 'the expression daily( is wrong at "(": the group that begins here has no )')
test(explained, 'a**', 'the expression a** is wrong at "*": what is repeated cannot be repeated again without a group')
test(
	explained,
	'(?P<y>a)(?P<y>b)',
	'the expression (?P<y>a)(?P<y>b) is wrong at "(?P<y>b)": there are two groups of the name y',
)
test(explained, '(?<y>a)', 'the expression (?<y>a) is wrong at "(?<y>a)": a named group is written (?P<name>…)')
test(
	explained,
	'(a)(?(1)b|c)',
	'the expression (a)(?(1)b|c) has what is not supported here, at "(?(1)b|c)": a condition, (?(1)yes|no)',
	'Expressions are those of Python, without this one.',
)

test('an expression that is nested too deeply for the machine is refused, too', (t) => {
	t.throws(() => compileTagPattern('('.repeat(100_000)), { instanceOf: SnaphavenError, message: /too large/ })
})
