import { type ExecFileException, execFile } from 'node:child_process'
import { failure, usageError } from '../errors.ts'

/** How a node's nodetool is reached. Passwords stay in a file: a command line can be read by everybody. */
export interface Nodetool {
	/** The program, as a path or to be found on PATH. */
	program: string
	host?: string
	port?: string
	user?: string
	passwordFile?: string
}

/** Takes a snapshot of keyspaces. Returns what nodetool printed; throws as `runNodetool` does. */
export function takeSnapshot(
	nodetool: Nodetool,
	{ tag, ttl, keyspaces }: { tag: string; ttl: string | undefined; keyspaces: string[] },
	signal: AbortSignal,
): Promise<string> {
	const lifetime = ttl === undefined ? [] : ['--ttl', ttl]
	return runNodetool(nodetool, ['snapshot', '-t', tag, ...lifetime, '--', ...keyspaces], signal)
}

/** Clears a tag of keyspaces; one that is not there is no error. Otherwise as takeSnapshot. */
export function clearSnapshot(
	nodetool: Nodetool,
	{ tag, keyspaces }: { tag: string; keyspaces: string[] },
	signal: AbortSignal,
): Promise<string> {
	return runNodetool(nodetool, ['clearsnapshot', '-t', tag, '--', ...keyspaces], signal)
}

/** The tables that the node has, by keyspace, in the words of `nodetool tablestats`. Otherwise as takeSnapshot. */
export async function tablesOf(nodetool: Nodetool, signal: AbortSignal): Promise<Map<string, Set<string>>> {
	const output = await runNodetool(nodetool, ['tablestats', '-F', 'json'], signal)
	try {
		const stats: Record<string, { tables?: object }> = JSON.parse(output.slice(output.indexOf('{')))
		return new Map(Object.entries(stats).map(([keyspace, { tables = {} }]) => [keyspace, new Set(Object.keys(tables))]))
	} catch (error) {
		throw failure('what nodetool tablestats -F json printed can’t be understood', output.slice(0, 1000), error)
	}
}

/**
 * Has the node move the SSTables of a folder, which has to end in keyspace and table, into a table. Its exit code proves
 * nothing. Otherwise as takeSnapshot.
 */
export function importSSTables(
	nodetool: Nodetool,
	{ keyspace, table, folder }: { keyspace: string; table: string; folder: string },
	signal: AbortSignal,
): Promise<string> {
	return runNodetool(nodetool, ['import', '--', keyspace, table, folder], signal)
}

/** Has the node load what was put into a table's live folder (Cassandra before 4.0). Otherwise as takeSnapshot. */
export function refreshTable(
	nodetool: Nodetool,
	{ keyspace, table }: { keyspace: string; table: string },
	signal: AbortSignal,
): Promise<string> {
	return runNodetool(nodetool, ['refresh', '--', keyspace, table], signal)
}

/** What the node says of itself and its tokens, in the words of `nodetool info -T`. Otherwise as takeSnapshot. */
export function nodeInfo(nodetool: Nodetool, signal: AbortSignal): Promise<string> {
	return runNodetool(nodetool, ['info', '-T'], signal)
}

/** Its release, in the words of `nodetool version`. Otherwise as takeSnapshot. */
export function nodeVersion(nodetool: Nodetool, signal: AbortSignal): Promise<string> {
	return runNodetool(nodetool, ['version'], signal)
}

/** Its cluster's name, in the words of `nodetool describecluster`. Otherwise as takeSnapshot. */
export function describeCluster(nodetool: Nodetool, signal: AbortSignal): Promise<string> {
	return runNodetool(nodetool, ['describecluster'], signal)
}

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024

/**
 * Runs nodetool to its end. Returns what it printed, on both streams. Throws a failure with that where it fails, wrong
 * usage where there is no such program, an AbortError where the signal ended it.
 */
function runNodetool(nodetool: Nodetool, command: string[], signal: AbortSignal): Promise<string> {
	const { program } = nodetool
	return new Promise((resolve, reject) => {
		const args = [...connection(nodetool), ...command]
		execFile(program, args, { signal, maxBuffer: OUTPUT_BYTES_MAX }, (error, stdout, stderr) => {
			const output = [stdout, stderr].map((text) => text.trim()).filter((text) => text !== '')
			if (!error) resolve(output.join('\n'))
			else if (error.name === 'AbortError') reject(error)
			else reject(explain(error, program, command, output.join('\n')))
		})
	})
}

function connection({ host, port, user, passwordFile }: Nodetool): string[] {
	const flags = { '-h': host, '-p': port, '-u': user, '-pwf': passwordFile }
	return Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))
}

function explain(error: ExecFileException, program: string, command: string[], output: string): Error {
	if (error.code === 'ENOENT') {
		return usageError(`there is no program ${program}`, 'Give the path of Cassandra’s nodetool by --nodetool PATH')
	}
	if (error.code === 'EACCES') {
		return usageError(`${program} may not be run by this user`, 'Give Cassandra’s nodetool by --nodetool PATH')
	}
	const how = error.signal ? `was ended by ${error.signal}` : `ended with ${error.code}`
	return failure(`${[program, ...command].join(' ')} ${how}`, output === '' ? 'It printed nothing.' : output)
}
