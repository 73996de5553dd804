import test from 'ava'
import fc from 'fast-check'
import { type Dated, decideKept, type KeepRules, PERIODS, periodOf } from '../../src/prune/keep.ts'

const NONE: KeepRules = {
	...{ last: 0, hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0 },
	withinMs: undefined,
	keepsTag: () => false,
}

function at(text: string): Dated {
	return { tag: text, takenAtMs: new Date(text).getTime() }
}

function keptOf(group: Dated[], rules: Partial<KeepRules>): string[] {
	const decided = decideKept(group, { ...NONE, ...rules })
	return group.filter((one) => decided.get(one)?.length !== 0).map(({ tag }) => tag)
}

const group = [
	'2024-12-29T10:00',
	'2024-12-30T10:00',
	'2025-01-01T10:00',
	'2025-01-05T23:59',
	'2025-01-06T00:00',
	'2025-01-06T10:15',
	'2025-01-06T10:45',
	'2025-01-06T11:00',
].map(at)

test('each rule keeps the newest of each of its periods, and the oldest where its count is not used up', (t) => {
	t.deepEqual(keptOf(group, { last: 2 }), ['2025-01-06T10:45', '2025-01-06T11:00'])
	t.deepEqual(keptOf(group, { hourly: 2 }), ['2025-01-06T10:45', '2025-01-06T11:00'])
	t.deepEqual(keptOf(group, { daily: 2 }), ['2025-01-05T23:59', '2025-01-06T11:00'])
	t.deepEqual(keptOf(group, { weekly: 2 }), ['2025-01-05T23:59', '2025-01-06T11:00'])
	t.deepEqual(keptOf(group, { weekly: 3 }), ['2024-12-29T10:00', '2025-01-05T23:59', '2025-01-06T11:00'])
	t.deepEqual(keptOf(group, { monthly: 2 }), ['2024-12-30T10:00', '2025-01-06T11:00'])
	t.deepEqual(keptOf(group, { yearly: 3 }), ['2024-12-29T10:00', '2024-12-30T10:00', '2025-01-06T11:00'])
	t.deepEqual(keptOf(group, { withinMs: 3_600_000 }), ['2025-01-06T10:15', '2025-01-06T10:45', '2025-01-06T11:00'])
	t.deepEqual(keptOf(group, { keepsTag: (tag) => tag.endsWith('00:00') }), ['2025-01-06T00:00'])
	t.deepEqual(keptOf(group, { daily: Number.POSITIVE_INFINITY }).length, 5)
	t.deepEqual(keptOf(group, {}), [])
	t.deepEqual(keptOf([], { last: 3 }), [])
})

test('the reasons are told', (t) => {
	const decided = decideKept(group, { ...NONE, last: 1, daily: 9, yearly: 1, keepsTag: (tag) => tag.includes('12-29') })
	t.deepEqual(
		[...decided].map(([{ tag }, reasons]) => `${tag} ${reasons.join(', ')}`),
		[
			'2025-01-06T11:00 last, daily, yearly',
			'2025-01-06T10:45 ',
			'2025-01-06T10:15 ',
			'2025-01-06T00:00 ',
			'2025-01-05T23:59 daily',
			'2025-01-01T10:00 daily',
			'2024-12-30T10:00 daily',
			'2024-12-29T10:00 tag, daily',
		],
	)
})

/** The same rules, put otherwise: by periods, not by steps from the newest on. */
function simplyKept(group: Dated[], rules: KeepRules): Set<Dated> {
	const sorted = [...group].sort((a, b) => b.takenAtMs - a.takenAtMs)
	const kept = new Set(sorted.filter(({ tag }) => rules.keepsTag(tag)))
	const [newest] = sorted
	for (const one of sorted) {
		if (newest && rules.withinMs !== undefined && newest.takenAtMs - one.takenAtMs <= rules.withinMs) kept.add(one)
	}
	for (const one of sorted.slice(0, rules.last)) kept.add(one)
	for (const period of PERIODS) {
		if (period === 'last') continue
		const periods = Map.groupBy(sorted, ({ takenAtMs }) => periodOf(period, new Date(takenAtMs)))
		const firsts = [...periods.values()].flatMap((ones) => ones.slice(0, 1))
		for (const one of firsts.slice(0, rules[period])) kept.add(one)
		const oldest = sorted.at(-1)
		// The oldest is looked at last: by then each period, but its own where that is its alone, has used one.
		const isOwn = oldest !== undefined && firsts.includes(oldest)
		if (oldest && rules[period] > firsts.length - (isOwn ? 1 : 0)) kept.add(oldest)
	}
	return kept
}

function tagsOf(group: Dated[]): string[] {
	return group.map(({ tag }) => tag).sort()
}

test('whatever the times and the rules, just that is kept which a simple reading of the rules keeps', (t) => {
	const number = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant(Number.POSITIVE_INFINITY))
	const hour = 3_600_000
	fc.assert(
		fc.property(
			fc.uniqueArray(fc.integer({ min: 0, max: 24 * 800 }), { maxLength: 60 }),
			fc.record({ last: number, hourly: number, daily: number, weekly: number, monthly: number, yearly: number }),
			fc.option(fc.integer({ min: 0, max: 24 * 60 }), { nil: undefined }),
			fc.integer({ min: 2, max: 20 }),
			(hours, counts, within, nth) => {
				const group = hours.map((hours) => ({ tag: String(hours), takenAtMs: 1_700_000_000_000 + hours * 0.4 * hour }))
				const withinMs = within === undefined ? undefined : within * hour
				const rules = { ...counts, withinMs, keepsTag: (tag: string) => Number(tag) % nth === 0 }
				const decided = decideKept(group, rules)
				const kept = group.filter((one) => decided.get(one)?.length !== 0)
				t.deepEqual(tagsOf(kept), tagsOf([...simplyKept(group, rules)]))
			},
		),
		{ numRuns: 400 },
	)
	t.pass()
})
