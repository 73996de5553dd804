import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nodeBinary } from '../../support/cli.ts'

/** How a stand-in imports: as Cassandra does; nothing, without a word; a part; to a place that is no table's; or into nothing; or as 3.11 does. */
export type Behaviour = 'good' | 'nothing' | 'part' | 'elsewhere' | 'fails' | 'old'

/** Makes a stand-in for nodetool, in a folder: no Cassandra is behind it, but what it moves are real files. */
export function makeNodetool(folder: string, dataDirectories: string[], behaviour: Behaviour): string {
	const program = join(folder, 'nodetool')
	writeFileSync(`${program}.json`, JSON.stringify({ dataDirectories, behaviour }))
	writeFileSync(program, `#!/bin/sh\nexec ${nodeBinary} ${import.meta.filename} ${program}.json "$@"\n`)
	chmodSync(program, 0o755)
	return program
}

interface Node {
	dataDirectories: string[]
	behaviour: Behaviour
}

function act(file: string, args: string[]): number {
	const node = JSON.parse(readFileSync(file, 'utf8')) as Node
	if (args.includes('tablestats')) return tellTables(node)
	if (args.includes('version'))
		process.stdout.write(`ReleaseVersion: ${node.behaviour === 'old' ? '3.11.19' : '5.0.8'}\n`)
	if (node.behaviour === 'old' && args.includes('refresh')) return refresh(node, args)
	if (!args.includes('import')) return 0
	const [keyspace = '', table = '', folder = ''] = args.slice(args.indexOf('--') + 1)
	if (node.behaviour === 'fails') {
		process.stderr.write('error: out of luck\n')
		return 1
	}
	const [live = ''] = foldersOf(node, keyspace).filter((path) => path.split('/').at(-1)?.startsWith(`${table}-`))
	const to = node.behaviour === 'elsewhere' ? join(folder, '../../../..') : live
	if (node.behaviour === 'elsewhere') mkdirSync(to, { recursive: true })
	const ids = [...new Set(readdirSync(folder).flatMap((name) => name.split('-')[1] ?? []))]
	const taken = node.behaviour === 'nothing' ? [] : node.behaviour === 'part' ? ids.slice(1) : ids
	for (const name of readdirSync(folder)) {
		const [version, id = '', ...rest] = name.split('-')
		if (taken.includes(id)) renameSync(join(folder, name), join(to, [version, `new${id}`, ...rest].join('-')))
	}
	return 0
}

/** Gives what has a number of a million or more its own, and fails where there is half an SSTable. */
function refresh(node: Node, args: string[]): number {
	const [keyspace = '', table = ''] = args.slice(args.indexOf('--') + 1)
	const folders = foldersOf(node, keyspace).filter((path) => path.split('/').at(-1)?.startsWith(`${table}-`))
	for (const folder of folders) {
		const names = readdirSync(folder).filter((name) => /^[a-z]+-\d{7}-/.test(name))
		for (const id of new Set(names.map((name) => name.split('-')[1]))) {
			const own = names.filter((name) => name.split('-')[1] === id)
			if (!own.some((name) => name.endsWith('-Data.db'))) return 2
			const other = randomUUID().replaceAll('-', '')
			for (const name of own) renameSync(join(folder, name), join(folder, name.replace(`-${id}-`, `-${other}-`)))
		}
	}
	return 0
}

function tellTables(node: Node): number {
	const keyspaces = node.dataDirectories.flatMap((directory) => readdirSync(directory))
	const stats = [...new Set(keyspaces)].map((keyspace) => {
		const tables = foldersOf(node, keyspace).map((path) => [path.split('/').at(-1)?.split('-')[0], {}])
		return [keyspace, { tables: Object.fromEntries(tables) }]
	})
	process.stdout.write(
		`a warning of Java’s\n${JSON.stringify({ total_number_of_tables: 1, ...Object.fromEntries(stats) })}\n`,
	)
	return 0
}

function foldersOf({ dataDirectories }: Node, keyspace: string): string[] {
	return dataDirectories
		.map((directory) => join(directory, keyspace))
		.filter((folder) => existsSync(folder))
		.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
}

const [, program, file = '', ...args] = process.argv
if (program === import.meta.filename) process.exitCode = act(file, args)
