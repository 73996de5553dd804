import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { nodeBinary } from '../../support/cli.ts'
import { connect } from './cql.ts'
import type { CassandraNode } from './node.ts'

/** Makes the program `nodetool` of a node in a folder; where the node is must be said by --host and --port. */
export async function makeNodetool(folder: string, node: CassandraNode): Promise<string> {
	const words = node.nodetoolCommand.map((word) => `'${word}'`).join(' ')
	return await makeProgram(join(folder, 'nodetool'), words)
}

/** Makes a program that runs a file of statements (`-f FILE`) on a node, as cqlsh does. */
export async function makeCqlsh(folder: string, port: number): Promise<string> {
	return await makeProgram(join(folder, 'cqlsh'), `${nodeBinary} ${import.meta.filename} ${port}`)
}

async function makeProgram(path: string, words: string): Promise<string> {
	await writeFile(path, `#!/bin/sh\nexec ${words} "$@"\n`)
	await chmod(path, 0o755)
	return path
}

async function runStatements(port: number, file: string): Promise<void> {
	const { readFile } = await import('node:fs/promises')
	const cql = await connect(port)
	try {
		const statements = (await readFile(file, 'utf8')).split(';').map((statement) => statement.trim())
		for (const statement of statements.filter((one) => one !== '')) await cql(statement)
	} finally {
		await cql.close()
	}
}

const [, program, port, , file] = process.argv
if (program === import.meta.filename) {
	await runStatements(Number(port), file ?? '').catch((error: Error) => {
		process.stderr.write(`${error.message}\n`)
		process.exitCode = 2
	})
}
