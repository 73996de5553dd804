import type { Verdict } from '../cassandra/settled.ts'

type Waiting = Extract<Verdict, { verdict: 'waiting' }>

/** How long a snapshot has been waited for. */
interface Waited {
	/** Since when, in ms since the epoch. */
	sinceMs: number
	/** `--settle-time`, in ms. */
	settleMs: number
}

const PAUSE_MS_MIN = 50
const PAUSE_MS_MAX = 1000
/** What keeps changing is not waited for longer than this beyond the settle time. */
const GRACE_MS = 5000

/** How long to wait before the next look, in ms. */
export function pauseFor({ untilMs }: Waiting): number {
	return Math.max(PAUSE_MS_MIN, Math.min(PAUSE_MS_MAX, untilMs - Date.now()))
}

/** Whether nothing is expected of it any more. */
export function isHopeless({ giveUpMs }: Waiting, { sinceMs, settleMs }: Waited): boolean {
	const now = Date.now()
	if (now > sinceMs + settleMs + GRACE_MS) return true
	return now >= giveUpMs && now > sinceMs + 2 * PAUSE_MS_MIN
}

/** Whether it is, or will be, waited for so long that people should know. */
export function isWorthTelling({ untilMs }: Waiting, { sinceMs }: Waited): boolean {
	const now = Date.now()
	return untilMs >= now + PAUSE_MS_MAX || now >= sinceMs + PAUSE_MS_MAX
}

/** What is waited for, and how long; where quiet is waited for, the reason says so itself. */
export function whatFor({ reason, untilMs, giveUpMs }: Waiting, { settleMs }: Waited): string {
	return untilMs >= giveUpMs ? reason : `${reason}; it is given up once nothing has changed for ${settleMs / 1000} s`
}
