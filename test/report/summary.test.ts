import test from 'ava'
import { outcomeObject } from '../../src/report/json-events.ts'
import { describeOutcome, type Ending, exitCodeOf, type Outcome } from '../../src/report/summary.ts'
import { NOTHING, summary } from './support/events.ts'

const NONE = { tables: 0, files: 0, bytes: 0 }
const NO_SSTABLES = { live: NONE, backups: NONE, prunable: 0 }

function outcome(given: Parameters<typeof summary>[0] = {}, ending: Ending = 'complete'): Outcome {
	return { summary: summary(given), ending, plan: undefined }
}

const ends = test.macro({
	exec(t, _: string, what: Outcome, exitCode: 0 | 1 | 3, ...lines: string[]) {
		t.is(exitCodeOf(what), exitCode)
		t.deepEqual(
			describeOutcome(what).map(
				({ to, importance, label, text }) => `${to}${importance === 'summary' ? '' : '!'} | ${label} ${text}`,
			),
			lines,
		)
	},
	title: (_, what) => `${what} is told, with its exit code`,
})

test(ends, 'a pass that found nothing', outcome(), 0, 'stdout | done: no snapshot to mirror in 1.2s')
test(
	ends,
	'a pass that did it all',
	outcome({
		sealed: 60,
		unchanged: 1,
		moved: 60,
		removed: 1,
		skipped: 2,
		copied: { files: 1000, bytes: 1_000_000 },
		reused: { files: 2, bytes: 5 },
	}),
	0,
	'stdout | done: 60 snapshots sealed (1,002 files, 1 MB: 1,000 copied, 2 reused), 1 snapshot already safe, 60 snapshots gone from the node, 1 snapshot removed from the haven, 2 snapshots skipped in 1.2s',
)
test(
	ends,
	'a pass with nothing new',
	outcome({ unchanged: 60, elapsedMs: 90 }),
	0,
	'stdout | done: 60 snapshots already safe in 90ms',
)
test(
	ends,
	'a seal without proof',
	outcome({ sealed: 1, unproven: 1 }),
	0,
	'stdout | done: 1 snapshot sealed (0 files, 0 B) in 1.2s',
	'stderr! | warning: 1 snapshot without a complete manifest, sealed as unproven',
)
test(
	ends,
	'a failure',
	outcome({ failed: 1 }),
	1,
	'stdout | done: no snapshot was sealed in 1.2s',
	'stderr! | error: 1 snapshot could not be sealed: the reasons stand above',
)
test(
	ends,
	'a trouble',
	outcome({ unchanged: 1, troubles: 2 }),
	1,
	'stdout | done: 1 snapshot already safe in 1.2s',
	'stderr! | error: 2 things could not be done: the reasons stand above',
)
test(
	ends,
	'damage, whatever else,',
	outcome({ sealed: 2, damaged: 1, failed: 1 }, 'by signal'),
	3,
	'stdout | stopped: 2 snapshots sealed (0 files, 0 B) in 1.2s',
	'stderr! | damage: 1 snapshot damaged at the source, sealed as damaged; the node keeps its own',
	'stderr! | error: 1 snapshot could not be sealed: the reasons stand above',
	'stderr! | interrupted: nothing is lost, run it again to go on',
)
test(
	ends,
	'an interruption',
	outcome({ sealed: 1 }, 'by signal'),
	1,
	'stdout | stopped: 1 snapshot sealed (0 files, 0 B) in 1.2s',
	'stderr! | interrupted: nothing is lost, run it again to go on',
)
test(
	ends,
	'a reader that went away',
	outcome({ sealed: 1 }, 'reader gone'),
	1,
	'stdout | stopped: 1 snapshot sealed (0 files, 0 B) in 1.2s',
)
test(
	ends,
	'a plan',
	{
		...outcome({ unchanged: 3 }),
		plan: { ...NOTHING, snapshots: 2, waiting: 0, removable: 0, ...NO_SSTABLES, copied: { files: 24, bytes: 5000 } },
	},
	0,
	'stdout | plan: 2 snapshots to seal (24 files, 5 kB), 3 snapshots already safe; nothing was touched',
)
test(
	ends,
	'an empty plan',
	{ ...outcome({ unchanged: 3 }), plan: { ...NOTHING, snapshots: 0, waiting: 1, removable: 2, ...NO_SSTABLES } },
	0,
	'stdout | plan: nothing to do, 2 snapshots to remove from the haven, 1 snapshot not settled yet, 3 snapshots already safe; nothing was touched',
)

test('the summary for machines has the exit code, every count and the sums', (t) => {
	const what = outcome({ sealed: 2, damaged: 1, copied: { files: 1, bytes: 10 }, reused: { files: 2, bytes: 5 } })
	t.deepEqual(outcomeObject(what), {
		type: 'summary',
		exitCode: 3,
		interrupted: false,
		dryRun: false,
		...what.summary,
		files: 3,
		bytes: 15,
	})
	t.like(outcomeObject(outcome({}, 'by signal')), { interrupted: true, exitCode: 1 })
})

test('the summary of a dry run for machines has what is planned', (t) => {
	const plan = {
		...NOTHING,
		snapshots: 2,
		waiting: 1,
		removable: 0,
		...NO_SSTABLES,
		copied: { files: 24, bytes: 5000 },
	}
	t.like(outcomeObject({ ...outcome(), plan }), {
		dryRun: true,
		planned: 2,
		waiting: 1,
		sealed: 0,
		files: 24,
		bytes: 5000,
		exitCode: 0,
	})
})
