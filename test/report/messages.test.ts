import test from 'ava'
import type { SyncEvent } from '../../src/mirror/types.ts'
import { describeEvent, isShown, type Line } from '../../src/report/messages.ts'
import { NOTHING, SNAPSHOT, sealed } from './support/events.ts'

const PATH = `shop/${SNAPSHOT.table}/snapshots/daily-1`

/** `stdout result good | sealed shop.orders …` */
function flatten({ to, importance, kind, label, text }: Line): string {
	return `${to} ${importance} ${kind} | ${label} ${text}`
}

const told = test.macro({
	exec(t, _: string, event: SyncEvent, ...lines: string[]) {
		t.deepEqual(describeEvent(event).map(flatten), lines)
	},
	title: (_, what) => `${what} is told`,
})

test(told, 'a seal', sealed(), 'stdout result good | sealed shop.orders daily-1: 12 files, 4.1 MB')
test(
	told,
	'a seal with what was reused',
	sealed({ copied: { files: 1, bytes: 1000 }, reused: { files: 1100, bytes: 2000 } }),
	'stdout result good | sealed shop.orders daily-1: 1,101 files, 3 kB (1 copied, 1,100 reused)',
)
test(
	told,
	'a seal by links alone',
	sealed({ copied: { files: 0, bytes: 0 }, hardlinked: { files: 1, bytes: 5 }, reflinked: { files: 2, bytes: 5 } }),
	'stdout result good | sealed shop.orders daily-1: 3 files, 10 B (1 hard-linked, 2 reflinked)',
)
test(
	told,
	"a seal in an older one's place",
	sealed({ replaced: true }),
	"stdout result good | sealed shop.orders daily-1: 12 files, 4.1 MB, in an older one's place",
)
test(
	told,
	'a seal without proof',
	sealed({ state: 'unproven' }),
	'stdout result doubtful | sealed shop.orders daily-1: 12 files, 4.1 MB, unproven: no complete manifest',
)
test(
	told,
	'damage at the source, file by file,',
	sealed({ state: 'damaged', damage: [{ path: '.idx/nb-1-big-Data.db', reason: 'CRC-32 is 1, Digest.crc32 says 2' }] }),
	'stdout result bad | sealed shop.orders daily-1: 12 files, 4.1 MB, damaged at the source',
	`stderr problem bad | damaged: ${PATH}/.idx/nb-1-big-Data.db: CRC-32 is 1, Digest.crc32 says 2`,
)
test(
	told,
	'a plan',
	{ type: 'planned', snapshot: SNAPSHOT, replaced: false, ...NOTHING, copied: { files: 1, bytes: 7 } },
	'stdout result good | planned shop.orders daily-1: 1 file, 7 B',
)
test(
	told,
	'a move',
	{ type: 'moved', snapshot: SNAPSHOT },
	'stdout detail good | moved shop.orders daily-1: gone from the node',
)
test(
	told,
	'a removal from the haven',
	{ type: 'removed', snapshot: SNAPSHOT, bytes: 4_100_000 },
	'stdout result plain | removed shop.orders daily-1: cleared on the node, 4.1 MB freed in the haven',
)
test(
	told,
	'what a dry run would remove from the haven',
	{ type: 'removable', snapshot: SNAPSHOT },
	'stdout result plain | would remove shop.orders daily-1: cleared on the node',
)
test(
	told,
	'what was kept on the node',
	{ type: 'kept', snapshot: SNAPSHOT, reason: 'it is damaged' },
	`stderr problem doubtful | kept on the node ${PATH}: it is damaged`,
)
test(
	told,
	'a failure, by its path,',
	{ type: 'failed', snapshot: SNAPSHOT, reason: 'no space' },
	`stderr problem bad | failed ${PATH}: no space`,
)
test(
	told,
	'what is left out',
	{ type: 'skipped', snapshot: SNAPSHOT, reason: 'ephemeral' },
	`stderr detail plain | skipped ${PATH}: ephemeral`,
)
test(
	told,
	'waiting',
	{ type: 'waiting', snapshot: SNAPSHOT, reason: 'no manifest.json yet' },
	`stderr result plain | waiting ${PATH}: no manifest.json yet`,
)
test(
	told,
	'damage that was sealed before',
	{ type: 'damaged', snapshot: SNAPSHOT },
	`stderr problem bad | damaged: ${PATH}: sealed as damaged before, and unchanged since`,
)
test(told, 'a warning', { type: 'warning', message: 'odd' }, 'stderr problem doubtful | warning: odd')
test(told, 'a trouble', { type: 'trouble', message: 'bad' }, 'stderr problem bad | error: bad')

test('names and reasons reach the terminal without control characters, and stay one line', (t) => {
	const evil = { keyspace: 'k', table: 't\u001b[2J', tag: 'a\nb\udcff' }
	const text = '\u001b]0;x\u0007\n'
	const events: SyncEvent[] = [
		sealed({ snapshot: evil, state: 'damaged', damage: [{ path: text, reason: text }] }),
		{ type: 'planned', snapshot: evil, replaced: false, ...NOTHING },
		{ type: 'moved', snapshot: evil },
		{ type: 'damaged', snapshot: evil },
		{ type: 'kept', snapshot: evil, reason: text },
		{ type: 'failed', snapshot: evil, reason: text },
		{ type: 'skipped', snapshot: evil, reason: text },
		{ type: 'waiting', snapshot: evil, reason: text },
		{ type: 'warning', message: text },
		{ type: 'trouble', message: text },
	]
	for (const event of events) {
		const lines = describeEvent(event)
		t.true(lines.length > 0)
		for (const line of lines) t.notRegex(flatten(line), /[\p{Cc}\p{Cs}]/u, event.type)
	}
	t.is(describeEvent({ type: 'moved', snapshot: evil })[0]?.text, '"k.t\\x1b[2J" "a\\nb\\xff": gone from the node')
})

test('-q shows problems alone, and -v 0, 1, 2 each more', (t) => {
	const all = ['problem', 'summary', 'result', 'detail'] as const
	const shown = (loudness: Parameters<typeof isShown>[1]) => all.filter((importance) => isShown(importance, loudness))
	t.deepEqual(shown({ quiet: true, verbosity: 1 }), ['problem'])
	t.deepEqual(shown({ quiet: false, verbosity: 0 }), ['problem', 'summary'])
	t.deepEqual(shown({ quiet: false, verbosity: 1 }), ['problem', 'summary', 'result'])
	t.deepEqual(shown({ quiet: false, verbosity: 2 }), [...all])
})
