import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { liesOf, type ReceiptText, readReceiptsIn } from '../../support/receipts.ts'

/** The receipts of incremental backups, the oldest first; each has to be true to the byte, and nothing is to lie half done. */
export function trueBackups(t: ExecutionContext, { haven }: { haven: string }): ReceiptText[] {
	const found = readReceiptsIn(join(haven, '.snaphaven/backups'))
	t.deepEqual(
		found.filter((one) => 'broken' in one),
		[],
	)
	const receipts = found.flatMap((one) => ('receipt' in one ? [one.receipt] : []))
	for (const receipt of receipts) t.deepEqual(liesOf(haven, receipt), [])
	t.deepEqual(readdirSync(join(haven, '.snaphaven/partial')), [])
	return receipts.sort((one, other) => (one.tag < other.tag ? -1 : 1))
}
