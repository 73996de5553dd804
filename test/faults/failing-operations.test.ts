import type { ExecutionContext } from 'ava'
import { runCli } from '../support/cli.ts'
import { mountNas, type Nas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { NAS, NO_SPACE, sample, untoldIn, waysToFail } from './failing.ts'
import { beginEpisode, brokenNow, type Episode, finishEpisode, makeScene, type Scene } from './scene.ts'

/** How many operations fail in each mode, chosen at random; SNAPHAVEN_FAILING_CALLS sets another number, or `all`. */
const { SNAPHAVEN_FAILING_CALLS: wanted } = process.env

/** What a file server answers to each operation of the mount; for ENOENT see failing.ts. */
const ERRORS: Record<string, string[]> = {
	lookup: [...NAS, 'EACCES', 'ELOOP'],
	getattr: [...NAS, 'EACCES'],
	setattr: [...NAS, 'EPERM', 'EROFS', 'EDQUOT'],
	mkdir: [...NAS, ...NO_SPACE, 'EROFS', 'EACCES', 'EMLINK'],
	unlink: [...NAS, 'EROFS', 'EACCES'],
	rmdir: [...NAS, 'EROFS', 'EACCES', 'EBUSY'],
	rename: [...NAS, ...NO_SPACE, 'EROFS', 'EACCES', 'EXDEV', 'EMLINK'],
	link: [...NAS, ...NO_SPACE, 'EROFS', 'EPERM', 'EMLINK', 'EXDEV'],
	create: [...NAS, ...NO_SPACE, 'EROFS', 'EACCES', 'EMFILE', 'EINTR'],
	open: [...NAS, 'EROFS', 'EACCES', 'EMFILE', 'EINTR', 'ELOOP'],
	opendir: [...NAS, 'EACCES', 'EMFILE'],
	read: [...NAS, 'EINTR'],
	write: [...NAS, ...NO_SPACE, 'EROFS', 'EINTR'],
	flush: [...NAS, ...NO_SPACE],
	fsync: [...NAS, ...NO_SPACE, 'EROFS'],
	fsyncdir: [...NAS, ...NO_SPACE, 'EROFS'],
	statfs: [...NAS, 'EACCES'],
}

for (const flags of [[], ['--move-snapshots']]) {
	const mode = flags.length > 0 ? ', with --move-snapshots' : ''
	testWhere(
		nasfsMissing(),
		`an operation that a NAS fails, any of them, leaves nothing untrue, and the next run finishes${mode}`,
		async (t) => {
			const scene = await makeScene(t, { tables: 2, sstables: 1, dataBytes: 1000 }, flags)
			// A millisecond makes the haven a slow one: the other of the two engines is at work.
			const ended = await Promise.all([0, 1].map((latencyMs) => failOnNas(t, scene, latencyMs)))
			const cases = ended.flat()
			t.log(`${cases.length} operations, ${cases.filter(({ isHit }) => isHit).length} of them hit`)
			t.deepEqual(
				cases.flatMap(({ broken }) => broken),
				[],
			)
			t.true(cases.some(({ isHit }) => isHit))
		},
	)
}

interface Ended {
	isHit: boolean
	broken: string[]
}

/** One failing operation after another, the node’s data and the haven on one NAS. */
async function failOnNas(t: ExecutionContext, scene: Scene, latencyMs: number): Promise<Ended[]> {
	const nas = await mountNas({ latencyMs, backing: scene.folder, counting: true })
	t.teardown(nas.unmount)
	const begin = async (name: string) =>
		throughMount(await beginEpisode(scene, `${name}-${latencyMs}`, 'yesterday'), nas)
	const rehearsal = await begin('rehearsal')
	nas.fault()
	await runCli(rehearsal.args, rehearsal.options)
	const all = waysToFail(nas.served(), ERRORS, wanted === 'all')
	const ended: Ended[] = []
	for (const [number, { call, nth, code }] of (wanted === 'all'
		? all
		: sample(all, Number(wanted ?? 4) / 2)
	).entries()) {
		const episode = await begin(String(number))
		nas.fault(`${call} ${code} ${nth}`)
		const result = await runCli(episode.args, episode.options)
		const isHit = nas.served().filter((one) => one === call).length >= nth
		nas.fault()
		const broken = [...untoldIn(result, code), ...brokenNow(episode), ...(await finishEpisode(episode))]
		ended.push({ isHit, broken: broken.map((what) => `${call} ${nth} ${code}, ${latencyMs} ms: ${what}`) })
	}
	return ended
}

/** What the command sees of it is on the NAS; the test itself looks at the NAS's own disk. */
function throughMount(episode: Episode, nas: Nas): Episode {
	return { ...episode, args: episode.args.map((word) => word.replace(nas.backing, nas.path)) }
}
