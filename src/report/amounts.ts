import prettyBytes from 'pretty-bytes'
import prettyMilliseconds from 'pretty-ms'
import type { Amount, TransferAmounts } from '../mirror/types.ts'

/** `49,000`: a whole number. Intl.NumberFormat would cost a short run 15 ms for its tables. */
export function count(number: number): string {
	return String(number).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 file`, `49,000 files`: the word with an s where there is not just one. */
export function counted(number: number, word: string): string {
	return `${count(number)} ${word}${number === 1 ? '' : 's'}`
}

/** `4.1 MB`, in powers of ten. */
export function bytes(number: number): string {
	return prettyBytes(number)
}

/** `12 files, 4.1 MB` */
export function amount({ files, bytes: size }: Amount): string {
	return `${counted(files, 'file')}, ${bytes(size)}`
}

/** `850ms`, `4.2s`, `1h 3m 2s` */
export function duration(ms: number): string {
	return prettyMilliseconds(Math.round(ms), { secondsDecimalDigits: 1 })
}

/** All that came, or would come, to the haven. */
export function total({ copied, hardlinked, reflinked, reused }: TransferAmounts): Amount {
	return [copied, hardlinked, reflinked, reused].reduce(add)
}

export function add(one: Amount, other: Amount): Amount {
	return { files: one.files + other.files, bytes: one.bytes + other.bytes }
}

/** How the files came: `3 copied, 9 reused`; those that were copied alone are not worth a word, so ''. */
export function ways(amounts: TransferAmounts): string {
	const { copied, hardlinked, reflinked, reused } = amounts
	if (copied.files === total(amounts).files) return ''
	const each: [Amount, string][] = [
		[copied, 'copied'],
		[hardlinked, 'hard-linked'],
		[reflinked, 'reflinked'],
		[reused, 'reused'],
	]
	return each
		.filter(([{ files }]) => files > 0)
		.map(([{ files }, way]) => `${count(files)} ${way}`)
		.join(', ')
}

/** A time that has gone by, in two units at most and whole seconds: `1s`, `4m 12s`, `3h 2m`; never less than a second. */
export function age(ms: number): string {
	return prettyMilliseconds(Math.max(1, Math.round(ms / 1000)) * 1000, { unitCount: 2 })
}
