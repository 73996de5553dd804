import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import {
	assertNoTrace,
	changesBetween,
	fingerprint,
	makeScene as makeNode,
	trueReceipts,
} from '../mirror/support/scene.ts'
import { filesIn } from '../restore/support/scene.ts'
import { makeServiceScene, sealedOf } from '../service/support/service.ts'
import { cliFile, runCli, startCli } from '../support/cli.ts'
import { compareMirror } from '../support/mirrored.ts'
import { testWhere } from '../support/not-run.ts'
import { clearSnapshot, flushTables, tagFolders, takeSnapshot } from '../support/tree.ts'
import { chanceOf } from './crash-points/states.ts'
import { readState, snapshotIds } from './promises.ts'
import { beginEpisode, type Episode, makeScene } from './scene.ts'
import { hostsMissing, hurried, type Instant, isPaused, onHost, pausedBefore } from './two-hosts.ts'

/** SNAPHAVEN_SEED repeats the choice of instants. */
const seed = Number(process.env['SNAPHAVEN_SEED'] ?? Math.trunc(Math.random() * 1e6))
/** How often a holder is paused at each kind of call; else once at two of them, and at three that are chosen. */
const pauses = Number(process.env['SNAPHAVEN_PAUSES'] ?? 0)
const ALWAYS = ['publishing', 'deleting on the node']

/** What a holder is about to do when it is paused; of so many calls one is chosen. */
const INSTANTS: Record<string, Omit<Instant, 'nth'> & { of: number }> = {
	'opening a copy': { call: 'open', path: '/partial/', of: 40 },
	copying: { call: 'write', path: '', of: 60 },
	'noting what it will publish': { call: 'open', path: '/group-', of: 1 },
	publishing: { call: 'rename', path: '/snapshots/', of: 5 },
	sealing: { call: 'rename', path: '/receipts/', of: 5 },
	'ending a group': { call: 'unlink', path: '/group-', of: 1 },
	'marking what it will delete': { call: 'rename', path: '.marked.json', of: 4 },
	'deleting on the node': { call: 'unlink', path: '/nb-', of: 40 },
	'removing a folder on the node': { call: 'rmdir', path: '', of: 6 },
	'giving back the lease': { call: 'rename', path: '/lease.json', of: 1 },
}

testWhere(
	hostsMissing(),
	'a holder that is paused for longer than its term, at any instant, and wakes after another host took over, changes nothing',
	async (t) => {
		const scene = await makeScene(t, { tables: 2, sstables: 1, dataBytes: 1000 }, ['--move-snapshots'])
		const random = chanceOf(seed, 0)
		t.log(`seed ${seed}`)
		let hit = 0
		const chosen = chooseInstants(random)
		for (const [index, what] of chosen.entries()) {
			const { of, ...call } = INSTANTS[what] as (typeof INSTANTS)[string]
			const instant = { ...call, nth: 1 + Math.trunc(random() * of) }
			const episode = await beginEpisode(scene, `pause-${index}`, 'yesterday')
			if (await tried(t, episode, instant, `${what}, ${instant.nth}`)) hit++
		}
		t.log(`${hit} of ${chosen.length} pauses hit`)
		t.true(hit >= ALWAYS.length)
	},
)

function chooseInstants(random: () => number): string[] {
	const all = Object.keys(INSTANTS)
	if (pauses > 0) return Array.from({ length: pauses }, () => all).flat()
	const others = all.filter((what) => !ALWAYS.includes(what)).map((what) => ({ what, order: random() }))
	const sorted = others.sort((a, b) => a.order - b.order).map(({ what }) => what)
	return [...ALWAYS, ...sorted.slice(0, 3)]
}

/** Whether the holder was paused before it came to its end. */
async function tried(t: ExecutionContext, episode: Episode, instant: Instant, name: string): Promise<boolean> {
	const { node, haven, args, options } = episode
	const holder = startCli(args, {
		...options,
		env: pausedBefore(episode.folder, haven, instant),
		wrapper: onHost('other'),
	})
	t.teardown(() => holder.kill('SIGKILL'))
	const isHit = await isPaused(holder)
	const taker = await runCli(args, { ...options, env: hurried })
	t.is(taker.exitCode, 0, `${name}: ${taker.stderr}`)
	const owed = snapshotIds(episode.scene.node)
	const left = readState(haven)
	t.deepEqual([left.lies, [...left.inDoubt], owed.filter((id) => !left.sealed.has(id))], [[], [], []], name)
	t.deepEqual(compareMirror(episode.scene.node, haven).differences, [], name)
	// What the holder would delete has another's place by now.
	flushTables(node)
	for (const tag of ['monday', 'tuesday']) takeSnapshot(node, tag)
	const look = () => [...fingerprint(haven, '%P %y %i %s %T@'), ...fingerprint(node.root, '%P %y %i %s %T@')]
	const before = look()
	if (isHit) process.kill(holder.pid ?? 0, 'SIGCONT')
	const woken = await holder
	t.deepEqual(changesBetween(before, look()), [], `${name}: ${woken.stderr}`)
	t.notRegex(woken.stderr, /is not what it was/, `${name}: it tells who has the haven`)
	assertNoTrace(t, { exitCode: woken.exitCode, signal: woken.signal, stdout: woken.stdout, stderr: woken.stderr })
	t.is(woken.signal, undefined, name)
	const next = await runCli(args, options)
	t.is(next.exitCode, 0, `${name}: ${next.stderr}`)
	const state = readState(haven)
	t.deepEqual([state.lies, readdirSync(join(haven, '.snaphaven/partial'))], [[], []], name)
	t.deepEqual(snapshotIds(node), [], `${name}: what was taken since is sealed, and moved`)
	return isHit
}

