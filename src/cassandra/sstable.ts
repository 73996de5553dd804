/** A file of an SSTable, by its name (Cassandra's org.apache.cassandra.io.sstable.Descriptor and Component). */
interface ComponentName {
	/** What the names of all the SSTable's components begin with, the last dash included: `nb-7-big-`. */
	prefix: string
	/** `nb`, `oa`, `da` …: the version of the format. */
	version: string
	format: 'big' | 'bti'
	/** `Data.db`, `SAI+aa+orders_total+Meta.db` … */
	component: string
}

const SINCE_2_2 = /^([a-z]{2})-([0-9a-z_]+)-(big|bti)-([^/]+)$/
const BEFORE_2_2 = /^[A-Za-z0-9_]+-[A-Za-z0-9_]+-(?:tmp(?:link)?-)?([a-k][a-z])-([0-9]+)-([^/]+)$/

/** What names were taken apart lately: each is asked for several times while its snapshot is mirrored. */
const parsed = new Map<string, ComponentName | undefined>()
const PARSED_MAX = 10_000

/** Takes the name of a component apart; undefined where the file is none. Folders before the name are looked past. */
export function parseComponent(path: string): Readonly<ComponentName> | undefined {
	const known = parsed.get(path)
	if (known !== undefined || parsed.has(path)) return known
	if (parsed.size >= PARSED_MAX) parsed.clear()
	const name = takeApart(path)
	parsed.set(path, name)
	return name
}

function takeApart(path: string): ComponentName | undefined {
	const name = path.slice(path.lastIndexOf('/') + 1)
	const match = SINCE_2_2.exec(name)
	if (match) {
		const [, version = '', , format, component = ''] = match
		return {
			prefix: path.slice(0, path.length - component.length),
			version,
			format: format as 'big' | 'bti',
			component,
		}
	}
	const old = BEFORE_2_2.exec(name)
	if (!old) return undefined
	const [, version = '', , component = ''] = old
	return { prefix: path.slice(0, path.length - component.length), version, format: 'big', component }
}

/** The components without which an SSTable does not load, whether compressed or not. */
export function neededComponents(format: 'big' | 'bti'): string[] {
	return format === 'bti'
		? ['Data.db', 'Statistics.db', 'Partitions.db', 'Rows.db']
		: ['Data.db', 'Statistics.db', 'Index.db']
}

/** Components that Cassandra may write anew, or into, after the SSTable was finished. */
const CHANGED_LATER = new Set(['TOC.txt', 'Filter.db', 'Summary.db', 'Statistics.db'])
/** Of these, the ones that it writes into, so that all hard links to the file show the new bytes. */
const CHANGED_IN_PLACE = new Set(['TOC.txt', 'Filter.db'])

/** Whether Cassandra may change this file after it was finished: never to be hard-linked between node and haven. */
export function mayBeRewritten(path: string): boolean {
	const component = parseComponent(path)?.component
	return component !== undefined && CHANGED_LATER.has(component)
}

/** Whether Cassandra may write into this very file (inode), so that its size and mtime prove nothing. */
export function mayChangeInPlace(path: string): boolean {
	const component = parseComponent(path)?.component
	return component !== undefined && CHANGED_IN_PLACE.has(component)
}

/** Whether Cassandra never writes into this file once it was finished: another one of its name is another inode. */
export function isWrittenOnce(path: string): boolean {
	const component = parseComponent(path)?.component
	return component !== undefined && !CHANGED_IN_PLACE.has(component)
}
