import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runSync } from '../../src/files/io.ts'
import { gathering, PARTIAL, receiptPath, snapshotFolder } from '../../src/haven/layout.ts'
import { clearUp, type Publication, publish } from '../../src/haven/publish.ts'
import { findIntents, recover } from '../../src/haven/recover.ts'
import { withdraw } from '../../src/haven/withdraw.ts'
import {
	aside,
	type Contents,
	gather,
	key,
	makeHaven,
	newer,
	older,
	partial,
	read,
	receiptFor,
	seal,
	visible,
	write,
} from './support/havens.ts'
import { type DriveOptions, drive, noHardLinks } from './support/steps.ts'

const foreign: Contents = { 'somebody’s': 'own' }

/** What stood in the snapshot's place before. */
interface Before {
	name: string
	prepare: (base: string) => void
	/** The seal that is to be visible where the publication is undone. */
	undone: Contents | undefined
	/** What is to be set aside where it is finished. */
	setAside: Contents[]
	options?: DriveOptions
}

const befores: Before[] = [
	{ name: 'nothing', prepare: () => {}, undone: undefined, setAside: [] },
	{ name: 'an older seal', prepare: (base) => seal(base, older), undone: older, setAside: [] },
	{
		name: 'an older seal, without hard links',
		prepare: (base) => seal(base, older),
		undone: older,
		setAside: [],
		options: { refuse: noHardLinks },
	},
	{
		name: 'a folder that no receipt knows',
		prepare: (base) => write(join(base, snapshotFolder(key)), foreign),
		undone: undefined,
		setAside: [foreign],
	},
]

/** Does the test for a stop after each call of a publication, the last time after all of them. */
function afterEachCall(
	t: ExecutionContext,
	{ prepare, options }: Before,
	body: (base: string, publication: Publication, calls: number) => void,
): void {
	for (let calls = 0; ; calls++) {
		const base = makeHaven(t)
		prepare(base)
		const publication = gather(base, newer)
		const ran = drive(publish(base, partial, publication), options).run(calls)
		if ('failed' in ran) throw ran.failed
		body(base, publication, calls)
		if (ran.done) return void t.true(calls >= 3, `only ${calls} calls`)
	}
}

/** As before: the older seal, or nothing that counts, and what was somebody's own still somewhere. */
function isAsBefore(t: ExecutionContext, base: string, { undone, setAside }: Before, when: string): void {
	const { copy, receipt } = visible(base)
	t.deepEqual(receipt?.files, undone && receiptFor(undone).files, when)
	for (const own of setAside) t.deepEqual(copy ?? aside(base)[0], own, when)
	if (setAside.length === 0) t.deepEqual(copy, undone, when)
}

function isWhole(t: ExecutionContext, base: string, contents: Contents | undefined, when: string): void {
	const { copy, receipt } = visible(base)
	t.deepEqual(copy, contents, when)
	t.deepEqual(receipt?.files, contents && receiptFor(contents).files, when)
}

