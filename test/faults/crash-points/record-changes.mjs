// For --import: writes down each change of the haven that a command makes, in all its threads, in the order in which they
// were made, as lines of JSON (changes.ts). One change at a time: also calls of libuv's pool are made on the spot.
// SNAPHAVEN_RECORD is `LOG HAVEN NODE MEMORY ENGINE FLUSH`: MEMORY is where the node remembers havens; ENGINE is `slow` where the haven is to be taken for a slow one, FLUSH
// `each` where its file system's own flush is not to be trusted.
import fs from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { isMainThread } from 'node:worker_threads'

const [log, haven, node, memory, engine, flush] = process.env.SNAPHAVEN_RECORD.split(' ')
const { openSync, closeSync, writeSync, fstatSync, lstatSync, realpathSync, readlinkSync, unlinkSync, statfsSync } = fs
const { O_WRONLY, O_CREAT, O_APPEND, O_EXCL } = fs.constants
const out = openSync(log, O_WRONLY | O_CREAT | O_APPEND)
const lock = `${log}.lock`
const NFS = 0x6969

/** Nothing else changes while `work` does. */
function alone(work) {
	for (;;) {
		try {
			closeSync(openSync(lock, O_WRONLY | O_CREAT | O_EXCL))
			break
		} catch (error) {
			if (error.code !== 'EEXIST') throw error
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.02)
		}
	}
	try {
		return work()
	} finally {
		unlinkSync(lock)
	}
}

let isKnown = isThere(memory)

function put(line) {
	// The node has learnt meanwhile that there is a haven.
	const news = !isKnown && isThere(memory) ? [{ did: 'remember' }] : []
	isKnown ||= news.length > 0
	writeSync(out, [...news, line].map((one) => `${JSON.stringify(one)}\n`).join(''))
}

/** A path as the system sees it: relative to the haven or to the node, or whole where it is in neither. */
function placeOf(path) {
	const text = String(path)
	const place = join(realpathSync.native(dirname(text)), text.slice(text.lastIndexOf('/') + 1))
	for (const [side, root] of Object.entries({ haven, node })) {
		const inner = relative(root, place)
		if (!inner.startsWith('..')) return { side, path: inner }
	}
	return { side: 'elsewhere', path: place }
}

const inode = (path) => Number(lstatSync(path).ino)

function isThere(path) {
	return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

const isHavens = (fd) => {
	const path = readlinkSync(`/proc/self/fd/${fd}`)
	return path === haven || path.startsWith(`${haven}/`)
}

/** What is noted of each function: before it is called, a function that notes what it did, or nothing. */
const noted = {
	open: ([path, flags], place = placeOf(path)) => {
		if (place.side !== 'haven' || typeof flags !== 'number' || (flags & O_CREAT) === 0 || isThere(path)) return
		return (fd) => put({ did: 'create', path: place.path, ino: Number(fstatSync(fd).ino) })
	},
	write: ([fd, buffer, offset, , position]) => {
		if (!isHavens(fd)) return
		return (length) => {
			const { ino, size } = fstatSync(fd)
			const bytes = Buffer.from(buffer.subarray(offset, offset + length)).toString('base64')
			put({ did: 'write', ino: Number(ino), at: position ?? Number(size) - length, bytes })
		}
	},
	fsync: ([fd]) => (isHavens(fd) ? () => put({ did: 'fsync', ino: Number(fstatSync(fd).ino) }) : undefined),
	mkdir: ([path], place = placeOf(path)) =>
		place.side === 'haven' && !isThere(path)
			? () => put({ did: 'mkdir', path: place.path, ino: inode(path) })
			: undefined,
	rmdir: ([path]) => removal(path, 'rmdir'),
	unlink: ([path]) => removal(path, 'unlink'),
	rename: ([from, to], [old, place] = [placeOf(from), placeOf(to)]) =>
		place.side === 'haven' ? () => put({ did: 'rename', path: old.path, to: place.path }) : undefined,
	link: ([from, to], place = placeOf(to)) =>
		place.side === 'haven' ? () => put({ did: 'link', path: place.path, ino: inode(from) }) : undefined,
}

function removal(path, did, { side, path: inner } = placeOf(path)) {
	if (side === 'haven') return () => put({ did, path: inner })
	return side === 'node' ? () => put({ did: 'gone', path: inner }) : undefined
}

for (const [name, note] of Object.entries(noted)) {
	const { [`${name}Sync`]: original } = fs
	const recorded = (...args) => {
		const told = name === 'write' && args[0] === 1 ? args[1] : undefined
		if (told !== undefined) put({ did: 'tell', text: String(told) })
		return alone(() => {
			let done
			try {
				done = note(args)
			} catch (error) {
				// The call itself will say so.
				if (error.code !== 'ENOENT' && error.code !== 'EBADF' && error.code !== 'ENOTDIR') throw error
			}
			const result = original(...args)
			done?.(result)
			return result
		})
	}
	fs[`${name}Sync`] = recorded
	fs[name] = (...args) => {
		const callback = args.pop()
		let answer
		try {
			answer = [null, recorded(...args)]
		} catch (error) {
			answer = [error]
		}
		setImmediate(callback, ...answer)
	}
}

if (isMainThread) {
	const { write } = process.stdout
	process.stdout.write = (text, ...rest) => {
		put({ did: 'tell', text: String(text) })
		return write.call(process.stdout, text, ...rest)
	}
}

if (flush === 'each') {
	const { statfs } = fs
	fs.statfsSync = (path) => ({ ...statfsSync(path), type: NFS })
	fs.statfs = (path, done) => statfs(path, (error, found) => done(error, found && { ...found, type: NFS }))
}

if (engine === 'slow') {
	const { unlinkSync: unlink } = fs
	fs.unlinkSync = (path) => {
		// What the file for the measurement is removed with.
		if (String(path).includes('/time-')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
		return unlink(path)
	}
}
