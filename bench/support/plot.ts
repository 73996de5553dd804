import type { Figure } from './scenario.ts'

const [width, height] = [740, 420]
const frame = { left: 70, right: 205, top: 20, bottom: 50 }
/** Told apart by those who see no colours well. */
const colours = ['#d55e00', '#0072b2', '#e69f00', '#56b4e9']

/** Draws the figures that have an amount, both axes logarithmic: what grows linearly rises as steeply as the grid; text of an SVG. */
export function plot(figures: Figure[]): string {
	const points = figures.flatMap(({ at, value }) => (at ? [{ ...at, value }] : []))
	const [xs, ys] = [decades(points.map(({ amount }) => amount)), decades(points.map(({ value }) => value))]
	const x = scale(xs, frame.left, width - frame.right)
	const y = scale(ys, height - frame.bottom, frame.top)
	const series = [...Map.groupBy(points, (point) => point.series)]
	const lines = series.map(([name, found], number) => {
		const colour = colours[number % colours.length]
		const path = found.map(({ amount, value }) => `${x(amount)},${y(value)}`).join(' ')
		const label = frame.top + 20 + 22 * number
		return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>
${found.map(({ amount, value }) => `<circle cx="${x(amount)}" cy="${y(value)}" r="3.5" fill="${colour}"/>`).join('')}
<line x1="${width - 190}" x2="${width - 170}" y1="${label}" y2="${label}" stroke="${colour}" stroke-width="3"/>
${text(width - 163, label + 4, name, 'start')}`
	})
	const grid = [
		...xs.map((at) => `${line(x(at), frame.top, x(at), height - frame.bottom)}${text(x(at), height - 30, shown(at))}`),
		...ys.map(
			(at) => `${line(frame.left, y(at), width - frame.right, y(at))}${text(60, y(at) + 4, `${shown(at)} s`, 'end')}`,
		),
	]
	const middle = (frame.left + width - frame.right) / 2
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="#fff"/>
${[...grid, ...lines].join('\n')}
${text(middle, height - 10, points[0]?.of ?? '')}
</svg>
`
}

/** The powers of ten from below the least to above the greatest. */
function decades(values: number[]): number[] {
	const from = Math.floor(Math.log10(Math.min(...values)))
	const to = Math.ceil(Math.log10(Math.max(...values)))
	return Array.from({ length: to - from + 1 }, (_, step) => 10 ** (from + step))
}

function scale(marks: number[], from: number, to: number): (value: number) => string {
	const [least = 1, most = 10] = [marks.at(0), marks.at(-1)].map((mark) => Math.log10(mark ?? 1))
	return (value) => (from + ((Math.log10(value) - least) / (most - least)) * (to - from)).toFixed(1)
}

function line(x1: string | number, y1: string | number, x2: string | number, y2: string | number): string {
	return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ddd"/>`
}

function text(x: string | number, y: string | number, words: string, anchor = 'middle'): string {
	return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="#222">${words}</text>`
}

function shown(value: number): string {
	return Number(value.toPrecision(1)).toLocaleString('en', { maximumFractionDigits: 3 })
}