for (const before of befores) {
	test(`after a stop at any call the new copy is whole in the place of ${before.name}, also if recovered twice`, (t) => {
		afterEachCall(t, before, (base, publication, calls) => {
			for (const turn of ['once', 'twice']) {
				t.is(runSync(recover(base, partial, publication)), undefined)
				isWhole(t, base, newer, `${calls} calls, recovered ${turn}`)
				t.deepEqual(aside(base), before.setAside)
			}
			runSync(clearUp(base, partial, publication))
			const left = Object.keys(read(join(base, partial)) ?? {}).filter((name) => !name.endsWith('.draft'))
			t.deepEqual(left, ['group-0.json'])
		})
	})

	test(`after a stop at any call, and of the recovery at any call, it is whole in the place of ${before.name}`, (t) => {
		afterEachCall(t, before, (_, __, calls) => {
			for (let more = 0; ; more++) {
				const base = makeHaven(t)
				before.prepare(base)
				const publication = gather(base, newer)
				drive(publish(base, partial, publication), before.options).run(calls)
				const ran = drive(recover(base, partial, publication), before.options).run(more)
				runSync(recover(base, partial, publication))
				isWhole(t, base, newer, `${calls} calls, then ${more} of the recovery`)
				if (!('done' in ran) || ran.done) return
			}
		})
	})

	test(`what was gathered and is damaged after a stop is undone for ${before.name}, also if undone in steps`, (t) => {
		afterEachCall(t, before, (_, __, calls) => {
			for (let more = 0; ; more++) {
				const base = makeHaven(t)
				before.prepare(base)
				const publication = gather(base, newer)
				drive(publish(base, partial, publication), before.options).run(calls)
				damage(base)
				const ran = drive(recover(base, partial, publication), before.options).run(more)
				const undone = runSync(recover(base, partial, publication))
				const when = `${calls} calls, then ${more} of the recovery`
				isAsBefore(t, base, before, when)
				if (!('done' in ran) || ran.done) {
					t.regex('value' in ran ? (ran.value?.problem ?? '') : '', /nb-2-big-Data\.db has other bytes/, when)
					return
				}
				t.truthy(undone, when)
			}
		})
	})

	test(`what was gathered and is lost after a stop is undone for ${before.name}, and nothing else is lost`, (t) => {
		afterEachCall(t, before, (base, publication, calls) => {
			const published = visible(base).copy?.['nb-2-big-Data.db'] !== undefined
			rmSync(join(base, gathering.folder(partial, 0)), { recursive: true, force: true })
			runSync(recover(base, partial, publication))
			runSync(recover(base, partial, publication))
			const when = `${calls} calls`
			if (published) isWhole(t, base, newer, when)
			else isAsBefore(t, base, before, when)
		})
	})

	test(`a publication whose flush failed leaves what was there: ${before.name}`, (t) => {
		afterEachCall(t, before, (base, publication, calls) => {
			runSync(withdraw(base, partial, publication, 'own'))
			isAsBefore(t, base, before, `${calls} calls`)
		})
	})

	test(`a stop in the middle of withdrawing is recovered from: ${before.name}`, (t) => {
		afterEachCall(t, before, (_, __, calls) => {
			for (let more = 0; ; more++) {
				const base = makeHaven(t)
				before.prepare(base)
				const publication = gather(base, newer)
				drive(publish(base, partial, publication), before.options).run(calls)
				const ran = drive(withdraw(base, partial, publication, 'own'), before.options).run(more)
				const undone = runSync(recover(base, partial, publication))
				const when = `${calls} calls, then ${more} of the withdrawal`
				if (undone === undefined) isWhole(t, base, newer, when)
				else isAsBefore(t, base, before, when)
				if (!('done' in ran) || ran.done) return
			}
		})
	})

	test(`a paused holder that wakes after another took over changes nothing: ${before.name}`, (t) => {
		for (let calls = 0; ; calls++) {
			const base = makeHaven(t)
			before.prepare(base)
			const publication = gather(base, newer)
			const paused = drive(publish(base, partial, publication), before.options)
			const ran = paused.run(calls)
			if (!('done' in ran)) throw ran.failed
			const taken = `${PARTIAL}/other.inherited-0`
			renameSync(join(base, partial), join(base, taken))
			runSync(recover(base, taken, publication))
			isWhole(t, base, newer, `${calls} calls`)
			paused.run()
			isWhole(t, base, newer, `${calls} calls, and the rest after the pause`)
			t.deepEqual(aside(base), before.setAside)
			if (ran.done) return
		}
	})
}

/** Somebody removes the table from the mirror and from the receipts. */
function removeTable(base: string): void {
	for (const path of [snapshotFolder(key), receiptPath(key)]) {
		rmSync(dirname(join(base, path)), { recursive: true, force: true })
	}
}

