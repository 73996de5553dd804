import { setTimeout as sleep } from 'node:timers/promises'
import { removing } from '../haven/layout.ts'
import { isOneSnapshots } from './one-snapshots.ts'
import { judged, type Pass } from './pass.ts'

const HOUR_MS = 3_600_000

/** `--keep-deleted`: removes what has been kept for longer than that. */
async function expireDeleted({ options, haven, writing, engine, nextNumber }: Pass): Promise<void> {
	const { keepDeletedDays: days } = options
	if (days === undefined || !haven || !writing) return
	const { base } = haven
	const { partial } = writing.lease
	for (const day of await engine.run('findExpired', base, days, Date.now())) {
		const number = nextNumber()
		await writing.lease.check()
		if (!(await engine.run('takeDayOut', base, partial, number, day))) continue
		await engine.run('removeTree', `${base}/${removing.folder(partial, number)}`)
	}
}

/** Does so every hour, until the pass is aborted. Never rejects. */
export async function keepExpiring(pass: Pass): Promise<void> {
	while (pass.options.keepDeletedDays !== undefined && !pass.signal.aborted) {
		await tryToExpire(pass)
		await sleep(HOUR_MS, undefined, { signal: pass.signal }).catch(() => {})
	}
}

/** The same once; a failure of the haven ends the pass, any other is told. */
export async function tryToExpire(pass: Pass): Promise<void> {
	try {
		await expireDeleted(pass)
	} catch (failed) {
		const error = await judged(pass, failed)
		if (pass.signal.aborted) return
		if (!isOneSnapshots(error)) return pass.fail(error)
		pass.totals.tell({
			type: 'warning',
			message: `what was kept of deleted SSTables could not be removed: ${error.message}`,
		})
	}
}
