import { join } from 'node:path'

/** A transaction log of a real Cassandra, as it was when it was seen last. */
export interface RecordedLog {
	/** Its version. */
	cassandra: string
	/** The table's folder. */
	table: string
	name: string
	/** The text of its replica in each data directory that had one. */
	replicas: string[]
}

/** Where they are: recorded by `npm run record-logs`. */
export const recordedLogs = join(import.meta.dirname, '../fixtures/transaction-logs.json')
