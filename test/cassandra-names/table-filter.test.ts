import test from 'ava'
import { compileTableFilter } from '../../src/cassandra/table-filter.ts'
import { SnaphavenError } from '../../src/errors.ts'

const TABLES = ['orders', 'orders_by_day', 'Orders', 'users', 'u', '_x', 'o2', 'a', 'ab']

const fits = test.macro({
	exec(t, include: string[], exclude: string[], expected: string[]) {
		t.deepEqual(TABLES.filter(compileTableFilter(include, exclude)), expected)
	},
	title: (_, include, exclude) => `tables of ${JSON.stringify(include)} without ${JSON.stringify(exclude)}`,
})

test(fits, [], [], TABLES)
test(fits, ['orders'], [], ['orders'])
test(fits, ['orders*'], [], ['orders', 'orders_by_day'])
test(fits, ['[oO]rders'], [], ['orders', 'Orders'])
test(fits, ['?'], [], ['u', 'a'])
test(fits, ['*'], ['o*', 'u*'], ['Orders', '_x', 'a', 'ab'])
test(fits, ['{orders,users}'], ['users'], ['orders'])
test(fits, ['!(orders*)'], [], ['Orders', 'users', 'u', '_x', 'o2', 'a', 'ab'])
test(fits, ['+(o|r|d|e|s|r)'], [], ['orders'])
test(fits, ['[[:upper:]]*'], [], ['Orders'])
test(fits, ['o{1..3}'], [], ['o2'])
test(fits, ['[!a-z]*'], [], ['Orders', '_x'])
test(fits, [], ['*'], [])

const refused = test.macro({
	exec(t, glob: string, reason: RegExp) {
		const error = t.throws(() => compileTableFilter([glob], []), { instanceOf: SnaphavenError })
		t.true(error?.message.startsWith(`--include-table "${glob}"`))
		t.regex(error?.message ?? '', reason)
		t.is(error?.exitCode, 2)
		t.throws(() => compileTableFilter([], [glob]), { message: /^--exclude-table "/ })
	},
	title: (_, glob) => `${glob} could fit no table, and is refused`,
})

test(refused, 'ks.orders', /"\." is in no table's name/)
test(refused, 'ks/orders', /"\/" is in no table's name/)
test(refused, 'a b', /" " is in no table's name/)
test(refused, '#x', /"#" is in no table's name/)
test(refused, '!orders', /cannot be turned round/)
test(refused, '[a', /is no glob: Missing closing: "\]"/)
test(refused, '(a', /is no glob/)
test(refused, '{a', /is no glob/)
test(refused, '[z-a]', /is no glob: .*out of order/)
