/** `2026-11-21 14:57:04`, in local time; a text that is no time is given back. */
export function localTime(iso: string): string {
	const date = new Date(iso)
	if (Number.isNaN(date.getTime())) return iso
	const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-')
	return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`
}

function two(number: number): string {
	return String(number).padStart(2, '0')
}
