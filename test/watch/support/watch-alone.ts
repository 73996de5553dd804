import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { glanceAtTables } from '../../../src/cassandra/glance.ts'
import { runSync } from '../../../src/files/io.ts'
import { startWatch } from '../../../src/watch/watch.ts'

// A watch in a process of its own: what it tells goes to stdout, a JSON value a line; it is closed when stdin ends.
// Arguments: a data directory, and what to write into which /proc/sys/user/max_inotify_*.
const [dataDirectory = '', ...limits] = process.argv.slice(2)
for (const limit of limits) {
	const [name = '', value = ''] = limit.split('=')
	writeFileSync(`/proc/sys/user/max_inotify_${name}`, value)
}

const tell = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)

const watch = startWatch({
	dataDirectories: [dataDirectory],
	keyspaces: ['ks'],
	matchesTable: () => true,
	sweepMs: 100,
	checkMs: 1000,
	glance: async () => runSync(glanceAtTables([dataDirectory], ['ks'])),
	onLook: ({ table }) => tell({ look: table }),
	onSweep: () => tell({ sweep: true, children: children() }),
	warn: (warning) => tell({ warning }),
})
process.stdin.resume().on('end', async () => {
	await watch.close()
	tell({ closed: true, children: children() })
})

function children(): string[] {
	const tasks = readdirSync('/proc/self/task')
	return tasks.flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').match(/\d+/g) ?? [])
}
