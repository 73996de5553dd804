import test from 'ava'
import { Meter } from '../../src/report/meter.ts'
import { progressLine } from '../../src/report/progress-line.ts'

function progress(files: number, bytes: number, totals = { files: 1000, bytes: 10_000_000 }) {
	return {
		snapshots: { done: 1, total: 2 },
		files: { done: files, total: totals.files },
		bytes: { done: bytes, total: totals.bytes },
	}
}

test('nothing is said of the pace within the first second', (t) => {
	const meter = new Meter()
	t.deepEqual(meter.measure(progress(0, 0), 0), { rate: 0, left: undefined })
	t.deepEqual(meter.measure(progress(10, 10_000), 999), { rate: 0, left: undefined })
})

test('the rate is that of the last ten seconds, and the time left follows from it', (t) => {
	const meter = new Meter()
	meter.measure(progress(0, 0), 0)
	for (let second = 1; second <= 20; second++) meter.measure(progress(0, 0), second * 1000)
	for (let second = 21; second < 30; second++) meter.measure(progress(400, (second - 20) * 500_000), second * 1000)
	const { rate, left } = meter.measure(progress(900, 5_000_000), 30_000)
	t.true(rate > 490_000 && rate <= 560_000, `${rate}`)
	t.true(left !== undefined && left >= 8_900 && left <= 10_000, `${left}`)
})

test('many small files are what is waited for, where there are few bytes', (t) => {
	const meter = new Meter()
	const totals = { files: 10_000, bytes: 100_000 }
	meter.measure(progress(0, 0, totals), 0)
	t.is(meter.measure(progress(1000, 90_000, totals), 1000).left, 9_000)
})

test('what stands still has no time left to tell, and what is done has none left', (t) => {
	const meter = new Meter()
	meter.measure(progress(5, 5), 0)
	t.deepEqual(meter.measure(progress(5, 5), 5000), { rate: 0, left: undefined })
	const done = new Meter()
	done.measure(progress(0, 0), 0)
	t.is(done.measure(progress(1000, 10_000_000), 5000).left, 0)
})

test('the line of progress says how much of what is done, how fast, and for how long still', (t) => {
	const pace = { rate: 1_500_000.4, left: 61_200 }
	t.is(progressLine(progress(10, 20_000), pace), '1/2 snapshots · 10/1,000 files · 20 kB/10 MB · 1.5 MB/s · 1m 2s left')
	t.is(progressLine(progress(10, 20_000), { rate: 0, left: undefined }), '1/2 snapshots · 10/1,000 files · 20 kB/10 MB')
})

test('the line of progress is silent of files where there is nothing to transfer', (t) => {
	t.is(progressLine(progress(0, 0, { files: 0, bytes: 0 }), { rate: 0, left: 0 }), '1/2 snapshots')
})
