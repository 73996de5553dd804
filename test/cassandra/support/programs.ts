import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { splitCql } from '../../../src/cassandra/split-cql.ts'
import { nodeBinary } from '../../support/cli.ts'
import { connect } from './cql.ts'
import type { CassandraNode } from './node.ts'

/** Makes the program `nodetool` of a node in a folder; where the node is must be said by --host and --port. */
export async function makeNodetool(folder: string, node: CassandraNode): Promise<string> {
	const words = node.nodetoolCommand.map((word) => `'${word}'`).join(' ')
	return await makeProgram(join(folder, 'nodetool'), words)
}

/** Makes a program that runs a file of statements (`-f FILE`), or tells a node's schema (`-e DESCRIBE …`), as cqlsh does. */
export async function makeCqlsh(folder: string, port: number): Promise<string> {
	return await makeProgram(join(folder, 'cqlsh'), `${nodeBinary} ${import.meta.filename} ${port}`)
}

async function makeProgram(path: string, words: string): Promise<string> {
	await writeFile(path, `#!/bin/sh\nexec ${words} "$@"\n`)
	await chmod(path, 0o755)
	return path
}

async function act(port: number, flag: string, what: string): Promise<void> {
	const { readFile } = await import('node:fs/promises')
	const cql = await connect(port)
	try {
		if (flag === '-e') {
			const rows = await cql(what)
			const parts = rows.map((row) => `${row['create_statement']}\n`)
			process.stdout.write(`WARNING: cqlsh wasn't built for this server.\n\n${parts.join('\n')}`)
			return
		}
		for (const statement of splitCql(await readFile(what, 'utf8'))) await cql(statement.replace(/;$/, ''))
	} finally {
		await cql.close()
	}
}

const [, program, port, flag = '', what = ''] = process.argv
if (program === import.meta.filename) {
	await act(Number(port), flag, what).catch((error: Error) => {
		process.stderr.write(`${error.message}\n`)
		process.exitCode = 2
	})
}
