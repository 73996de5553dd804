import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa, execaSync } from 'execa'
import type { Tree } from '../../test/support/tree.ts'
import { havenIn, serviceCommand } from './snaphaven.ts'

/** What copies a node's snapshots as they are taken, until it is stopped. */
export interface Watcher {
	name: string
	/** What the machine lacks for it; undefined where it can run. */
	missing: () => string | undefined
	/** Resolves when it watches. Copies come to where snaphaven would have them in a haven of this target. */
	start: (tree: Tree, target: string) => Promise<Watching>
}

/** A watcher that runs. */
export interface Watching {
	pid: number | undefined
	/** When snaphaven told of each seal so far, ms since the epoch; undefined of others, which make nothing durable. */
	seals?: number[]
	stop: () => Promise<void>
}

/** snaphaven as a service. */
export const snaphaven: Watcher = {
	name: 'snaphaven',
	missing: () => undefined,
	start: async (tree, target) => {
		const seals: number[] = []
		const watching = await begin(serviceCommand(tree, target), / begun: /, (line) => {
			if (line.includes(` sealed ${tree.keyspace}.`)) seals.push(Date.now())
		})
		return { ...watching, seals }
	},
}

/** Debian's lsyncd as it comes, but for its delay of 15 s. */
const lsyncd: Watcher = {
	name: 'lsyncd',
	missing: () => needs('lsyncd', ['--version'], 'lsyncd'),
	start: (tree, target) => {
		const [source, copies] = sourceAndCopies(tree, target)
		const config = join(target, 'lsyncd.lua')
		// The live SSTables are left out, as they are by the others.
		const sync = `default.rsync, source = "${source}", target = "${copies}", delay = 1, exclude = { "/*/nb-*" }`
		writeFileSync(config, `settings { nodaemon = true }\nsync { ${sync} }\n`)
		return begin(['lsyncd', '-nodaemon', config], /Startup of .* finished/)
	},
}

/** The method of the Python snaphaven. */
const copyOnEvent: Watcher = {
	name: 'pyinotify',
	missing: () => needs('python3', ['-c', 'import pyinotify'], 'a python3 that has pyinotify'),
	start: (tree, target) => {
		const script = join(import.meta.dirname, 'copy-on-event.py')
		return begin(['python3', script, ...sourceAndCopies(tree, target)], /^watching$/)
	},
}

/** All that are compared. */
export const watchers = [snaphaven, lsyncd, copyOnEvent]

function sourceAndCopies(tree: Tree, target: string): [string, string] {
	const copies = join(havenIn(target), 'data', tree.keyspace)
	mkdirSync(copies, { recursive: true })
	return [join(tree.root, 'data', tree.keyspace), copies]
}

function needs(program: string, args: string[], what: string): string | undefined {
	return execaSync(program, args, { reject: false }).exitCode === 0 ? undefined : `needs ${what}`
}

/** Starts it, and waits for the line that says that it watches. */
async function begin([file = '', ...args]: string[], ready: RegExp, onLine = (_: string) => {}): Promise<Watching> {
	const child = execa(file, args, { reject: false, all: true, buffer: false })
	const said: string[] = []
	await new Promise<void>((resolve, reject) => {
		const lines = createInterface({ input: child.all })
		lines.on('line', (line) => {
			onLine(line)
			said.push(line)
			if (ready.test(line)) resolve()
		})
		lines.on('close', () => reject(new Error(`${file} ended before it watched: ${said.join('\n')}`)))
	})
	const stop = async () => {
		child.kill('SIGTERM')
		await child
	}
	return { pid: child.pid, stop }
}
