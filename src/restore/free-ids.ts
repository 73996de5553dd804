import { parseComponent } from '../cassandra/sstable.ts'

/** The id of an SSTable by the name of one of its files: `7`, `3gyn_0m4c_0ww9c2o4cfkw8gtnk5`; undefined for other files. */
export function idOf(path: string): string | undefined {
	const parts = parseComponent(path)?.prefix.split('/').at(-1)?.split('-')
	return parts?.length === 4 ? parts[1] : undefined
}

/**
 * The names under which SSTables are put into a folder where these ids are taken: their own, or with the next free number,
 * the same in all components. Undefined where an id is taken that is no number.
 * @param names Files of whole SSTables, without folders.
 */
export function freeNames(names: string[], taken: ReadonlySet<string>): Map<string, string> | undefined {
	const ids = [...new Set(names.flatMap((name) => idOf(name) ?? []))]
	const numbers = [...taken, ...ids].filter((id) => /^\d+$/.test(id)).map(Number)
	let next = Math.max(0, ...numbers)
	const renamed = new Map<string, string>()
	for (const id of ids.filter((one) => taken.has(one))) {
		if (!/^\d+$/.test(id)) return undefined
		renamed.set(id, String(++next))
	}
	return new Map(names.map((name) => [name, withId(name, renamed)]))
}

function withId(name: string, renamed: Map<string, string>): string {
	const id = idOf(name)
	const other = id === undefined ? undefined : renamed.get(id)
	return other === undefined ? name : name.replace(`-${id}-`, `-${other}-`)
}
