import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { CliResult } from '../support/cli.ts'

export const NO_SPACE = ['ENOSPC', 'EDQUOT']
const FORBIDDEN = ['EACCES', 'EPERM', 'EROFS']
export const NAS = ['EIO', 'ESTALE', 'ETIMEDOUT']
const NAMES = ['ENOENT', 'ELOOP']
/**
 * What a local disk and a NAS answer when something is wrong with them, by Node's name of the call. `SHORT`: half of what
 * was asked for is done. `-after`: it was done, and the reply was lost. No ENOENT for unlink and readdir: that is no
 * failure but word that somebody was quicker, which has to be true.
 */
const CODES: Record<string, string[]> = {
	open: [...NAS, 'EACCES', 'EROFS', 'EMFILE', 'EINTR', ...NO_SPACE, ...NAMES],
	close: ['EIO', 'EINTR', ...NO_SPACE],
	read: [...NAS, 'EINTR', 'SHORT'],
	write: [...NO_SPACE, ...NAS, 'EINTR', 'EROFS', 'SHORT'],
	fsync: ['EIO', 'ESTALE', 'EROFS', ...NO_SPACE],
	fchmod: [...FORBIDDEN, 'EIO'],
	fchown: [...FORBIDDEN, 'EIO', 'EDQUOT'],
	futimes: [...FORBIDDEN, 'EIO'],
	utimes: [...FORBIDDEN, 'EIO', ...NAMES],
	mkdir: [...NO_SPACE, ...NAS, 'EROFS', 'EACCES', 'EMLINK', 'ENOENT', 'EIO-after'],
	rmdir: [...NAS, 'EBUSY', 'EACCES', 'EROFS', 'EIO-after'],
	unlink: [...NAS, 'EACCES', 'EROFS', 'EIO-after'],
	rename: [...NAS, ...NO_SPACE, 'EXDEV', 'EMLINK', 'EACCES', 'EROFS', 'ENOENT', 'EIO-after', 'ENOSPC-after'],
	link: [...NAS, ...NO_SPACE, 'EMLINK', 'EPERM', 'EXDEV', 'EACCES', 'EROFS', 'ENOENT', 'EIO-after'],
	fstat: NAS,
	lstat: [...NAS, 'EACCES', 'ELOOP'],
	readdir: [...NAS, 'EACCES', 'EMFILE', 'ELOOP'],
	statfs: [...NAS, 'EACCES'],
	copyFile: ['EXDEV', 'EIO', 'EINVAL', 'ENOSPC'],
}

/** A call that is made to fail. */
export interface Case {
	call: string
	nth: number
	code: string
	/** Which of the two engines is at work: calls on the spot in threads, or many in flight. */
	haven: 'quick' | 'slow'
}

/** Each call that a run makes, with one way to fail after another; where `each`, with every way of each. */
export async function casesOf(haven: Case['haven'], each: boolean, run: Run): Promise<Case[]> {
	const counter = join(run.folder, 'calls')
	await run.run(failing({ call: Object.keys(CODES).join(','), nth: 0, code: 'EIO', haven }, counter))
	const made = readFileSync(counter, 'utf8').split('\n').slice(0, -1)
	return waysToFail(made, CODES, each).map((one) => ({ ...one, haven }))
}

/** Each of the calls, by its number among those of its name, with one code after another; where `each`, with every one. */
export function waysToFail(
	made: string[],
	codes: Record<string, string[]>,
	each: boolean,
): { call: string; nth: number; code: string }[] {
	return Object.entries(codes).flatMap(([call, ways]) =>
		made
			.filter((one) => one === call)
			.flatMap((_, index) => {
				const some = each ? ways : [ways[index % ways.length] ?? 'EIO']
				return some.map((code) => ({ call, nth: index + 1, code }))
			}),
	)
}

/** A run of the command in some environment, and a folder for what is noted of it. */
interface Run {
	folder: string
	run: (env: Record<string, string>) => Promise<CliResult>
}

/** Whether a run has come as far as this call. */
export function isHit({ call, nth }: Case, counter: string): boolean {
	return statSync(counter).size >= nth * (call.length + 1)
}

/** The environment in which this call fails; the counter has a line for each. */
export function failing({ call, nth, code, haven }: Case, counter: string): Record<string, string> {
	return {
		NODE_OPTIONS: `--import=${join(import.meta.dirname, 'fail-nth.mjs')}`,
		SNAPHAVEN_FAIL: `${call} ${nth} ${code} ${counter} ${haven}`,
	}
}

/** How a run must not end that met a failure; where something is forbidden, that may be the user's own matter. */
export function untoldIn({ exitCode, signal, stderr }: CliResult, code: string): string[] {
	if (exitCode === undefined) return [`it was ended by ${signal}`]
	if (exitCode === 2 && !['EACCES', 'EPERM', 'EROFS'].includes(code))
		return [`it ended as if it were misused: ${stderr}`]
	if (exitCode !== 0 && stderr === '') return [`it ended with ${exitCode} and without a word`]
	return /^\s+at .*:\d+:\d+|did not foresee/m.test(stderr)
		? [`it told what only a programmer understands: ${stderr}`]
		: []
}

/** So many of them, chosen at random. */
export function sample<T>(all: T[], count: number): T[] {
	return all
		.map((one) => ({ one, order: Math.random() }))
		.sort((a, b) => a.order - b.order)
		.slice(0, count)
		.map(({ one }) => one)
}
