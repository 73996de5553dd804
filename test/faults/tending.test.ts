import { testWhere } from '../support/not-run.ts'
import { killAtEach, killAtRandom } from './kills.ts'
import { straceMissing } from './strace.ts'
import { SUBJECTS } from './subjects.ts'

/** Kills at random instants, of each command; SNAPHAVEN_KILLS sets another number. */
const { SNAPHAVEN_KILLS: kills = 12 } = process.env
const SHOWN_MAX = 20

for (const [command, { make, tables, calls }] of Object.entries(SUBJECTS)) {
	testWhere(
		straceMissing(),
		`a kill at any instant of ${command} loses nothing, and the next one finishes`,
		async (t) => {
			const subject = await make(t, { tables, sstables: 2, dataBytes: 5000 })
			const { midway, runMs, wrong } = await killAtRandom(subject, Number(kills))
			t.log(`${kills} kills, ${midway} of them midway, of runs of ${Math.round(runMs)} ms`)
			t.deepEqual(wrong.slice(0, SHOWN_MAX), [])
			t.true(midway > 0, 'no kill fell into a run')
		},
	)

	testWhere(
		straceMissing(),
		`a kill before renames, links and deletions by ${command} loses nothing, and the next one finishes`,
		async (t) => {
			const subject = await make(t, { tables: 1, sstables: 1, dataBytes: 500 })
			const ended = await killAtEach(subject, calls)
			t.log(ended.map(({ name, kills: made }) => `${made} × ${name}`).join(', '))
			t.deepEqual(ended.flatMap(({ wrong }) => wrong).slice(0, SHOWN_MAX), [])
			t.true((ended[0]?.kills ?? 0) > 0, 'nothing was killed')
		},
	)
}
