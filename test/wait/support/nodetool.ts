import { chmodSync, existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeBinary } from '../../support/cli.ts'
import { clearSnapshot, type SnapshotOptions, type Tree, tagFolders, takeSnapshot } from '../../support/tree.ts'

/** How a stand-in behaves. */
export interface Behaviour {
	/** What the snapshots that it takes are like. */
	snapshot?: SnapshotOptions
	/** Whether they seem to have been taken long ago. */
	old?: boolean
	/** It says that it has cleared, and has not. */
	clearsNothing?: boolean
	/** After a snapshot it stays, until it is killed. */
	hangs?: boolean
}

/** A stand-in for nodetool: no Cassandra is behind it, but its snapshots of a made-up node are real folders. */
export interface FakeNodetool {
	/** Where the program is. */
	program: string
	/** The arguments of each call by now. */
	calls: () => string[][]
}

/** Makes the stand-in for a made-up node, in a folder. */
export function makeNodetool(folder: string, tree: Tree, behaviour: Behaviour = {}): FakeNodetool {
	const [program, log] = [join(folder, 'nodetool'), join(folder, 'nodetool.log')]
	writeFileSync(join(folder, 'nodetool.json'), JSON.stringify({ tree, behaviour, log }))
	writeFileSync(program, `#!/bin/sh\nexec ${nodeBinary} ${import.meta.filename} ${folder}/nodetool.json "$@"\n`)
	chmodSync(program, 0o755)
	return {
		program,
		calls: () =>
			existsSync(log)
				? readFileSync(log, 'utf8')
						.trim()
						.split('\n')
						.map((line) => JSON.parse(line))
				: [],
	}
}

function act(file: string, args: string[]): number {
	const { tree, behaviour, log } = JSON.parse(readFileSync(file, 'utf8')) as {
		tree: Tree
		behaviour: Behaviour
		log: string
	}
	writeFileSync(log, `${JSON.stringify(args)}\n`, { flag: 'a' })
	const command = args.find((word) => ['snapshot', 'clearsnapshot'].includes(word))
	const tag = args[args.indexOf('-t') + 1] ?? ''
	const keyspaces = args.slice(args.indexOf('--') + 1)
	const unknown = keyspaces.find((keyspace) => keyspace !== tree.keyspace)
	if (unknown !== undefined) return refuse(`nodetool: Keyspace [${unknown}] does not exist.`)
	if (command === 'clearsnapshot') {
		console.log(`Requested clearing snapshot(s) for [${keyspaces.join(', ')}] with snapshot name [${tag}]`)
		if (!behaviour.clearsNothing) clearSnapshot(tree, tag)
		return 0
	}
	if (tagFolders(tree, tag).some(({ path }) => existsSync(path)))
		return refuse(`error: Snapshot ${tag} already exists.`)
	console.log(`Requested creating snapshot(s) for [${keyspaces.join(', ')}] with snapshot name [${tag}]`)
	takeSnapshot(tree, tag, behaviour.snapshot)
	if (behaviour.old) makeOld(tree, tag)
	console.log(`Snapshot directory: ${tag}`)
	if (behaviour.hangs) setInterval(() => {}, 1000)
	return 0
}

function makeOld(tree: Tree, tag: string): void {
	for (const { path } of tagFolders(tree, tag)) {
		for (const name of readdirSync(path)) utimesSync(join(path, name), 1_000_000, 1_000_000)
		utimesSync(path, 1_000_000, 1_000_000)
	}
}

/** As nodetool says it: a line, and `See 'nodetool help'`. */
function refuse(message: string): number {
	console.error(`${message}\nSee 'nodetool help' or 'nodetool help <command>'.`)
	return 1
}

if (process.argv[1] === import.meta.filename) {
	const [, , file = '', ...args] = process.argv
	process.exitCode = act(file, args)
}
