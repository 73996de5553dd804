import { appendFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lineOf, type MadeRecord } from './transaction-logs.ts'

const COMPONENTS = ['Data.db', 'Index.db', 'Statistics.db', 'CRC.db', 'TOC.txt']

/** An SSTable that holds the rows of some flushes, the first to the last. */
interface Held {
	folder: string
	prefix: string
	from: number
	to: number
}

/** What it does to a table's folders: each yield stands between two of Cassandra's own steps. */
type Steps = Generator<void, void>

/**
 * A table as Cassandra writes it: flushes, compactions and writes that are given up, each with a transaction log that has
 * a replica in every folder. `nb-2000005-big` holds the rows of the flushes 2 to 5.
 */
export class MadeNode {
	readonly #folders: string[]
	#held: Held[] = []
	#flushes = 0
	#transactions = 0

	constructor(folders: string[]) {
		this.#folders = folders
	}

	/** How many SSTables are live. */
	get size(): number {
		return this.#held.length
	}

	*flush(): Steps {
		const at = this.#flushes + 1
		const added = this.#place(at, at)
		const log = this.#logName('flush')
		yield* this.#write(log, added)
		this.#held.push(added)
		this.#flushes = at
		yield* this.#record(log, { type: 'COMMIT' })
		yield* this.#end(log)
	}

	/** Two flushes side by side, of which the first is the first to be committed. */
	*flushTwo(): Steps {
		const flushes = [this.#flushes + 1, this.#flushes + 2].map((at) => {
			return { added: this.#place(at, at), log: this.#logName('flush') }
		})
		this.#flushes += 2
		for (const { added, log } of flushes) yield* this.#write(log, added)
		for (const { added, log } of flushes) {
			yield* this.#record(log, { type: 'COMMIT' })
			this.#held.push(added)
		}
		for (const { log } of flushes) yield* this.#end(log)
	}

	*compact(): Steps {
		const old = this.#held
		const added = this.#place(old[0]?.from ?? 0, old.at(-1)?.to ?? 0)
		const log = this.#logName('compaction')
		yield* this.#write(log, added)
		for (const { folder, prefix } of old) {
			const times = COMPONENTS.map((component) => Math.floor(statSync(join(folder, prefix + component)).mtimeMs))
			const files = COMPONENTS.length
			yield* this.#record(log, { type: 'REMOVE', path: join(folder, prefix), time: Math.max(...times), files })
		}
		yield* this.#record(log, { type: 'COMMIT' })
		this.#held = [added]
		for (const { folder, prefix } of old) yield* this.#remove(folder, prefix)
		yield* this.#end(log)
	}

	/** A write that is given up: all that it began is deleted, then its log. */
	*giveUp(): Steps {
		const added = this.#place(900_000 + this.#transactions, 900_000 + this.#transactions)
		const log = this.#logName('flush')
		yield* this.#write(log, added)
		yield* this.#record(log, { type: 'ABORT' })
		yield* this.#remove(added.folder, added.prefix)
		yield* this.#end(log)
	}

	#place(from: number, to: number): Held {
		const folder = this.#folders[(to + this.#transactions) % this.#folders.length] ?? ''
		return { folder, prefix: `nb-${from * 1e6 + to}-big-`, from, to }
	}

	#logName(operation: string): string {
		const id = String(++this.#transactions).padStart(8, '0')
		return `nb_txn_${operation}_${id}-e58a-11f1-ba75-8140cf8cdd6e.log`
	}

	*#record(log: string, made: MadeRecord): Steps {
		for (const folder of this.#folders) {
			appendFileSync(join(folder, log), `${lineOf(made)}\n`)
			yield
		}
	}

	*#write(log: string, { folder, prefix }: Held): Steps {
		yield* this.#record(log, { type: 'ADD', path: join(folder, prefix), files: COMPONENTS.length })
		for (const component of COMPONENTS) {
			writeFileSync(join(folder, prefix + component), component)
			yield
		}
	}

	*#remove(folder: string, prefix: string): Steps {
		for (const component of COMPONENTS) {
			unlinkSync(join(folder, prefix + component))
			yield
		}
	}

	*#end(log: string): Steps {
		for (const folder of this.#folders) {
			unlinkSync(join(folder, log))
			yield
		}
	}
}

/** What is wrong with these live SSTables, if anything: of the flushes so far each has to be in one, and in one alone. */
export function wrongRows(prefixes: string[], flushes: { atLeast: number; atMost: number }): string | undefined {
	const ids = prefixes.map((prefix) => Number(prefix.split('-')[1])).sort((a, b) => a - b)
	let last = 0
	for (const id of ids) {
		if (Math.floor(id / 1e6) !== last + 1) return `flush ${last + 1} is followed by ${id}`
		last = id % 1e6
	}
	const { atLeast, atMost } = flushes
	return last < atLeast || last > atMost ? `${last} flushes, of ${atLeast} to ${atMost}` : undefined
}
