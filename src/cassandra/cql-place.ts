import { resolve } from 'node:path'
import { usageError } from '../errors.ts'
import { fs } from '../files/builtins.ts'
import { hasCode } from '../files/io.ts'

/** Where a node is asked by CQL, and who asks. */
export interface CqlPlace {
	host: string
	port: number
	/** A file in cqlshrc's form, absolute; it is read anew for each connection, so that a password may change. */
	credentialsFile?: string
}

/** What such a file says. */
export interface CqlCredentials {
	username?: string
	password?: string
	/** Undefined where the connection is not to be encrypted. */
	tls?: { certfile?: string; userkey?: string; usercert?: string; validate: boolean }
}

const PORT = 9042

/** Understands HOST, HOST:PORT and [IPv6]:PORT; throws for what is none. */
export function parseCqlPlace(text: string): Pick<CqlPlace, 'host' | 'port'> {
	const [, bracketed, host = bracketed ?? '', port] =
		/^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/.exec(text) ?? []
	if (host !== '' && Number(port ?? PORT) <= 65_535) return { host, port: Number(port ?? PORT) }
	throw usageError(`--cql expects HOST:PORT, but was given "${text}"`, 'For example: --cql 127.0.0.1:9042')
}

/** Where passwords stand in a cqlshrc, and in the credentials file that cqlsh takes since 4.1. */
const SECTIONS = ['authentication', 'plaintextauthprovider']

/** Reads a file in cqlshrc's form. Throws wrong usage where it can't be read, or says nothing that counts here. */
export function readCredentials(file: string): CqlCredentials {
	const sections = parseIni(readText(file))
	const given = SECTIONS.map((name) => sections.get(name)).filter((section) => section !== undefined)
	const own = given.find((section) => section.has('username'))
	const [username, password] = [own?.get('username'), own?.get('password')]
	if (username !== undefined && password === undefined) {
		throw usageError(`${file} has a username without a password`, 'Add a line: password = …')
	}
	const wantsTls = isTrue(sections.get('connection')?.get('ssl'))
	if (username === undefined && !wantsTls) {
		throw usageError(
			`${file} says neither who asks nor that the connection is encrypted`,
			'It is read as cqlshrc is: [authentication] with username and password; [connection] with ssl = true.',
		)
	}
	return {
		...(username === undefined || password === undefined ? {} : { username, password }),
		...(wantsTls ? { tls: tlsOf(file, sections.get('ssl') ?? new Map()) } : {}),
	}
}

function tlsOf(file: string, ssl: Map<string, string>): NonNullable<CqlCredentials['tls']> {
	const paths = ['certfile', 'userkey', 'usercert'].flatMap((key) => {
		const path = ssl.get(key)
		return path === undefined ? [] : [[key, resolve(file, '..', path.replace(/^~(?=\/)/, process.env['HOME'] ?? '~'))]]
	})
	return { ...Object.fromEntries(paths), validate: isTrue(ssl.get('validate') ?? 'true') }
}

function readText(file: string): string {
	try {
		return fs.readFileSync(file, 'utf8')
	} catch (error) {
		if (!hasCode(error)) throw error
		const why = error.code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${error.code})`
		throw usageError(`--cql-credentials ${file}: ${why}`)
	}
}

/** As Python's configparser reads it, without interpolation: names in any case, values without the blanks around them. */
function parseIni(text: string): Map<string, Map<string, string>> {
	const sections = new Map<string, Map<string, string>>()
	let section = new Map<string, string>()
	for (const line of text.split(/\r?\n/)) {
		if (/^\s*([#;]|$)/.test(line)) continue
		const name = /^\s*\[(.+)\]\s*$/.exec(line)?.[1]?.toLowerCase()
		const [, key = '', value = ''] = /^\s*([^=:]+?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
		if (name !== undefined) {
			section = sections.get(name) ?? new Map()
			sections.set(name, section)
		} else if (key !== '') section.set(key.toLowerCase(), value)
	}
	return sections
}

function isTrue(text = ''): boolean {
	return ['1', 'yes', 'true', 'on'].includes(text.toLowerCase())
}
