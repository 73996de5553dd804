import test from 'ava'
import { jsonLine, printable, quoted } from '../../src/report/printable.ts'

const shown = test.macro({
	exec(t, text: string, expected: string) {
		t.is(printable(text), expected)
		t.is(printable(printable(text)), expected)
	},
	title: (_, text, expected) => `${JSON.stringify(text)} is shown as ${expected}`,
})

test(shown, 'plain é 😀 日本', 'plain é 😀 日本')
test(shown, 'a\nb\rc\td', 'a\\nb\\rc\\td')
test(shown, '\u001b[31mred', '\\x1b[31mred')
test(shown, '\u009b31m\u007f', '\\x9b31m\\x7f')
test(shown, 'byte \udcff\udc80', 'byte \\xff\\x80')
test(shown, 'lone \ud83d', 'lone \\ud83d')
test(shown, 'right \u202e left', 'right \\u202e left')
test(shown, 'line\u2028end\ufeff\u{e0001}', 'line\\u2028end\\ufeff\\u{e0001}')

test('a name that has spaces or would be escaped is told in quotes', (t) => {
	t.is(quoted('daily-1'), 'daily-1')
	t.is(quoted('a:b c'), '"a:b c"')
	t.is(quoted('a\nb'), '"a\\nb"')
	t.is(quoted(''), '""')
})

test('a line of JSON has no control characters, and means what it was made of', (t) => {
	const value = { name: 'a\n\u001b\u009b\u007f\u202e\u2028\u{e0001}é😀', bytes: '\udcff' }
	const line = jsonLine(value)
	t.deepEqual(JSON.parse(line), value)
	t.notRegex(line, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
	t.true(line.includes('é😀'))
	t.true(line.includes('\\udcff'))
})
