import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import PQueue from 'p-queue'
import { makeServiceScene } from '../service/support/service.ts'
import { runCli } from '../support/cli.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { testWhere } from '../support/not-run.ts'
import { takeSnapshot } from '../support/tree.ts'
import { sample, untoldIn } from './failing.ts'
import { beginEpisode, brokenNow, type Episode, finishEpisode, makeScene } from './scene.ts'
import { straceMissing, wrapped } from './strace.ts'

/** How many calls the kernel makes fail in each mode, chosen at random; SNAPHAVEN_FAILING_CALLS sets another number, or `all`. */
const { SNAPHAVEN_FAILING_CALLS: wanted } = process.env

const full = ['ENOSPC', 'EDQUOT']
const nas = ['EIO', 'ESTALE', 'ETIMEDOUT']
const forbidden = ['EACCES', 'EROFS']

/** What system calls answer that the command makes, by their names on Linux; for ENOENT see failing.ts. */
const ERRORS: Record<string, string[]> = {
	openat: [...nas, ...full, ...forbidden, 'EMFILE', 'EINTR', 'ENOENT', 'ELOOP'],
	read: [...nas, 'EINTR'],
	pread64: [...nas, 'EINTR'],
	write: [...full, ...nas, 'EINTR'],
	pwrite64: [...full, ...nas, 'EINTR'],
	fsync: [...nas, ...full, 'EROFS'],
	rename: [...nas, ...full, ...forbidden, 'EXDEV', 'EMLINK', 'ENOENT'],
	link: [...nas, ...full, ...forbidden, 'EMLINK', 'EXDEV', 'ENOENT'],
	mkdir: [...nas, ...full, ...forbidden, 'EMLINK', 'ENOENT'],
	unlink: [...nas, ...forbidden],
	rmdir: [...nas, ...forbidden],
	fchown: [...nas, 'EROFS', 'EDQUOT'],
	fchmod: [...nas, 'EROFS'],
	utimensat: [...nas, ...forbidden],
	statx: [...nas, 'EACCES', 'ELOOP'],
	getdents64: nas,
	statfs: [...nas, 'EACCES'],
}
/** What it never makes of the haven or the node, so that there is nothing to be made to fail. */
const NEVER = ['copy_file_range', 'sendfile', 'fdatasync', 'ftruncate', 'truncate', 'creat', 'symlink', 'mknod']

/** A call that the kernel makes fail: the nth one of its name in each thread. */
interface Injected {
	call: string
	nth: number
	code: string
}

for (const flags of [[], ['--move-snapshots']]) {
	const mode = flags.length > 0 ? ', with --move-snapshots' : ''
	testWhere(
		straceMissing(),
		`a system call that fails leaves nothing untrue, and the next run finishes${mode}`,
		async (t) => {
			const scene = await makeScene(t, { tables: 2, sstables: 1, dataBytes: 1000 }, flags)
			const rehearsal = await beginEpisode(scene, 'rehearsal', 'yesterday')
			const calls = await callsOf(rehearsal, [...Object.keys(ERRORS), ...NEVER], [])
			t.deepEqual(
				calls.filter(({ call, isOurs }) => isOurs && NEVER.includes(call)),
				[],
			)
			// In each thread the nth one has to be of the haven or the node: what is injected counts in each by itself.
			const meant = Map.groupBy(calls, ({ call, nth }) => `${call} ${nth}`).values()
			const all = [...meant]
				.filter((same) => same.every(({ isOurs }) => isOurs))
				.flatMap(([one]) =>
					(ERRORS[one?.call ?? ''] ?? []).map((code): Injected => ({ call: '', nth: 0, ...one, code })),
				)
				.map(({ call, nth, code }) => ({ call, nth, code }))
			const distinct = [...new Map(all.map((one) => [Object.values(one).join(' '), one])).values()]
			const chosen = wanted === 'all' ? distinct : sample(distinct, Number(wanted ?? 5))
			const queue = new PQueue({ concurrency: 2 })
			const ended = await Promise.all(
				chosen.map((one, number) =>
					queue.add(async () => failOnce(one, await beginEpisode(scene, `${number}`, 'yesterday'))),
				),
			)
			const hits = ended.filter(({ isHit }) => isHit)
			t.log(`${chosen.length} of ${all.length} ways, ${hits.length} of them hit the haven or the node alone`)
			t.deepEqual(
				hits.flatMap(({ broken }) => broken),
				[],
			)
			tellShare(t, hits.length, chosen.length)
		},
	)
}

