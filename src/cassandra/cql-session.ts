import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import type { Client, ClientOptions } from 'cassandra-driver'
import { failure, SnaphavenError, usageError } from '../errors.ts'
import { hasCode } from '../files/io.ts'
import { type CqlCredentials, type CqlPlace, readCredentials } from './cql-place.ts'

/** A row, by its columns' names. */
export type CqlRow = Record<string, unknown>

/** A connection to one node. */
export interface CqlSession {
	/** Runs a statement; hands back all its rows. Throws a CqlFailure for what the node refuses. */
	run: (statement: string) => Promise<CqlRow[]>
}

/** What a node answered to a statement that it refuses. */
export class CqlFailure extends SnaphavenError {
	/** Whether that is because this role may not. */
	readonly isUnauthorized: boolean
	/** Whether it does not know such a statement, or such a table. */
	readonly isUnknown: boolean

	constructor(statement: string, error: Error & { code?: unknown }) {
		super(`the node refuses ${shortened(statement)}: ${error.message}`, { exitCode: 1, cause: error })
		this.isUnauthorized = error.code === CODES.unauthorized
		this.isUnknown = error.code === CODES.syntax || error.code === CODES.invalid
	}
}

/** Error codes of the native protocol (native_protocol_v4.spec, 9). */
const CODES = { unauthorized: 0x2100, syntax: 0x2000, invalid: 0x2200 }

/**
 * How long a node may take to let us in. While it does, the driver can't be ended, and a signal ends us within ten
 * seconds. Tests on a busy machine say otherwise.
 */
const CONNECT_MS = Math.min(60_000, Number(process.env['SNAPHAVEN_TEST_PATIENCE']) || 4000)
/** How long a statement may take: one that changes the schema waits for other nodes. */
const ANSWER_MS = 60_000
/** The most rows that come without a second question. */
const ROWS = 1_000_000

/**
 * Connects to the one node of that place, works, and disconnects. Throws a failure where it can't be reached or does not
 * let us in, an AbortError where the signal ended it. The driver is loaded here and not before: it takes 100 ms.
 */
export async function withCql<T>(
	place: CqlPlace,
	signal: AbortSignal,
	work: (session: CqlSession) => Promise<T>,
): Promise<T> {
	signal.throwIfAborted()
	const client = await makeClient(place)
	signal.throwIfAborted()
	const end = Promise.withResolvers<never>()
	const abort = () => end.reject(signal.reason)
	signal.addEventListener('abort', abort, { once: true })
	try {
		const connected = client.connect().catch((error: unknown) => {
			throw unreachable(place, error)
		})
		return await Promise.race([end.promise, connected.then(() => work({ run: (text) => run(client, text) }))])
	} finally {
		signal.removeEventListener('abort', abort)
		await client.shutdown().catch(() => {})
	}
}

async function run(client: Client, statement: string): Promise<CqlRow[]> {
	try {
		const { rows } = await client.execute(statement, [], { prepare: false, readTimeout: ANSWER_MS })
		return (rows ?? []).map((row) => ({ ...row }))
	} catch (error) {
		if (!(error instanceof Error)) throw error
		throw new CqlFailure(statement, error)
	}
}

async function makeClient(place: CqlPlace): Promise<Client> {
	const credentials = place.credentialsFile === undefined ? {} : readCredentials(place.credentialsFile)
	// CommonJS: its names are on the default export.
	const { default: driver } = await import('cassandra-driver')
	const { AllowListPolicy, RoundRobinPolicy } = driver.policies.loadBalancing
	const addresses = await addressesOf(place)
	const { username, password } = credentials
	const options: ClientOptions = {
		contactPoints: addresses,
		protocolOptions: { port: place.port },
		// Facts are one node's: no other one is asked, however many the cluster has.
		policies: {
			loadBalancing: new AllowListPolicy(new RoundRobinPolicy(), addresses),
			retry: new driver.policies.retry.FallthroughRetryPolicy(),
		},
		isMetadataSyncEnabled: false,
		pooling: { heartBeatInterval: 0 },
		socketOptions: { connectTimeout: CONNECT_MS, readTimeout: CONNECT_MS },
		queryOptions: { fetchSize: ROWS, consistency: driver.types.consistencies.localOne },
		...(username === undefined || password === undefined ? {} : { credentials: { username, password } }),
		...(credentials.tls === undefined ? {} : { sslOptions: sslOptions(credentials.tls) }),
	}
	return new driver.Client(options)
}

async function addressesOf({ host, port }: CqlPlace): Promise<string[]> {
	try {
		const found = await lookup(host, { all: true })
		return found.map(({ address, family }) => (family === 6 ? `[${address}]:${port}` : `${address}:${port}`))
	} catch (error) {
		if (!hasCode(error)) throw error
		throw failure(`--cql: no host has the name ${host} (${error.code})`, undefined, error)
	}
}

/** As cqlsh: the node's certificate is held against that of its authority; its name is not. */
function sslOptions({
	certfile,
	userkey,
	usercert,
	validate,
}: NonNullable<CqlCredentials['tls']>): NonNullable<ClientOptions['sslOptions']> {
	const read = (name: 'ca' | 'key' | 'cert', path: string | undefined) => {
		if (path === undefined) return {}
		try {
			return { [name]: readFileSync(path) }
		} catch (error) {
			if (!hasCode(error)) throw error
			throw usageError(`${path}, which the file of --cql-credentials names, cannot be read (${error.code})`)
		}
	}
	return {
		...read('ca', certfile),
		...read('key', userkey),
		...read('cert', usercert),
		rejectUnauthorized: validate,
		checkServerIdentity: () => undefined,
	}
}

/** The driver hides why behind the names of the hosts that it tried. */
function unreachable({ host, port }: CqlPlace, error: unknown): unknown {
	if (!(error instanceof Error)) return error
	const inner = 'innerErrors' in error ? Object.values(error.innerErrors as Record<string, unknown>) : []
	const cause = inner.find((one) => one instanceof Error) ?? error
	const needs = /requires authentication|Authentication provider/i.test(cause.message)
	return failure(
		`the node at ${host}:${port} can’t be asked by CQL: ${cause.message}`,
		needs || cause.name === 'AuthenticationError'
			? 'Give the name and password of a role by --cql-credentials FILE.'
			: 'Does it run, and is that its native_transport_port? See --cql.',
		error,
	)
}

function shortened(statement: string): string {
	const line = statement.replace(/\s+/g, ' ')
	return line.length > 80 ? `${line.slice(0, 79)}…` : line
}
