import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { usageError } from '../errors.ts'

/** What the placeholders of a haven's path stand for; each throws where it cannot be told on this node. */
type Placeholders = Record<string, () => string | Promise<string>>

/**
 * The absolute path of the haven, its placeholders (`{host}` and kin) filled in. Throws for one that is unknown or cannot
 * be told, and for a value that is not the name of a single folder.
 * @param base What a relative path is relative to.
 */
export async function resolveHavenPath(template: string, placeholders: Placeholders, base: string): Promise<string> {
	const values = new Map<string, string>()
	for (const [written, name] of template.matchAll(/\{([^{}/]*)\}/g)) {
		if (!values.has(written)) values.set(written, await fillIn(written, name ?? '', template, placeholders))
	}
	return resolve(
		base,
		template.replaceAll(/\{[^{}/]*\}/g, (written) => values.get(written) ?? written),
	)
}

async function fillIn(written: string, name: string, template: string, placeholders: Placeholders): Promise<string> {
	const tell = Object.hasOwn(placeholders, name) ? placeholders[name] : undefined
	if (tell === undefined) {
		const known = Object.keys(placeholders).map((one) => `{${one}}`)
		throw usageError(`${template}: ${written} is no placeholder`, `There are ${known.join(', ')}`)
	}
	const value = await tell()
	if (value === '' || value === '.' || value === '..' || /[/\0]/.test(value)) {
		throw usageError(`${template}: ${written} stands for "${value}" here, which cannot be the name of a folder`)
	}
	return value
}

/**
 * The placeholders of this node.
 * @param cluster cassandra.yaml's cluster_name; undefined where it was not read or has none.
 */
export function nodePlaceholders(cluster: string | undefined, environment: NodeJS.ProcessEnv): Placeholders {
	return {
		host: () => hostname().split('.')[0] ?? '',
		fqdn: fullHostname,
		cluster: () => {
			if (cluster !== undefined) return cluster
			throw usageError('{cluster} needs cassandra.yaml with a cluster_name', 'Give --cassandra-yaml FILE')
		},
		instance: () => {
			const instance = environment['SNAPHAVEN_INSTANCE']
			if (instance) return instance
			throw usageError('{instance} needs the environment variable SNAPHAVEN_INSTANCE, which is not set')
		},
	}
}

/** The host's name with its domain, as hostname(1) finds it by the resolver where the kernel's has none. */
async function fullHostname(): Promise<string> {
	const short = hostname()
	if (short.includes('.')) return short
	// Loaded where they are needed: they take 6 ms.
	const { promisify } = process.getBuiltinModule('node:util')
	const { execFile } = process.getBuiltinModule('node:child_process')
	const found = await promisify(execFile)('hostname', ['--fqdn'], { timeout: 10_000 }).catch(() => undefined)
	const full = found?.stdout.trim() ?? ''
	if (full.includes('.') && full !== 'localhost.localdomain') return full
	throw usageError(
		`{fqdn}: this host, ${short}, has no name with a domain`,
		'Use {host}, or give the host a domain (see: hostname --fqdn)',
	)
}