function tellShare(t: ExecutionContext, hits: number, chosen: number): void {
	t.true(hits * 4 > chosen, 'hardly any call was hit that was meant')
}

/** Of what hit something else as well, such as Node's own files, nothing is told. */
async function failOnce(
	{ call, nth, code }: Injected,
	episode: Episode,
): Promise<{ isHit: boolean; broken: string[] }> {
	const inject = ['-e', `inject=${call}:error=${code}:when=${nth}`]
	const calls = await callsOf(episode, [call], inject)
	const hit = calls.filter(({ isInjected }) => isInjected)
	const isHit = hit.length > 0 && hit.every(({ isOurs }) => isOurs)
	const broken = [...untoldIn(calls.result, code), ...brokenNow(episode), ...(await finishEpisode(episode))]
	return { isHit, broken: broken.map((what) => `${call} ${nth} ${code}: ${what}`) }
}

interface Made {
	call: string
	/** Its number among those of its name in its thread. */
	nth: number
	/** Of something in the haven or on the node. */
	isOurs: boolean
	isInjected: boolean
}

/** The calls of these names that a run makes. */
async function callsOf(episode: Episode, names: string[], inject: string[]) {
	const log = join(episode.folder, 'strace')
	const wrapper = ['strace', '-f', '-qq', '-y', '-o', log, '-e', `trace=${names.join(',')}`, ...inject]
	const result = await runCli(episode.args, { ...episode.options, wrapper })
	const counts = new Map<string, number>()
	const calls = readFileSync(log, 'utf8')
		.split('\n')
		.flatMap((line): Made[] => {
			const [, thread = '', call = ''] = /^(\d+) +(\w+)\(/.exec(line) ?? []
			if (call === '') return []
			const nth = (counts.get(`${thread} ${call}`) ?? 0) + 1
			counts.set(`${thread} ${call}`, nth)
			const isOurs = [episode.haven, episode.node.root].some((root) => line.includes(root)) || line.includes('"/proc/')
			return [{ call, nth, isOurs: isOurs && !line.includes('/proc/self'), isInjected: line.includes('(INJECTED)') }]
		})
	return Object.assign(calls, { result })
}

const refused = ['ENOSPC', 'EACCES', 'ENOENT', 'EMFILE', 'EIO']

testWhere(
	straceMissing(),
	'where folders can’t be watched, whatever the reason, sweeps find what is taken',
	async (t) => {
		for (const code of wanted === 'all' ? refused : sample(refused, 1)) {
			const scene = makeServiceScene(t, { tables: 1 })
			const log = join(scene.own, 'strace')
			const inject = `inject=inotify_add_watch:error=${code}`
			const wrapper = ['strace', '-f', '-qq', '-o', log, '-e', 'trace=inotify_add_watch', '-e', inject]
			const service = scene.start([], { wrapper })
			await service.ready()
			await service.until('a call has failed', () => readFileSync(log, 'utf8').includes('(INJECTED)'))
			takeSnapshot(scene.node, 'daily')
			await service.until('all of it is there', () => isMirrored(scene))
			const victim = wrapped(service.process.pid ?? 0)
			if (victim !== undefined) process.kill(victim, 'SIGTERM')
			await service.process
			t.notRegex(service.said(), /did not foresee/)
		}
	},
)

function isMirrored({ node, haven }: { node: Parameters<typeof assertMirrored>[0]; haven: string }): boolean {
	try {
		assertMirrored(node, haven)
		return true
	} catch {
		return false
	}
}