test('what was gathered is published also where the table’s folders have been removed meanwhile', (t) => {
	const base = makeHaven(t)
	const publication = gather(base, newer)
	removeTable(base)
	runSync(publish(base, partial, publication))
	isWhole(t, base, newer, 'removed')
})

test('a publication can be withdrawn where the table’s folders have been removed, and the older seal comes back', (t) => {
	for (const before of [undefined, older]) {
		const base = makeHaven(t)
		if (before) seal(base, before)
		const publication = gather(base, newer)
		runSync(publish(base, partial, publication))
		removeTable(base)
		runSync(withdraw(base, partial, publication, 'own'))
		isWhole(t, base, before, before ? 'an older seal' : 'nothing')
	}
})

/** Alters a byte of the new copy, wherever it is. */
function damage(base: string): void {
	for (const folder of [gathering.folder(partial, 0), snapshotFolder(key)]) {
		const path = join(base, folder, 'nb-2-big-Data.db')
		if (read(join(base, folder))?.['nb-2-big-Data.db'] !== undefined) writeFileSync(path, 'newer d!ta!')
	}
}

test('what was visible is set aside where it is undone after a stop, not removed', (t) => {
	const base = makeHaven(t)
	const publication = gather(base, newer)
	runSync(publish(base, partial, publication))
	damage(base)
	const undone = runSync(recover(base, partial, publication))
	t.regex(undone?.setAside ?? '', /^\.snaphaven\/set-aside\/ks\/orders-0123\/a_daily_1~[0-9a-f]{16}-token-0$/)
	t.deepEqual(aside(base), [{ ...newer, 'nb-2-big-Data.db': 'newer d!ta!' }])
})

test('a receipt that was not written whole undoes its publication', (t) => {
	const base = makeHaven(t)
	seal(base, older)
	const publication = gather(base, newer)
	writeFileSync(join(base, gathering.receipt(partial, 0)), '{"format":1,')
	t.is(runSync(recover(base, partial, publication))?.problem, 'its receipt was not written whole')
	isWhole(t, base, older, 'undone')
})

test('a file of another kind, another size, or none is found out', (t) => {
	const changes: [(path: string) => void, RegExp][] = [
		[(path) => rmSync(path), /nb-2-big-Data\.db is missing/],
		[(path) => writeFileSync(path, 'newer data!!'), /nb-2-big-Data\.db has 12 bytes, not 11/],
		[
			(path) => {
				rmSync(path)
				mkdirSync(path)
			},
			/nb-2-big-Data\.db is no file/,
		],
	]
	for (const [change, expected] of changes) {
		const base = makeHaven(t)
		const publication = gather(base, newer)
		change(join(base, gathering.folder(partial, 0), 'nb-2-big-Data.db'))
		t.regex(runSync(recover(base, partial, publication))?.problem ?? '', expected)
		isWhole(t, base, undefined, 'undone')
	}
})

test('a publication never counts without its receipt in place', (t) => {
	const base = makeHaven(t)
	const publication = gather(base, newer)
	const receipts = join(base, receiptPath(key), '..')
	rmSync(receipts, { recursive: true })
	writeFileSync(receipts, 'a file in its place')
	t.throws(() => runSync(publish(base, partial, publication)), { code: 'ENOTDIR' })
})

test('intents are found where they were written whole, and a stray file holds none', (t) => {
	const base = makeHaven(t)
	const publication = gather(base, newer)
	writeFileSync(join(base, gathering.intent(partial, 1)), '{"format":1,"publications":[')
	writeFileSync(join(base, partial, 'group-x.json'), '{}')
	const [found, ...others] = runSync(findIntents(base, partial))
	t.like(found, { path: gathering.intent(partial, 0) })
	t.deepEqual(found?.intent.publications, [publication])
	t.deepEqual(others, [])
	t.deepEqual(runSync(findIntents(base, gathering.intent(partial, 1))), [])
})
