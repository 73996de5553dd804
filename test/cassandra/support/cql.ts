import { Client } from 'cassandra-driver'

/** A value of a row, as the driver hands it out. */
export type Row = Record<string, unknown>

/** Runs a statement, and hands back all its rows. */
export interface Cql {
	(statement: string, values?: unknown[]): Promise<Row[]>
	close: () => Promise<void>
}

/** Connects to a Cassandra on this machine. */
export async function connect(port: number): Promise<Cql> {
	const client = new Client({
		contactPoints: [`127.0.0.1:${port}`],
		localDataCenter: 'datacenter1',
		credentials: { username: 'cassandra', password: 'cassandra' },
		socketOptions: { readTimeout: 60_000 },
		queryOptions: { prepare: true, fetchSize: 100_000 },
	})
	await client.connect().catch(async (error) => {
		await client.shutdown()
		throw error
	})
	const run = async (statement: string, values: unknown[] = []) => {
		const result = await client.execute(statement, values, { prepare: values.length > 0 })
		return (result.rows ?? []).map((row) => ({ ...row }) as Row)
	}
	return Object.assign(run, { close: () => client.shutdown() })
}
