import type { Contents, Known, Recording } from './recording.ts'

/** Where a live file of a made-up node stands, or where it was set aside: its data directory, its table and its name. */
const LIVE = /^(data\d*)\/([^/]+\/[^/]+)\/([^/]+)$/
const ASIDE = /^(data\d*)\/(\.snaphaven-replaced-[^/]+\/[^/]+\/[^/]+)\/([^/]+)$/

/**
 * Judges the data directories of a node into whose live folders a restore puts: what was live is whole where it was, or
 * whole where it was set aside; and wherever a Data.db stands in a live folder its SSTable is one of before or of after,
 * whole, since a node that starts takes it for one. What lacks Data.db such a node removes.
 */
export function nodeJudge(
	{ before, after }: Recording,
	{ told }: Known,
): { cut: (now: Contents) => string[]; finished: (now: Contents) => string[] } {
	const [old, sealed] = [sstablesIn(before, LIVE), sstablesIn(after, LIVE)]
	const cut = (now: Contents) => {
		const [live, aside] = [sstablesIn(now, LIVE), sstablesIn(now, ASIDE)]
		const isWhole = (name: string, files: Map<string, number>) =>
			isSame(live.get(name), files) || [...aside].some(([at, one]) => at.endsWith(`/${name}`) && isSame(one, files))
		return [
			...[...old].filter((one) => !isWhole(...one)).map(([name]) => `${name} was live, and is whole nowhere`),
			...[...live]
				.filter(([name, files]) => files.has('Data.db') && ![old, sealed].some((one) => isSame(one.get(name), files)))
				.map(([name]) => `${name} has a Data.db, and is not whole`),
			...(told.size > 0 ? otherThan(sealed, live, 'the table was told to be restored') : []),
		]
	}
	return {
		cut,
		finished: (now) => [
			...cut(now),
			...otherThan(sealed, sstablesIn(now, LIVE), 'at the end'),
			...Object.keys(now.files)
				.filter((path) => path.includes('.snaphaven-restore/'))
				.map((path) => `${path} was left behind`),
		],
	}
}

/**
 * Each SSTable in such places: the CRC-32 of its files by their components. In which data directory it is decides the
 * free space; what is in a second one besides counts as a component more.
 */
function sstablesIn({ files }: Contents, place: RegExp): Map<string, Map<string, number>> {
	const found = new Map<string, { directory: string; files: Map<string, number> }>()
	for (const [path, crc] of Object.entries(files)) {
		const [, directory, table, name = ''] = place.exec(path) ?? []
		if (directory === undefined) continue
		const sstable = `${table}/${name.slice(0, name.lastIndexOf('-'))}`
		const known = found.get(sstable) ?? { directory, files: new Map() }
		const component = name.slice(name.lastIndexOf('-') + 1)
		known.files.set(known.directory === directory ? component : `${directory}/${component}`, crc)
		found.set(sstable, known)
	}
	return new Map(Array.from(found, ([sstable, one]) => [sstable, one.files]))
}

function isSame(one: Map<string, number> | undefined, other: Map<string, number> | undefined): boolean {
	return one?.size === other?.size && [...(one ?? [])].every(([component, crc]) => other?.get(component) === crc)
}

function otherThan(
	expected: Map<string, Map<string, number>>,
	found: Map<string, Map<string, number>>,
	when: string,
): string[] {
	return [...new Set([...expected.keys(), ...found.keys()])]
		.filter((name) => !isSame(expected.get(name), found.get(name)))
		.map((name) => `${when}, ${name} is not as an undisturbed run leaves it`)
}
