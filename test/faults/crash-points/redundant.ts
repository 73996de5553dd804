/** A flush that was left out, and what came of it. */
interface LeftOut {
	what: string
	tried: number
	wrong?: string[]
}

/** Flushes that may be left out, each alone, and nothing is lost or untrue, in one scenario or in any: why they are there all the same. */
const REDUNDANT: { of: RegExp; in?: string; why: string }[] = [
	{
		of: /^\.snaphaven\/probe-ID\/,/,
		why: 'it is there to see whether folders can be flushed at all, and makes nothing durable',
	},
	{
		of: /^\.snaphaven\/partial\/TOKEN\/, after link .*\.old\.json$/,
		why: 'the older receipt is given back only where gathered bytes are lost in spite of their flush',
	},
	{
		of: /^\d+ folders, after create .*\/(group|live)-\d+\.json$/,
		why: 'where an older receipt is kept, before all other renames, the flush of that has the names of the intent too',
	},
	{
		of: /^\.snaphaven\/, after rename \.snaphaven\/baseline\.json$/,
		why: 'the folder that it was renamed out of is flushed before anything is published or removed',
	},
	{
		of: /^the file system, after create .*\.progress$/,
		why: 'what is noted after the last piece is for a stop before the group’s own flush, which follows',
	},
	{
		of: /^\.snaphaven\/, after rename \.snaphaven\/(live|backups)\//,
		why: 'the folders in it were there before: it has the name of the lease alone to promise',
	},
	{
		of: /^(\.snaphaven\/(receipts|partial)\/\S*|\d+ folders), after create \.snaphaven\/partial\/TOKEN\/\d+\.json$/,
		in: 'adopt',
		why: 'a receipt’s rename has its name, and the same folders are flushed after that; where the whole file system is flushed at once, this has the receipt’s bytes',
	},
	{
		of: /^data\/ks\/TABLE\/snapshots\/(monday|wednesday)\/, after rename .*\/nb-1-big-Data\.db$/,
		in: 'verify --repair',
		why: 'the copy comes out of one name for each of the file’s names in turn, so that the flush after the last has all; the others bound what a stop leaves',
	},
	{
		of: /^\.\/, after mkdir ks$/,
		in: 'restore --to',
		why: 'the folder of the notes is made beside it and flushed before anything is told; where that was there before, nothing else has the keyspace’s',
	},
	{
		of: /\.snaphaven-restore\/, after mkdir /,
		why: 'the flush of the note of moves, before anything is moved, has the keyspace’s folder too',
	},
	{
		of: /\.snaphaven-restore\/, after rename .*\/moves\.json$/,
		in: 'restore --offline --replace',
		why: 'with several data directories each has the same note, for a run that is given that one alone; `restore --offline`, which has one here, misses it',
	},
	{
		of: /^data2?\/(\.snaphaven-restore\/\S*)?, after (mkdir|create|rename) /,
		in: 'restore --offline --replace',
		why: 'the next run replaces all once more, whatever was staged; `restore --offline` misses it',
	},
	{
		of: /\.snaphaven-restore\/, after unlink .*\/moves\.json$/,
		why: 'a note that comes back asks for nothing new, until somebody has removed what was set aside',
	},
]

/**
 * Flushes that no state misses and no reason is known for. One that had nothing to promise does not count; nor one of
 * folders flushed together, or of one file's, where all of them are missed: a rename is promised by the flush of either of
 * its folders, and a file's flush is one of all that was written to it.
 */
export function needless(leftOut: LeftOut[], scenario: string): LeftOut[] {
	const known = REDUNDANT.filter((one) => one.in === undefined || one.in === scenario)
	const missed = new Set(
		leftOut.filter(({ wrong }) => wrong).map(({ what }) => what.replace(/^\d+ folders|\d+ times$/, '')),
	)
	const isShared = (what: string) =>
		missed.has(what.slice(what.indexOf(', after '))) || missed.has(`${what.slice(0, what.indexOf(','))}, all `)
	return leftOut.filter(
		({ what, tried, wrong }) => !wrong && tried > 0 && !isShared(what) && !known.some(({ of }) => of.test(what)),
	)
}
