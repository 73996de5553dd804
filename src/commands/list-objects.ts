import type { SealedHead } from '../haven/read-heads.ts'
import type { TagGroup } from '../mirror/tag-groups.ts'
import type { Listing, ListOptions } from './list-run.ts'

type Row = Record<string, unknown>

/** The objects that `list --json` tells, one a line: tags, with their tables and files where asked, then a summary. */
export function listObjects(listing: Listing, depth: ListOptions['depth'], exitCode: number): Row[] {
	const { groups, inDoubt, gathering, bad } = listing
	const heads = groups.flatMap((group) => group.heads)
	return [
		...groups.flatMap((group) => [tagObject(group, listing), ...(depth === 'tags' ? [] : snapshots(group, listing))]),
		...inDoubt.map((key) => ({ type: 'in doubt', ...key })),
		...gathering.map((key) => ({ type: 'gathering', ...key })),
		...bad.map((one) => ({ type: 'bad receipt', ...one })),
		{ type: 'summary', exitCode, tags: groups.length, ...sums(heads, listing) },
	]
}

function tagObject(group: TagGroup, listing: Listing): Row {
	const { keyspace, tag, takenAt, heads, lacking } = group
	const states = Object.fromEntries(
		(['whole', 'damaged', 'unproven'] as const).map((state) => [
			state,
			heads.filter((head) => head.state === state).length,
		]),
	)
	return { type: 'tag', keyspace, tag, takenAt, ...sums(heads, listing), states, lacking }
}

function snapshots({ heads }: TagGroup, listing: Listing): Row[] {
	return heads.flatMap((head) => {
		const { fileCount: files, byteCount: bytes, reusedByteCount: _, ...rest } = head
		const own = { type: 'snapshot', ...rest, files, bytes, storedBytes: listing.stored.get(head.id) }
		const { keyspace, table, tag } = head
		const inside = listing.files.get(head.id) ?? []
		return [own, ...inside.map((file) => ({ type: 'file', keyspace, table, tag, ...file }))]
	})
}

function sums(heads: SealedHead[], { stored }: Listing): Row {
	const sum = (of: (head: SealedHead) => number) => heads.reduce((total, head) => total + of(head), 0)
	return {
		snapshots: heads.length,
		files: sum(({ fileCount }) => fileCount),
		bytes: sum(({ byteCount }) => byteCount),
		storedBytes: sum(({ id }) => stored.get(id) ?? 0),
	}
}
