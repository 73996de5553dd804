import { hasCode, runAsync } from '../files/io.ts'
import { readLease } from './lease.ts'
import { isRunning } from './machine.ts'

/** Who holds a haven's lease. */
export interface LeaseHolder {
	/** `process 12 on node1`. */
	name: string
	/** Whether it is seen to run; where not, it may do so on another machine, or in another container. */
	seen: boolean
}

/** Who holds the lease of the haven at this path; undefined where nobody does but a dead process, or this one. */
export async function findHolder(path: string): Promise<LeaseHolder | undefined> {
	const lease = await runAsync(readLease(path)).catch((error: unknown) => {
		if (hasCode(error)) return undefined
		throw error
	})
	if (lease === undefined) return undefined
	if (lease === null) return { name: 'somebody', seen: false }
	const running = isRunning(lease.holder)
	if (running === 'no' || (running === 'yes' && lease.holder.pid === process.pid)) return undefined
	return { name: `process ${lease.holder.pid} on ${lease.holder.host}`, seen: running === 'yes' }
}
