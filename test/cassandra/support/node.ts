import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import { failure } from '../../../src/errors.ts'
import { cassandraYaml, dataDirectoriesOf, type NodeSettings, type Ports } from './cassandra-yaml.ts'
import { type Cql, connect } from './cql.ts'
import { type Installation, installCassandra } from './install.ts'
import { serverOptions, toolOptions } from './jvm-options.ts'
import { type Nodetools, startNodetools } from './nodetools.ts'
import { freePorts } from './ports.ts'

const readyMsMax = 120_000
const logLinesShown = 30

/** A running Cassandra on loopback, all that it writes below one folder. */
export interface CassandraNode {
	settings: NodeSettings
	/** The folder with all of it: `data`, `data2`, `commitlog`, `conf`, `system.log`. */
	root: string
	/** Absolute paths of its data directories. */
	dataDirectories: string[]
	/** Runs a statement of CQL. */
	cql: Cql
	/** Runs nodetool; hands back what it printed. Throws, with that, when it fails. */
	nodetool: (...args: string[]) => Promise<string>
	/** The words of a command that is nodetool, with nothing said of where the node is. */
	nodetoolCommand: string[]
	/** Where it listens for CQL on 127.0.0.1. */
	cqlPort: number
	/** Where nodetool finds it on 127.0.0.1. */
	jmxPort: number
	/** Where other nodes, and sstableloader, find it on 127.0.0.1. */
	storagePort: number
	/** Runs one of Cassandra's tools that read the disk, such as `StandaloneSSTableUtil`, by its class's name. */
	tool: (name: string, ...args: string[]) => Promise<string>
	/** Stops it; its folder stays. */
	stop: () => Promise<void>
	/** Kills it, as a power cut would but for what the kernel holds; its folder stays, and can be started from again. */
	kill: () => Promise<void>
}

/**
 * Starts a Cassandra in a folder that is made if missing, and waits until it answers. One that ends or is not ready in
 * time is started once more, at other ports, after its log's end was printed. Throws with the log's end if that does not
 * answer either.
 */
export async function startNode(root: string, settings: NodeSettings): Promise<CassandraNode> {
	try {
		return await startOnce(root, settings)
	} catch (error) {
		console.error(`${root}: started once more: ${String(error)}`)
		return startOnce(root, settings)
	}
}

async function startOnce(root: string, settings: NodeSettings): Promise<CassandraNode> {
	const installation = await installCassandra(settings.version)
	const [cql = 0, storage = 0, sslStorage = 0, jmx = 0] = await freePorts(4)
	const ports: Ports = { cql, storage, sslStorage, jmx }
	await mkdir(join(root, 'conf'), { recursive: true })
	await writeFile(join(root, 'conf/cassandra.yaml'), cassandraYaml(root, ports, settings))
	await writeFile(join(root, 'conf/logback.xml'), logback)
	const log = join(root, 'system.log')
	await writeFile(log, '')
	const daemon = execa(installation.java.program, serverOptions(installation, root, jmx), {
		cwd: root,
		stdin: 'ignore',
		stdout: { file: log, append: true },
		stderr: { file: log, append: true },
		reject: false,
		forceKillAfterDelay: 20_000,
	})
	const stopDaemon = async () => {
		daemon.kill('SIGTERM')
		await daemon
	}
	let session: Cql | undefined
	try {
		session = await ready(log, ports.cql, () => daemon.exitCode !== null || daemon.signalCode !== null)
	} catch (error) {
		await stopDaemon()
		throw error
	}
	let nodetools: Nodetools | undefined
	const startTools = () => startNodetools(toolJava(installation, root, 'NodeTool'), root)
	return {
		settings,
		root,
		dataDirectories: dataDirectoriesOf(root, settings.dataDirectories),
		cql: session,
		nodetool: (...args) => {
			const words = ['-h', '127.0.0.1', '-p', String(jmx), ...args]
			// Its nodetool has no method that could be called.
			if (settings.version === '3.11.19') return runTool(installation, root, 'NodeTool', words)
			nodetools ??= startTools()
			return nodetools.run(words)
		},
		nodetoolCommand: toolCommand(installation, root, 'NodeTool'),
		cqlPort: ports.cql,
		jmxPort: jmx,
		storagePort: ports.storage,
		tool: (name, ...args) => runTool(installation, root, name, args),
		stop: async () => {
			await Promise.all([session.close(), nodetools?.stop()])
			await stopDaemon()
		},
		kill: async () => {
			daemon.kill('SIGKILL')
			await Promise.all([daemon, session.close(), nodetools?.stop()])
		},
	}
}

const logback = `<configuration>
	<appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
		<encoder><pattern>%-5level [%thread] %date{ISO8601} %F:%L - %msg%n</pattern></encoder>
	</appender>
	<root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
`

async function runTool(installation: Installation, root: string, name: string, args: string[]): Promise<string> {
	const [program = '', ...words] = toolCommand(installation, root, name)
	const result = await execa(program, [...words, ...args], { cwd: root, reject: false, timeout: 120_000 })
	if (result.exitCode === 0) return result.stdout
	throw failure(`${name} ${args.join(' ')} ended with ${result.exitCode}:\n${result.stdout}\n${result.stderr}`)
}

function toolCommand(installation: Installation, root: string, name: string): string[] {
	return [...toolJava(installation, root, name), `org.apache.cassandra.tools.${name}`]
}

function toolJava(installation: Installation, root: string, name: string): string[] {
	const java = name === 'NodeTool' ? installation.nodetoolJava : installation.java
	return [java.program, ...toolOptions(installation, java, root)]
}

/** Waits until it answers; its log speaks of listening a moment before the port is open. */
async function ready(log: string, port: number, ended: () => boolean): Promise<Cql> {
	const deadline = Date.now() + readyMsMax
	let refused: unknown
	while (Date.now() < deadline) {
		const over = ended()
		const text = await readFile(log, 'utf8')
		if (over) throw failure(`Cassandra ended before it was ready; the end of ${log}:\n${lastLines(text)}`)
		if (text.includes('Starting listening for CQL clients')) {
			try {
				return await connect(port)
			} catch (error) {
				refused = error
			}
		}
		await sleep(250)
	}
	const text = await readFile(log, 'utf8')
	throw failure(
		`Cassandra was not ready after ${readyMsMax / 1000} s (${String(refused)}); the end of ${log}:\n${lastLines(text)}`,
	)
}

function lastLines(text: string): string {
	return text.split('\n').slice(-logLinesShown).join('\n')
}
