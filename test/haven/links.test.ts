import { mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { type Io, runSync } from '../../src/files/io.ts'
import { gathering, LIVE, receiptsFolder, SET_ASIDE, snapshotsFolder } from '../../src/haven/layout.ts'
import { type LiveTurn, putLive } from '../../src/haven/live-turn.ts'
import { recoverLive } from '../../src/haven/live-undo.ts'
import { makePlaces } from '../../src/haven/places.ts'
import type { Publication } from '../../src/haven/publish.ts'
import { recover } from '../../src/haven/recover.ts'
import { takeOut } from '../../src/haven/remove.ts'
import { putRepaired } from '../../src/haven/repair.ts'
import { keepAside } from '../../src/haven/set-aside.ts'
import { changesBetween, fingerprint } from '../mirror/support/scene.ts'
import { ownFolder } from '../support/folder.ts'
import { gather, key, makeHaven, newer, older, partial, receiptFor, seal, write } from './support/havens.ts'

const publication: Publication = { number: 0, key, receiptChecksum: '' }
const turn: LiveTurn = {
	number: 0,
	key: { ...key, tag: LIVE },
	receiptChecksum: '01234567',
	folders: [],
	add: ['nb-2-big-Data.db'],
	replace: [],
	clear: [],
	remove: [],
}
const damaged = receiptFor(older).files.find(({ path }) => path === 'nb-1-big-Data.db')
const table = dirname(snapshotsFolder(key))

/** A folder in a haven that is a link, and what works in it. */
const works: [what: string, folder: string, work: (base: string) => Io<unknown>][] = [
	['a removal', snapshotsFolder(key), (base) => takeOut(base, partial, { number: 7, key, receiptId: 'id' })],
	['a removal', receiptsFolder(key), (base) => takeOut(base, partial, { number: 7, key, receiptId: 'id' })],
	['a recovery', snapshotsFolder(key), (base) => recover(base, partial, gather(base, newer))],
	['a recovery', receiptsFolder(key), (base) => recover(base, partial, gather(base, newer))],
	['a setting aside', `${SET_ASIDE}/ks`, (base) => keepAside(base, partial, publication)],
	[
		'a repair',
		snapshotsFolder(key),
		(base) => {
			const targets = [{ key, path: damaged?.path ?? '' }]
			return putRepaired(
				base,
				partial,
				{ number: 7, targets },
				{ size: damaged?.size ?? 0, crc32: damaged?.crc32 ?? '' },
			)
		},
	],
	['a live set', table, (base) => putLive(base, partial, turn)],
	['a recovery of a live set', table, (base) => recoverLive(base, partial, turn)],
	['what makes a table’s folders', dirname(table), (base) => makePlaces(base, { keyspace: 'ks', table: 'other-0123' })],
]

function makeScene(t: ExecutionContext, folder: string): { base: string; elsewhere: string } {
	const base = makeHaven(t)
	seal(base, older)
	for (const place of [gathering.folder(partial, 0), gathering.aside(partial, 0)]) write(join(base, place), newer)
	mkdirSync(join(base, SET_ASIDE, 'ks'), { recursive: true })
	const elsewhere = join(ownFolder(t), 'elsewhere')
	renameSync(join(base, folder), elsewhere)
	symlinkSync(elsewhere, join(base, folder))
	return { base, elsewhere }
}

for (const [what, folder, work] of works) {
	test(`${what} does not follow a link in place of ${folder}`, (t) => {
		const { base, elsewhere } = makeScene(t, folder)
		const before = fingerprint(elsewhere)
		t.throws(() => runSync(work(base)), { message: /in the haven is a symbolic link/ })
		t.deepEqual(changesBetween(before, fingerprint(elsewhere)), [])
	})
}
