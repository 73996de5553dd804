import { readFileSync } from 'node:fs'
import test from 'ava'
import { readLog } from '../../src/cassandra/transaction-log.ts'
import { isLogName } from '../../src/cassandra/transaction-record.ts'
import { type RecordedLog, recordedLogs } from '../support/recorded-logs.ts'
import { isCommitted } from './support/cassandra-start.ts'

const logs: RecordedLog[] = JSON.parse(readFileSync(recordedLogs, 'utf8'))

for (const version of new Set(logs.map(({ cassandra }) => cassandra))) {
	const ofVersion = logs.filter(({ cassandra }) => cassandra === version)

	test(`every log of a real Cassandra ${version} is understood: flushes, compactions, one that it was killed in`, (t) => {
		const states = ofVersion.map(({ name, table, replicas }) => {
			t.true(isLogName(name), name)
			const { state, records, isTorn, mayNameMore, problem } = readLog(replicas)
			t.deepEqual([isTorn, mayNameMore, problem], [false, false, undefined], name)
			t.true(records.length > 0)
			for (const { prefix } of records) t.regex(prefix, new RegExp(`/${table}/(da|nb)-[0-9a-z_]+-(bti|big)-$`))
			t.is(state === 'committed', isCommitted(replicas) ?? false)
			return `${name.split('_').at(-2)} ${state}`
		})
		for (const expected of ['flush committed', 'compaction committed', 'compaction running']) {
			t.true(states.includes(expected), `${expected}: ${states.join(', ')}`)
		}
	})

	test(`a log of a real Cassandra ${version} that is cut off anywhere is neither committed nor aborted`, (t) => {
		const [flush, compaction] = ['_flush_', '_compaction_'].map((kind) =>
			ofVersion.find(({ name }) => name.includes(kind)),
		)
		for (const text of [flush?.replicas[0] ?? '', compaction?.replicas[0] ?? '']) {
			const whole = readLog([text])
			t.is(whole.state, 'committed')
			for (let length = 0; length < text.length - 1; length++) {
				const { state, records } = readLog([text.slice(0, length)])
				if (state === 'empty' || state === 'running') continue
				t.fail(`${length} bytes: ${state}, ${records.length} records`)
			}
		}
	})
}

test('a compaction that was stopped is aborted', (t) => {
	t.true(logs.some(({ replicas }) => readLog(replicas).state === 'aborted'))
})
