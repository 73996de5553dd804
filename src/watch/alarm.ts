import { steadyMs } from '../files/builtins.ts'

/** A pause that can be cut short. */
export interface Alarm {
	/** Waits so many ms, or less where that is asked for, also before it began. */
	wait: (ms: number) => Promise<void>
	/** The pause, or else the next one, is to last so many ms more at the most. */
	within: (ms: number) => void
}

/** An alarm that nobody waits for yet. */
export function makeAlarm(): Alarm {
	let next = Number.POSITIVE_INFINITY
	let shorten: ((ms: number) => void) | undefined
	return {
		wait: (ms) =>
			new Promise((resolve) => {
				const ring = () => {
					shorten = undefined
					resolve()
				}
				let endsAt = steadyMs() + Math.min(ms, next)
				let timer = setTimeout(ring, Math.min(ms, next))
				next = Number.POSITIVE_INFINITY
				shorten = (least) => {
					if (steadyMs() + least >= endsAt) return
					clearTimeout(timer)
					endsAt = steadyMs() + least
					timer = setTimeout(ring, least)
				}
			}),
		within: (ms) => {
			if (shorten) shorten(ms)
			else next = Math.min(next, ms)
		},
	}
}
