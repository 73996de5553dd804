import { chmod, lstat, mkdtemp, rename, rm, stat } from 'node:fs/promises'
import type { Server } from 'node:http'
import { connect, createServer, type Server as NetServer } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { hasCode } from '../files/io.ts'

/** A socket that lies in the file system, under a name of this process's own until close. */
interface SocketFile {
	/** Takes the name away, unless it names another's socket by now. */
	remove: () => Promise<void>
}

/**
 * Lets the server listen at a path that only this user may use, and that one live process has at a time. A socket there
 * that nobody listens at, a dead process's, is replaced; where somebody does, undefined comes back and nothing changes.
 */
export async function listenAt(server: Server, path: string): Promise<SocketFile | undefined> {
	// Nobody but this user can reach it before its mode is right.
	const folder = await mkdtemp(`${path}-`)
	try {
		const draft = `${folder}/socket`
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject)
			server.listen(draft, () => resolve())
		})
		await chmod(draft, 0o600)
		const { ino } = await lstat(draft)
		const isOurs = await inTurn(path, async () => {
			if (await isListenedAt(path)) return false
			await rename(draft, path)
			return true
		})
		return isOurs ? { remove: async () => await removeOwn(path, ino) } : undefined
	} finally {
		await rm(folder, { recursive: true, force: true })
	}
}

/** So long a starter waits for its turn, in ms; a turn takes a few. */
const TURN_PATIENCE = 5000

/**
 * Runs the action while no other process runs one for this path: between the look whether a socket is stale and its
 * replacement another starter could put a live one there. The right to it is a Unix socket of an abstract name (unix(7)),
 * which one process has at a time, and none after its death. Such names have no owner, so anyone could keep it: who does
 * can't keep a service from starting.
 */
async function inTurn<Result>(path: string, action: () => Promise<Result>): Promise<Result> {
	const { dev, ino } = await stat(dirname(path))
	const name = `\0snaphaven-${dev}-${ino}`
	const until = performance.now() + TURN_PATIENCE
	let turn = await takeTurn(name)
	while (turn === undefined && performance.now() < until) {
		await pause(20)
		turn = await takeTurn(name)
	}
	try {
		return await action()
	} finally {
		turn?.close()
	}
}

/** The turn, to be closed when it is over; undefined while another process has it. */
async function takeTurn(name: string): Promise<NetServer | undefined> {
	return await new Promise((resolve, reject) => {
		const turn = createServer()
		turn.once('error', (error) => (hasCode(error, 'EADDRINUSE') ? resolve(undefined) : reject(error)))
		turn.listen(name, () => resolve(turn))
	})
}

async function isListenedAt(path: string): Promise<boolean> {
	return await new Promise((resolve, reject) => {
		const socket = connect(path)
		socket.once('connect', () => {
			socket.destroy()
			resolve(true)
		})
		socket.once('error', (error) => {
			// A file that is no socket refuses too (connect(2)).
			if (hasCode(error, 'ECONNREFUSED', 'ENOENT')) resolve(false)
			// Its queue is full, so somebody has it.
			else if (hasCode(error, 'EAGAIN')) resolve(true)
			else reject(error)
		})
	})
}

async function removeOwn(path: string, ino: number): Promise<void> {
	const found = await lstat(path).catch(() => undefined)
	if (found?.ino === ino) await rm(path, { force: true })
}
