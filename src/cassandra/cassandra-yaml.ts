import { readFile } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { usageError } from '../errors.ts'

/** What snaphaven needs from a node's cassandra.yaml (org.apache.cassandra.config.Config). */
interface CassandraYaml {
	/** `data_file_directories`; undefined where the file leaves them to Cassandra's default. */
	dataDirectories: string[] | undefined
	/** `cluster_name`; undefined where the file has none. */
	clusterName: string | undefined
}

/**
 * Reads a cassandra.yaml. Throws a usage error where it can't be read or isn't one, or names a data directory that is
 * relative. `local_system_data_file_directory` is left alone: only Cassandra's own keyspaces live there.
 */
export async function readCassandraYaml(path: string): Promise<CassandraYaml> {
	const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
		const why =
			error.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${error.code ?? 'it is too large'})`
		throw usageError(`--cassandra-yaml ${path}: ${why}`)
	})
	return parseCassandraYaml(text, path)
}

/** The data directories of a cassandra.yaml; throws where it names none. */
export function requireDataDirectories(yaml: CassandraYaml, path: string): string[] {
	if (yaml.dataDirectories !== undefined) return yaml.dataDirectories
	throw usageError(
		`${path} has no data_file_directories, so Cassandra's default holds: $CASSANDRA_HOME/data/data, which depends on how Cassandra is started`,
		'Name that folder by --data-dir DIR',
	)
}

/** Cassandra reads the file by SnakeYAML into strings, and of a key that stands twice takes the last. */
async function parseCassandraYaml(text: string, path: string): Promise<CassandraYaml> {
	const { LineCounter, parseDocument } = await import('yaml')
	const lineCounter = new LineCounter()
	const document = parseDocument(text, { schema: 'failsafe', uniqueKeys: false, lineCounter, prettyErrors: false })
	const [error] = document.errors
	if (error) {
		const { line, col } = lineCounter.linePos(error.pos[0])
		throw usageError(`${path} is not YAML: line ${line}, column ${col}: ${error.message}`)
	}
	const content = plainContent(document, path)
	if (typeof content !== 'object' || content === null || Array.isArray(content)) {
		throw usageError(`${path} is no cassandra.yaml: expected settings (name: value), found ${kindOf(content)}`)
	}
	const settings = new Map(Object.entries(content))
	return {
		dataDirectories: dataDirectories(settings.get('data_file_directories'), path),
		clusterName: clusterName(settings.get('cluster_name'), path),
	}
}

/** Only here an alias without its anchor is found. */
function plainContent(document: { toJS(): unknown }, path: string): unknown {
	try {
		return document.toJS()
	} catch (error) {
		throw usageError(`${path} is not YAML: ${error instanceof Error ? error.message : String(error)}`)
	}
}

function dataDirectories(value: unknown, path: string): string[] | undefined {
	if (isNothing(value)) return undefined
	if (!Array.isArray(value) || !value.every((one) => typeof one === 'string' && one !== '')) {
		throw usageError(`${path}: data_file_directories should be a list of folders, but is ${kindOf(value)}`)
	}
	if (value.length === 0) return undefined
	const relative = value.find((one) => !isAbsolute(one))
	if (relative !== undefined) {
		throw usageError(
			`${path}: the data directory "${relative}" is relative to the folder that Cassandra is started in, which the file does not tell`,
			'Name the data directories by --data-dir DIR',
		)
	}
	return value
}

function clusterName(value: unknown, path: string): string | undefined {
	if (isNothing(value)) return undefined
	if (typeof value === 'string') return value
	throw usageError(`${path}: cluster_name should be a name, but is ${kindOf(value)}`)
}

/** The failsafe schema leaves `null` a word. */
function isNothing(value: unknown): boolean {
	return value === undefined || value === null || value === '' || value === '~' || value === 'null'
}

function kindOf(value: unknown): string {
	if (value === null || value === '') return 'nothing'
	if (Array.isArray(value)) return 'a list of other things'
	return typeof value === 'object' ? 'a set of settings' : `"${String(value).slice(0, 40)}"`
}
