import type { Installation, Java } from './install.ts'

/** Packages that Cassandra reaches into, as its own conf/jvm11-server.options and conf/jvm17-server.options name them. */
const exportsOf = {
	8: [],
	11: [
		'java.base/jdk.internal.misc',
		'java.base/jdk.internal.ref',
		'java.base/jdk.internal.util',
		'java.base/sun.nio.ch',
		'java.management.rmi/com.sun.jmx.remote.internal.rmi',
		'java.rmi/sun.rmi.registry',
		'java.rmi/sun.rmi.server',
		'java.sql/java.sql',
	],
	17: [
		'java.base/java.lang.ref',
		'java.base/jdk.internal.misc',
		'java.management.rmi/com.sun.jmx.remote.internal.rmi',
		'java.rmi/sun.rmi.registry',
		'java.rmi/sun.rmi.server',
		'java.sql/java.sql',
		'jdk.attach/sun.tools.attach',
		'jdk.compiler/com.sun.tools.javac.file',
		'jdk.unsupported/sun.misc',
	],
}
const opensOf = {
	8: [],
	11: [
		'java.base/jdk.internal.loader',
		'java.base/jdk.internal.math',
		'java.base/jdk.internal.module',
		'java.base/jdk.internal.ref',
		'java.base/jdk.internal.reflect',
		'java.base/jdk.internal.util.jar',
		'java.base/java.lang.module',
		'jdk.management/com.sun.management.internal',
	],
	17: [
		'java.base/java.io',
		'java.base/java.lang',
		'java.base/java.lang.module',
		'java.base/java.lang.reflect',
		'java.base/java.util',
		'java.base/jdk.internal.loader',
		'java.base/jdk.internal.math',
		'java.base/jdk.internal.module',
		'java.base/jdk.internal.ref',
		'java.base/jdk.internal.reflect',
		'java.base/jdk.internal.util.jar',
		'java.base/sun.nio.ch',
		'jdk.compiler/com.sun.tools.javac',
		'jdk.management/com.sun.management.internal',
	],
}

/** Options of a small server, or tool, that lives for a minute: a quick start counts for more than a fast end. */
const quickStart = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']

/** The command line of a server whose files are all below a folder, by the settings in its `conf/`. */
export function serverOptions(installation: Installation, root: string, jmxPort: number): string[] {
	return [
		...accessOptions(installation.java, installation.jamm),
		...quickStart,
		...places(root),
		'-Xms512M',
		'-Xmx1200M',
		`-Djava.io.tmpdir=${root}`,
		`-Dcassandra.logdir=${root}`,
		`-Dcassandra.jmx.local.port=${jmxPort}`,
		// Else it closes its output once it is up, and its log with it.
		'-Dcassandra-foreground=yes',
		'-Dcassandra.ring_delay_ms=1000',
		'-Dcassandra.skip_wait_for_gossip_to_settle=0',
		'-Dcassandra.superuser_setup_delay_ms=0',
		'-cp',
		installation.classPath,
		'org.apache.cassandra.service.CassandraDaemon',
	]
}

/** The options of nodetool, or of a tool that reads that server's disk; the class and its arguments go after them. */
export function toolOptions(installation: Installation, java: Java, root: string): string[] {
	return [
		...accessOptions(java, installation.jamm),
		...quickStart,
		...places(root),
		'-Xmx256M',
		// Else Java takes `rmi://[127.0.0.1]:port`, as nodetool up to 4.1 writes it, for a wrong address.
		'-Dcom.sun.jndi.rmiURLParsing=legacy',
		'-cp',
		installation.classPath,
	]
}

function places(root: string): string[] {
	return [
		`-Duser.home=${root}`,
		`-Dcassandra.config=file://${root}/conf/cassandra.yaml`,
		`-Dcassandra.storagedir=${root}`,
		`-Dlogback.configurationFile=${root}/conf/logback.xml`,
	]
}

/** What lets Cassandra's classes, the server's and the tools', run on this Java. */
function accessOptions({ major }: Java, jamm: string): string[] {
	return [
		`-javaagent:${jamm}`,
		'-Djdk.attach.allowAttachSelf=true',
		'-Dio.netty.tryReflectionSetAccessible=true',
		...exportsOf[major].flatMap((name) => ['--add-exports', `${name}=ALL-UNNAMED`]),
		...opensOf[major].flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]),
	]
}
