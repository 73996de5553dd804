import { link as linkCallback, linkSync } from 'node:fs'
import type { Io, Step } from '../../../src/files/io.ts'
import { inTurn } from '../../support/in-turn.ts'

/** What a run of some steps came to. */
export type Ran<T> = { done: true; value: T } | { done: false } | { failed: unknown }

/** Work on files that a test drives call by call, as a crash or a pause between any two calls would divide it. */
export interface Driven<T> {
	/** Makes so many calls more, or all. */
	run: (calls?: number) => Ran<T>
}

export interface DriveOptions {
	/** Answers a call in place of the system by throwing. */
	refuse?: (step: Step) => void
}

/** Drives work by synchronous calls. */
export function drive<T>(work: Io<T>, { refuse = () => {} }: DriveOptions = {}): Driven<T> {
	const io = inTurn(work)
	let next: IteratorResult<Step, T> | undefined
	const run = (calls = Number.POSITIVE_INFINITY): Ran<T> => {
		try {
			next ??= io.next()
			for (let made = 0; !next.done; made++) {
				if (made >= calls) return { done: false }
				next = answer(next.value)
			}
			return { done: true, value: next.value }
		} catch (failed) {
			return { failed }
		}
	}
	const answer = (step: Step): IteratorResult<Step, T> => {
		if (!('sync' in step)) throw new Error('it was to be taken apart')
		let value: unknown
		try {
			refuse(step)
			value = step.sync(...(step.args as never[]))
		} catch (error) {
			return io.throw(error)
		}
		return io.next(value)
	}
	return { run }
}

/** A file system that has no hard links. */
export function noHardLinks(step: Step): void {
	const isLink = 'sync' in step && (step.sync === linkSync || step.callback === linkCallback)
	if (isLink) throw Object.assign(new Error('EPERM: no hard links here'), { code: 'EPERM' })
}