testWhere(
	hostsMissing(),
	'of two nodes that make one haven at the same instant one has it, and the other changes nothing',
	async (t) => {
		const scene = makeNode(t)
		takeSnapshot(scene.node, 'daily')
		const other = makeNode(t, { seed: 2 })
		takeSnapshot(other.node, 'theirs')
		const machine = join(scene.own, 'machine-id')
		writeFileSync(machine, '0123456789abcdef0123456789abcdef\n')
		const words = [cliFile, 'sync', '--once', '-s', scene.haven, ...other.node.flags, 'ks', '--state-dir', other.state]
		const command = [...onHost('other', machine), process.execPath, ...words]
		const file = join(scene.haven, '.snaphaven/haven.json')
		const between = `const fs = process.getBuiltinModule('node:fs')
		const { spawnSync } = process.getBuiltinModule('node:child_process')
		for (const name of ['link', 'rename']) {
			const original = fs[name]
			fs[name] = (from, to, ...rest) => {
				if (to === ${JSON.stringify(file)} && !fs.existsSync(to)) {
					const env = { ...process.env, NODE_OPTIONS: '' }
					const [program, ...args] = ${JSON.stringify(command)}
					const { status } = spawnSync(program, args, { env, encoding: 'utf8' })
					fs.writeFileSync(${JSON.stringify(join(scene.own, 'other-ended'))}, String(status))
				}
				return original(from, to, ...rest)
			}
		}`
		const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(between)}` }
		const result = await scene.sync([], { env })
		t.is(readFileSync(join(scene.own, 'other-ended'), 'utf8'), '0')
		t.is(result.exitCode, 2, result.stderr)
		t.regex(result.stderr, /belongs to another node, other\n/)
		t.deepEqual(
			trueReceipts(t, scene).map(({ tag }) => tag),
			['theirs'],
		)
		t.like(JSON.parse(readFileSync(file, 'utf8')), { owner: { host: 'other' } })
	},
)

/** How often each thing is done beside the service; SNAPHAVEN_ROUNDS sets another number. */
const rounds = Number(process.env['SNAPHAVEN_ROUNDS'] ?? 3)

const TAGS = ['tag-0', 'tag-1', 'tag-2', 'tag-3']

test('beside a service that seals, and tags that are taken anew and pruned, verify finds no damage, and restore mixes nothing', async (t) => {
	const scene = makeServiceScene(t, { tables: 3, sstables: 1, dataBytes: 2000 })
	const { node, haven, state: stateDirectory, own } = scene
	const random = chanceOf(seed, 1)
	t.log(`seed ${seed}`)
	/** By table and tag, the contents of all that was ever taken. */
	const taken = new Map<string, Set<string>>()
	const take = (tag: string) => {
		clearSnapshot(node, tag)
		flushTables(node)
		takeSnapshot(node, tag)
		for (const { folder, path } of tagFolders(node, tag)) {
			const place = `${folder.slice(0, folder.lastIndexOf('-'))} ${tag}`
			taken.set(place, (taken.get(place) ?? new Set()).add(contentOf(path)))
		}
	}
	const service = scene.start()
	await service.ready()
	const run = (words: string[]) => runCli([...words, '-s', haven], { stateDirectory })
	const counts: Record<string, number> = {}
	const one = () => TAGS[Math.trunc(random() * TAGS.length)] ?? ''
	for (const first of TAGS) take(first)
	const deeds = {
		'taken anew': async () => {
			for (let times = 0; times < 5; times++) {
				take(one())
				await pause(random() * 500)
			}
		},
		verified: async () => {
			const { exitCode, stdout, stderr } = await run(['verify', '--json'])
			t.notRegex(stdout, /"type":"damage"/)
			t.not(exitCode, 3, stdout + stderr)
		},
		pruned: async () => {
			const { exitCode, stderr } = await run(['prune', '--keep-last', '2', ...node.flags])
			t.true(exitCode === 0 || /it has changed since it was planned/.test(stderr), stderr)
		},
		restored: async () => {
			const sealed = TAGS.filter((tag) => sealedOf(scene, tag) > 0)
			const [tag, to] = [
				sealed[Math.trunc(random() * sealed.length)] ?? one(),
				join(own, `restored-${counts['restored']}`),
			]
			const { exitCode, stderr } = await run(['restore', '-t', tag, '--to', to])
			if (exitCode !== 0) t.regex(stderr, /meanwhile|no snapshot|being sealed|gone/)
			t.not(exitCode, 3, stderr)
			const place = join(to, node.keyspace)
			const tables = existsSync(place) ? readdirSync(place).filter((name) => !name.startsWith('.')) : []
			for (const name of tables)
				t.true(taken.get(`${name} ${tag}`)?.has(contentOf(join(place, name))), `${tag} ${name}`)
			counts['tables restored'] = (counts['tables restored'] ?? 0) + tables.length
		},
	}
	for (let round = 0; round < rounds; round++) {
		await Promise.all(
			Object.entries(deeds).map(async ([what, does]) => {
				counts[what] = (counts[what] ?? 0) + 1
				await does()
			}),
		)
	}
	t.log(JSON.stringify(counts))
	take('last')
	await service.until('the last is sealed', () => sealedOf(scene, 'last') === 3)
	await service.stop()
	await scene.syncWell()
	t.true(trueReceipts(t, scene).length >= 3)
	t.is((await run(['verify'])).exitCode, 0)
})

function contentOf(folder: string): string {
	return filesIn(folder)
		.map((path) => `${path} ${crc32(readFileSync(join(folder, path)))}`)
		.join(' ')
}
