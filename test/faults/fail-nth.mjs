// For --import: makes the nth call of one of Node's functions for files fail, counted over all threads of a command.
// SNAPHAVEN_FAIL is `CALL NTH CODE COUNTER HAVEN`: CALL as in node:fs, without Sync, or some with commas between, to count
// them; CODE an errno, `SHORT` for half of what was asked for, or an errno with `after`, for a call that was done and its
// reply lost; COUNTER a file with a line a call; HAVEN `slow` where the haven is to be taken for a slow one, `quick` else.
import fs from 'node:fs'
import os from 'node:os'
import { getSystemErrorName } from 'node:util'

const [calls, nth, code, counter, haven] = process.env.SNAPHAVEN_FAIL.split(' ')
const { writeSync, fstatSync } = fs
const counted = fs.openSync(counter, fs.constants.O_WRONLY | fs.constants.O_CREAT | fs.constants.O_APPEND)
const [name, after] = code.split('-')

for (const call of calls.split(',')) failNth(call)

function failNth(call) {
	const { [call]: callback, [`${call}Sync`]: sync } = fs
	const isTheOne = () => {
		// Node loads its modules by the same functions.
		if (new Error().stack.includes('node:internal/modules')) return false
		writeSync(counted, `${call}\n`)
		return fstatSync(counted).size === Number(nth) * (call.length + 1)
	}
	fs[`${call}Sync`] = (...args) => {
		if (!isTheOne()) return sync(...args)
		if (name === 'SHORT') return sync(...halved(args))
		// A file descriptor is gone also where close says that it failed.
		if (after || call === 'close') sync(...args)
		throw failure(call)
	}
	fs[call] = (...args) => {
		const done = args.at(-1)
		if (!isTheOne()) return callback(...args)
		if (name === 'SHORT') return callback(...halved(args))
		if (after || call === 'close') return callback(...args.slice(0, -1), (error) => done(error ?? failure(call)))
		process.nextTick(done, failure(call))
	}
}

function failure(call) {
	const errno = -os.constants.errno[name]
	// Some have no name with Node: `Unknown system error -116`.
	const known = getSystemErrorName(errno)
	return Object.assign(new Error(`${known}: ${known}, ${call}`), { code: known, errno, syscall: call })
}

/** Half the length of read(fd, buffer, offset, length, position) and its like. */
function halved([fd, buffer, offset, length, ...rest]) {
	return [fd, buffer, offset, Math.ceil(length / 2), ...rest]
}

if (haven === 'slow') {
	const { unlinkSync } = fs
	fs.unlinkSync = (path) => {
		// What the file for the measurement is removed with.
		if (String(path).includes('/time-')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
		return unlinkSync(path)
	}
}
