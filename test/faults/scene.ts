import { existsSync, readdirSync, utimesSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { type CliOptions, runCli } from '../support/cli.ts'
import { compareMirror, type SnapshotId } from '../support/mirrored.ts'
import {
	clearSnapshot,
	flushTables,
	linkTree,
	makeTree,
	type Tree,
	type TreeOptions,
	tagFolders,
	takeSnapshot,
} from '../support/tree.ts'
import { type Fingerprint, fingerprint, readState, snapshotIds, touched, unfinishedIn } from './promises.ts'

/** A kill loses nothing that was written, so memory will do, and a flush there waits for nobody else's files. */
export const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const TAGS = ['monday', 'tuesday']

/** A node with two tags, and the haven of a day before: of its tag `monday`, taken again since with other content. */
export interface Scene {
	folder: string
	node: Tree
	before: Fingerprint
	yesterday: string
	flags: string[]
}

/** A copy of a scene, to run the command on and to stop it. */
export interface Episode {
	scene: Scene
	folder: string
	node: Tree
	haven: string
	/** What the haven held at first. */
	sealedBefore: Set<SnapshotId>
	/** The command's arguments and its memory. */
	args: string[]
	options: CliOptions & { stateDirectory: string }
}

/** Makes a scene; `flags` are added to each run of the command. */
export async function makeScene(t: ExecutionContext, tree: TreeOptions, flags: string[]): Promise<Scene> {
	const folder = await mkdtemp(join(memory, 'snaphaven-kill-'))
	t.teardown(() => rm(folder, { recursive: true, force: true }))
	const node = makeTree(join(folder, 'node'), tree)
	const yesterday = join(folder, 'yesterday')
	takeSnapshot(node, 'monday')
	const { exitCode, stderr } = await runCli(syncArguments(node, yesterday, []))
	if (exitCode !== 0) throw new Error(`the first run ended with ${exitCode}: ${stderr}`)
	clearSnapshot(node, 'monday')
	flushTables(node)
	for (const tag of TAGS) takeSnapshot(node, tag)
	return { folder, node, before: fingerprint(node), yesterday, flags }
}

/** Copies a scene, with the haven of the day before or without one. */
export async function beginEpisode(scene: Scene, name: string, haven: 'yesterday' | 'none'): Promise<Episode> {
	const folder = join(scene.folder, name)
	await mkdir(folder)
	const node = await linkTree(scene.node, join(folder, 'node'))
	const place = join(folder, 'haven')
	if (haven === 'yesterday') await cp(scene.yesterday, place, { recursive: true, preserveTimestamps: true })
	return {
		scene,
		folder,
		node,
		haven: place,
		sealedBefore: readState(place).sealed,
		args: syncArguments(node, place, scene.flags),
		options: { stateDirectory: join(folder, 'state') },
	}
}

/** What a kill must never leave: an untrue receipt, or a file that is neither on the node as it was nor in the haven. */
export function brokenNow({ scene, node, haven }: Episode): string[] {
	const { sealed, inDoubt, lies } = readState(haven)
	const lost = [...touched(node, scene.before)].filter((id) => !sealed.has(id) && !inDoubt.has(id))
	return [...lies, ...lost.map((id) => `${id} is whole neither on the node nor in the haven`)]
}

/**
 * Lets a run come to its end, checks that all is as if nothing had been stopped, and removes the episode. With `lost`,
 * the node loses that tag first, so that there is nothing but the haven to finish it from.
 */
export async function finishEpisode(episode: Episode, lost?: string): Promise<string[]> {
	const { scene, node, haven, args, options, sealedBefore } = episode
	const moved = touched(node, scene.before)
	if (lost !== undefined) clearSnapshot(node, lost)
	ageEmptied(node)
	const { exitCode, stderr } = await runCli(args, options)
	const owed = new Set(snapshotIds(scene.node).filter((id) => !id.endsWith(`/${lost}`) || moved.has(id)))
	const broken = [
		...(exitCode === 0 ? [] : [`the last run ended with ${exitCode}: ${stderr}`]),
		...unfinishedIn(haven, [...owed, ...sealedBefore]),
		...compareMirror(scene.node, haven, (id) => owed.has(id)).differences,
		...(scene.flags.includes('--move-snapshots') ? leftOnNode(node) : []),
	]
	await rm(episode.folder, { recursive: true })
	return broken
}

/** An emptied folder is taken for the rest of what was moved once it has been so for a minute: the next run comes later. */
function ageEmptied(node: Tree): void {
	const twoMinutesAgo = new Date(Date.now() - 120_000)
	for (const { path } of TAGS.flatMap((tag) => tagFolders(node, tag)))
		if (existsSync(path) && readdirSync(path).length === 0) utimesSync(path, twoMinutesAgo, twoMinutesAgo)
}

function leftOnNode(node: Tree): string[] {
	const folders = TAGS.flatMap((tag) => tagFolders(node, tag))
	return folders.filter(({ path }) => existsSync(path)).map(({ path }) => `${path} is still on the node`)
}

function syncArguments(node: Tree, haven: string, flags: string[]): string[] {
	return ['sync', '--once', '-s', haven, ...node.flags, ...flags, node.keyspace]
}
