import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { execa } from 'execa'
import type { Transfer } from '../../src/mirror/plan.ts'
import { reserveFor } from '../../src/mirror/reserve.ts'
import type { Piece } from '../../src/mirror/slices.ts'
import { makeSpace } from '../../src/mirror/space.ts'
import { ownFolder } from '../support/folder.ts'
import { testWhere } from '../support/not-run.ts'

const notRoot = process.getuid?.() === 0 ? undefined : 'needs root to mount'

/** A haven on a file system of its own of 4 MB. */
async function fourMB(t: ExecutionContext): Promise<string> {
	const haven = join(ownFolder(t), 'haven')
	mkdirSync(haven)
	await execa('mount', ['-t', 'tmpfs', '-o', 'size=4096k', 'tmpfs', haven])
	t.teardown(() => execa('umount', ['--lazy', haven], { reject: false }))
	return haven
}

function transfer(how: Transfer['how'], size: number): Transfer {
	const file = {
		path: 'nb-1-big-Data.db',
		size,
		mtimeNs: 0n,
		ino: 1n,
		dev: 1n,
		mode: 0o644,
		uid: 0,
		gid: 0,
		directory: 0,
	}
	return { how, file }
}

/** A slice of one whole file, and how it came. */
function came(
	transfers: Transfer[],
	index: number,
	how: Transfer['how'],
): [Transfer[], Piece[], { crc: number; how: Transfer['how'] }[]] {
	return [transfers, [{ index, offset: 0, length: transfers[index]?.file.size ?? 0, whole: true }], [{ crc: 0, how }]]
}

test('nothing stays set aside, however many slices come while more is asked for', async (t) => {
	const space = makeSpace(ownFolder(t))
	const transfers = Array.from({ length: 10 }, () => transfer('hardlinked', 1000))
	const reservation = await reserveFor({ space }, transfers, [])
	await Promise.all(transfers.map((_, index) => reservation.came(...came(transfers, index, 'copied'))))
	t.true(space.isReserved())
	reservation.release()
	t.false(space.isReserved())
	t.true(await space.reserve(0))
})

testWhere(notRoot, 'what comes while more is asked for is not held any longer', async (t) => {
	const space = makeSpace(await fourMB(t))
	const transfers = Array.from({ length: 4 }, () => transfer('hardlinked', 900_000))
	const reservation = await reserveFor({ space }, transfers, [])
	await Promise.all(transfers.map((_, index) => reservation.came(...came(transfers, index, 'copied'))))
	// What the haven showed counts for half a second; it shows all as free, since nothing was written there.
	await pause(600)
	t.true(await space.reserve(4_000_000))
	space.release(4_000_000)
	reservation.release()
	t.false(space.isReserved())
})

testWhere(notRoot, 'what was written is not counted a second time where copies of the rest need space', async (t) => {
	const haven = await fourMB(t)
	const space = makeSpace(haven)
	const transfers = [
		...Array.from({ length: 3 }, () => transfer('copied', 1_000_000)),
		...Array.from({ length: 3 }, () => transfer('reflinked', 200_000)),
	]
	const reservation = await reserveFor({ space }, transfers, [])
	for (const index of [0, 1, 2]) {
		writeFileSync(join(haven, String(index)), Buffer.alloc(1_000_000))
		await reservation.came(...came(transfers, index, 'copied'))
	}
	writeFileSync(join(haven, '3'), Buffer.alloc(200_000))
	// What the haven showed counts for half a second.
	await pause(600)
	await t.notThrowsAsync(reservation.came(...came(transfers, 3, 'copied')))
	reservation.release()
	t.false(space.isReserved())
})

testWhere(notRoot, 'what the haven has takes no space, whether or not the node’s files can be linked', async (t) => {
	const space = makeSpace(await fourMB(t))
	const transfers = [transfer('hardlinked', 1000), transfer('hardlinked', 1000), transfer('reused', 100_000_000)]
	const reservation = await reserveFor({ space }, transfers, [])
	await t.notThrowsAsync(reservation.came(...came(transfers, 0, 'copied')))
	await t.notThrowsAsync(reservation.came(...came(transfers, 2, 'copied')))
	t.true(space.isReserved())
	reservation.release()
	t.false(space.isReserved())
})

testWhere(notRoot, 'copies that will not fit end it, with what is missing, and without what has come', async (t) => {
	const space = makeSpace(await fourMB(t))
	const transfers = [
		transfer('hardlinked', 1_000_000),
		transfer('hardlinked', 5_000_000),
		transfer('hardlinked', 6_000_000),
	]
	const reservation = await reserveFor({ space }, transfers, [])
	await reservation.came(...came(transfers, 1, 'hardlinked'))
	const error = await t.throwsAsync(reservation.came(...came(transfers, 0, 'copied')))
	t.regex(error?.message ?? '', /it needs 6000000 bytes there, and 41\d{5} are free/)
	reservation.release()
	t.false(space.isReserved())
})
