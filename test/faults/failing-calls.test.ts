import { statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import PQueue from 'p-queue'
import { type CliResult, runCli } from '../support/cli.ts'
import { beginEpisode, brokenNow, finishEpisode, makeScene, type Scene } from './scene.ts'

/** How many calls are made to fail in each mode, chosen at random; SNAPHAVEN_FAILING_CALLS sets another number, or `all`. */
const { SNAPHAVEN_FAILING_CALLS: wanted = 25 } = process.env
const shownMax = 20

/** What a local disk and a NAS answer when something is wrong with them. `-after`: it was done, and the reply was lost. */
const codes: Record<string, string[]> = {
	open: ['EIO', 'EACCES', 'EMFILE', 'ESTALE', 'ENOSPC', 'EROFS', 'ETIMEDOUT'],
	close: ['EIO', 'ENOSPC', 'EDQUOT'],
	read: ['EIO', 'ESTALE', 'SHORT'],
	write: ['ENOSPC', 'EDQUOT', 'EIO', 'SHORT'],
	fsync: ['EIO', 'ENOSPC', 'EDQUOT'],
	fchmod: ['EPERM', 'EIO', 'EROFS'],
	fchown: ['EPERM', 'EIO'],
	futimes: ['EPERM', 'EIO', 'EROFS'],
	utimes: ['EPERM', 'EIO'],
	mkdir: ['ENOSPC', 'EROFS', 'EACCES', 'EIO-after'],
	rmdir: ['EIO', 'EBUSY', 'EIO-after'],
	unlink: ['EIO', 'EACCES', 'EROFS', 'EIO-after'],
	rename: ['EIO', 'ENOSPC', 'ESTALE', 'EIO-after'],
	link: ['EMLINK', 'EPERM', 'EIO', 'ENOSPC', 'EIO-after'],
	fstat: ['EIO', 'ESTALE'],
	lstat: ['EIO', 'EACCES', 'ESTALE'],
	readdir: ['EIO', 'EACCES', 'ESTALE'],
	statfs: ['EIO', 'ESTALE'],
}

interface Case {
	call: string
	nth: number
	code: string
	/** Which of the two engines is at work: calls on the spot in threads, or many in flight. */
	haven: 'quick' | 'slow'
}

for (const flags of [[], ['--move-snapshots']]) {
	const mode = flags.length > 0 ? ', with --move-snapshots' : ''
	test(`a call that fails, any of them, leaves nothing untrue, and the next run finishes${mode}`, async (t) => {
		const scene = await makeScene(t, { tables: 2, sstables: 1, dataBytes: 1000 }, flags)
		const queue = new PQueue({ concurrency: 2 })
		const rehearsals = (['quick', 'slow'] as const).flatMap((haven) =>
			Object.keys(codes).map((call) => queue.add(() => casesOf(scene, call, haven))),
		)
		const all = (await Promise.all(rehearsals)).flat()
		const chosen = wanted === 'all' ? all : sample(all, Number(wanted))
		const ended = await Promise.all(chosen.map((one, number) => queue.add(() => failOnce(scene, one, number))))
		t.log(`${chosen.length} of ${all.length} calls, ${ended.filter(({ isHit }) => isHit).length} of them hit`)
		t.deepEqual(ended.flatMap(({ broken }) => broken).slice(0, shownMax), [])
		t.true(ended.some(({ isHit, result }) => isHit && result.exitCode !== 0))
	})
}

/** Each call of this name that a run makes, with one way to fail after another. */
async function casesOf(scene: Scene, call: string, haven: Case['haven']): Promise<Case[]> {
	const episode = await beginEpisode(scene, `count-${call}-${haven}`, 'yesterday')
	const counter = join(episode.folder, 'calls')
	await runCli(episode.args, { ...episode.options, env: failing({ call, nth: 0, code: 'EIO', haven }, counter) })
	const ways = codes[call] ?? []
	return Array.from({ length: statSync(counter).size }, (_, index) => ({
		call,
		nth: index + 1,
		code: ways[index % ways.length] ?? 'EIO',
		haven,
	}))
}

async function failOnce(
	scene: Scene,
	one: Case,
	number: number,
): Promise<{ isHit: boolean; result: CliResult; broken: string[] }> {
	const { call, nth, code, haven } = one
	const episode = await beginEpisode(scene, `fail-${number}`, 'yesterday')
	const counter = join(episode.folder, 'calls')
	const result = await runCli(episode.args, { ...episode.options, env: failing(one, counter) })
	const isHit = statSync(counter).size >= nth
	const broken = [...untoldIn(result, code), ...brokenNow(episode), ...(await finishEpisode(episode))]
	return { isHit, result, broken: broken.map((what) => `${call} ${nth} ${code}, ${haven}: ${what}`) }
}

function failing({ call, nth, code, haven }: Case, counter: string): Record<string, string> {
	return {
		NODE_OPTIONS: `--import=${join(import.meta.dirname, 'fail-nth.mjs')}`,
		SNAPHAVEN_FAIL: `${call} ${nth} ${code} ${counter} ${haven}`,
	}
}

/** How a run must not end that met a failure; where something is forbidden, that may be the user's own matter. */
function untoldIn({ exitCode, signal, stderr }: CliResult, code: string): string[] {
	if (exitCode === undefined) return [`it was ended by ${signal}`]
	if (exitCode === 2 && !['EACCES', 'EPERM', 'EROFS'].includes(code))
		return [`it ended as if it were misused: ${stderr}`]
	if (exitCode !== 0 && stderr === '') return [`it ended with ${exitCode} and without a word`]
	return /^\s+at .*:\d+:\d+|did not foresee/m.test(stderr)
		? [`it told what only a programmer understands: ${stderr}`]
		: []
}

function sample<T>(all: T[], count: number): T[] {
	return all
		.map((one) => ({ one, order: Math.random() }))
		.sort((a, b) => a.order - b.order)
		.slice(0, count)
		.map(({ one }) => one)
}
