import type { Line } from '../report/messages.ts'
import { printable } from '../report/printable.ts'
import { folderOf, type TablePlace } from '../restore/places.ts'

/** The commands that load a restored table. */
export interface NextCommands {
	/** Makes the table; undefined where it is restored as another one, and of a live set, which has no schema.cql. */
	schema?: string
	/** Into a running node whose tokens it holds. */
	import: string
	/** Into any cluster. */
	sstableloader: string
}

/** The exact commands for one table. */
export function nextCommands(place: TablePlace, hasSchema: boolean): NextCommands {
	const folder = shellWord(folderOf(place))
	return {
		...(hasSchema ? { schema: `cqlsh -f ${shellWord(`${folderOf(place)}/schema.cql`)}` } : {}),
		import: `nodetool import --copy-data ${place.keyspace} ${place.name} ${folder}`,
		sstableloader: `sstableloader -d NODE ${folder}`,
	}
}

const OTHER_SCHEMA = 'make the other table, with the columns that schema.cql in its folder has'
const LIVE_SCHEMA = 'where a table is not there any more, make it: live sets have no schema.cql, and snapshots have'

/** What to do with restored tables, for people. */
export function nextLines(
	places: TablePlace[],
	{ link, isOther, isLive }: { link: boolean; isOther: boolean; isLive: boolean },
): Line[] {
	if (places.length === 0) return []
	if (link) {
		return [
			heading(
				'these folders share the haven’s files, for a look inside. Never give them to nodetool import or to a node: that would change the haven. Remove them when you have looked.',
			),
		]
	}
	const commands = places.map((place) => nextCommands(place, !isOther && !isLive))
	return [
		heading(
			isLive
				? LIVE_SCHEMA
				: isOther
					? OTHER_SCHEMA
					: 'where a table is not there any more, make its keyspace by CREATE KEYSPACE and then the table:',
		),
		...commands.flatMap(({ schema }) => (schema === undefined ? [] : [continuation(schema)])),
		heading('load each into the running node, whose user must be able to read it, and then look at the rows:'),
		...commands.map((each) => continuation(each.import)),
		heading('or, into a cluster of other nodes or tokens:'),
		...commands.map(({ sstableloader }) => continuation(sstableloader)),
	]
}

/** What to do after a restore into live folders. */
export const startLine = heading(
	'start Cassandra, which loads them, and look at the rows; then nodetool repair, where there are replicas',
)

function heading(text: string): Line {
	return { to: 'stdout', importance: 'result', label: 'next:', kind: 'plain', text: printable(text) }
}

function continuation(text: string): Line {
	return { to: 'stdout', importance: 'result', label: '', kind: 'plain', text: printable(text) }
}

/** A word as a POSIX shell takes it. */
function shellWord(text: string): string {
	return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
