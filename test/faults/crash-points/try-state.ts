import {
	existsSync,
	linkSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { crc32 } from 'node:zlib'
import { rememberHaven } from '../../../src/haven/memory.ts'
import { checkedText, withChecksum } from '../../../src/haven/sealed-text.ts'
import type { Tree } from '../../support/tree.ts'
import { type Disk, pathsOf } from './disk-model.ts'
import { runInside } from './inside.ts'
import { judgeOf } from './judge.ts'
import { copyNode, emptyNode, movedTo } from './node-copy.ts'
import type { Known, Recording } from './recording.ts'
import { makeOld, SCENARIOS } from './scenarios.ts'

export interface Trial {
	recording: Recording
	disk: Disk
	known: Known
	/** A folder for this state alone. */
	place: string
}

/**
 * Makes the state on a real file system, reads it as a stranger, lets a run recover it that has nothing else to do, and
 * then the same command come to its end: what is wrong, after each.
 */
export async function tryState({ recording, disk, known, place }: Trial): Promise<string[]> {
	const wrong: string[] = []
	const note = (when: string, found: string[]) => wrong.push(...found.map((what) => `${when}: ${what}`))
	try {
		const scenario = SCENARIOS[recording.scenario]
		if (!scenario) throw new Error(`there is no scenario ${recording.scenario}`)
		const root = join(place, scenario.disk)
		const haven = scenario.disk === 'haven' ? root : join(recording.folder, 'haven')
		writeDisk(disk, root)
		if (scenario.disk === 'node') placeNode(root, recording)
		// A copy that is to be adopted has to have been quiet for a while.
		if (scenario.mends) makeOld(root)
		Object.assign(process.env, scenario.env)
		const { node } = recording
		const copied = scenario.takes ? copyNode(node, join(place, 'node'), known.gone) : node
		const left = scenario.disk === 'node' ? movedTo(node, root) : copied
		const state = join(place, 'state')
		if (known.remembered) await rememberHaven(state, haven, idOf(join(recording.folder, 'haven')))
		const judge = judgeOf(recording, known)
		note('at the cut', judge.cut(root))
		if (scenario.disk === 'haven' && !scenario.mends && !scenario.resumes) {
			note('recovering', await recover(haven, state, emptyNode(node, join(place, 'empty'))))
			note('recovered', judge.recovered(root))
		}
		const places = { haven, restored: join(place, 'restored') }
		note('at the end', judge.finished(root, await runInside([...scenario.command(left, places), '--state-dir', state])))
	} catch (error) {
		wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
	} finally {
		rmSync(place, { recursive: true, force: true })
	}
	return [...new Set(wrong)]
}

function idOf(haven: string): string {
	return JSON.parse(readFileSync(join(haven, '.snaphaven/haven.json'), 'utf8')).id
}

/** A run over a node that has nothing recovers what is there, and leaves it. */
async function recover(haven: string, state: string, { flags, keyspace }: Tree): Promise<string[]> {
	const { exitCode, stderr } = await runInside(['--once', '-s', haven, ...flags, keyspace, '--state-dir', state])
	return exitCode === 0 ? [] : [`it ended with ${exitCode}: ${stderr}`]
}

/**
 * By the time of a Data.db an SSTable is known again. It is set before the file is flushed, so files of its bytes have it.
 * Notes of moves name paths, which are others here.
 */
function placeNode(root: string, { node }: Recording): void {
	for (const directory of node.dataDirectories) {
		const note = join(root, relative(node.root, directory), '.snaphaven-restore/moves.json')
		const text = existsSync(note) ? checkedText(readFileSync(note)) : undefined
		if (text === undefined) continue
		const { checksum: _, ...noted } = JSON.parse(text)
		const recorded = dirname(noted.dataDirectories[0])
		writeFileSync(note, withChecksum(JSON.stringify(noted).replaceAll(`"${recorded}/`, `"${root}/`)))
	}
	const timeOf = new Map(dataIn(node.root).map((path) => [crc32(readFileSync(path)), statSync(path).mtimeMs / 1000]))
	for (const path of dataIn(root)) {
		const time = timeOf.get(crc32(readFileSync(path)))
		if (time !== undefined) utimesSync(path, time, time)
	}
}

function dataIn(root: string): string[] {
	const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
	return names.filter((name) => name.endsWith('-Data.db')).map((name) => join(root, name))
}

function writeDisk(disk: Disk, root: string): void {
	const written = new Map<Buffer, string>()
	mkdirSync(root, { recursive: true })
	for (const [path, bytes] of pathsOf(disk)) {
		const place = join(root, path)
		const same = bytes && bytes.length > 0 && written.get(bytes)
		if (!bytes) mkdirSync(place)
		else if (same) linkSync(same, place)
		else {
			writeFileSync(place, bytes)
			written.set(bytes, place)
		}
	}
}
