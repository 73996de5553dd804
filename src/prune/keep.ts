/** What is to be kept of a group, as restic's `forget` has it. Counts are whole numbers, or Infinity. */
export interface KeepRules {
	/** The newest so many. */
	last: number
	/** The newest of each of the last so many hours, days, ISO weeks, months and years that have one. */
	hourly: number
	daily: number
	weekly: number
	monthly: number
	yearly: number
	/** All that are no older than the newest by so many ms. */
	withinMs: number | undefined
	/** All of these. */
	keepsTag: (tag: string) => boolean
}

/** What may be kept or not. */
export interface Dated {
	tag: string
	/** ms since the epoch. */
	takenAtMs: number
}

/** The rules that count, by their names; also the reasons that are told. */
export const PERIODS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

/**
 * Decides what is kept of a group, and by which rules; what is in the answer with no reason is not kept. As restic's
 * ApplyPolicy (internal/restic/snapshot_policy.go): from the newest on, a rule keeps the first of each of its periods as
 * long as its count lasts, and the oldest of all where some of the count is left. Periods are those of local time.
 */
export function decideKept<T extends Dated>(group: readonly T[], rules: KeepRules): Map<T, string[]> {
	const newestFirst = [...group].sort((a, b) => b.takenAtMs - a.takenAtMs)
	const newestMs = newestFirst[0]?.takenAtMs ?? 0
	const left = { ...rules }
	const latest = new Map<string, string>()
	return new Map(
		newestFirst.map((one, index) => {
			const reasons: string[] = rules.keepsTag(one.tag) ? ['tag'] : []
			if (rules.withinMs !== undefined && one.takenAtMs >= newestMs - rules.withinMs) reasons.push('within')
			const isOldest = index === newestFirst.length - 1
			for (const period of PERIODS) {
				if (left[period] <= 0) continue
				const name = period === 'last' ? String(index) : periodOf(period, new Date(one.takenAtMs))
				if (name === latest.get(period) && !isOldest) continue
				reasons.push(name === latest.get(period) ? `oldest ${period}` : period)
				latest.set(period, name)
				left[period] -= 1
			}
			return [one, reasons]
		}),
	)
}

/** Names the hour, day, ISO 8601 week, month or year that a time lies in. */
export function periodOf(period: Exclude<(typeof PERIODS)[number], 'last'>, time: Date): string {
	const year = time.getFullYear()
	const month = `${year}-${time.getMonth() + 1}`
	const day = `${month}-${time.getDate()}`
	switch (period) {
		case 'hourly':
			// Not by its number alone: where clocks are set back, an hour comes twice.
			return `${day} ${time.getHours()} ${time.getTimezoneOffset()}`
		case 'daily':
			return day
		case 'weekly':
			return mondayOf(time)
		case 'monthly':
			return month
		case 'yearly':
			return String(year)
	}
}

function mondayOf(time: Date): string {
	const monday = new Date(time.getFullYear(), time.getMonth(), time.getDate() - ((time.getDay() + 6) % 7))
	return `${monday.getFullYear()}-${monday.getMonth() + 1}-${monday.getDate()}`
}
