import { type Stored, sumsOf } from '../mirror/stored-bytes.ts'
import type { TagGroup } from '../mirror/tag-groups.ts'
import type { Listing, ListOptions } from './list-run.ts'

type Row = Record<string, unknown>

/** The objects that `list --json` tells, one a line: tags, with their tables and files where asked, then a summary. */
export function listObjects(listing: Listing, depth: ListOptions['depth'], exitCode: number): Row[] {
	const { groups, stored, inDoubt, gathering, bad } = listing
	const heads = groups.flatMap((group) => group.heads)
	return [
		...groups.flatMap((group) => [tagObject(group, stored), ...(depth === 'tags' ? [] : snapshots(group, listing))]),
		...inDoubt.map((key) => ({ type: 'in doubt', ...key })),
		...gathering.map((key) => ({ type: 'gathering', ...key })),
		...bad.map((one) => ({ type: 'bad receipt', ...one })),
		{ type: 'summary', exitCode, tags: groups.length, snapshots: heads.length, ...sumsOf(heads, stored) },
	]
}

function tagObject(group: TagGroup, stored: Stored): Row {
	const { keyspace, tag, takenAt, heads, lacking } = group
	const states = Object.fromEntries(
		(['whole', 'damaged', 'unproven'] as const).map((state) => [
			state,
			heads.filter((head) => head.state === state).length,
		]),
	)
	return { type: 'tag', keyspace, tag, takenAt, snapshots: heads.length, ...sumsOf(heads, stored), states, lacking }
}

function snapshots({ heads }: TagGroup, listing: Listing): Row[] {
	return heads.flatMap((head) => {
		const { fileCount: files, byteCount: bytes, reusedByteCount: _, reusedFrom: __, ...rest } = head
		const own = { type: 'snapshot', ...rest, files, bytes, storedBytes: listing.stored.get(head.id) ?? bytes }
		const { keyspace, table, tag } = head
		const inside = listing.files.get(head.id) ?? []
		return [own, ...inside.map((file) => ({ type: 'file', keyspace, table, tag, ...file }))]
	})
}
