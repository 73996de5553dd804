/** How a column's cells are set. */
type Alignment = 'left' | 'right'

/** The lines of a table, its columns as wide as their widest cell, two spaces between them and none at a line's end. */
export async function tableLines(
	rows: readonly (readonly string[])[],
	alignments: readonly Alignment[],
): Promise<string[]> {
	const widthOf = await widthsOf(rows)
	const widths = alignments.map((_, column) => rows.reduce((width, row) => Math.max(width, widthOf(row[column])), 0))
	return rows.map((row) =>
		row
			.map((cell, column) => {
				const space = ' '.repeat((widths[column] ?? 0) - widthOf(cell))
				return alignments[column] === 'right' ? space + cell : cell + space
			})
			.join('  ')
			.trimEnd(),
	)
}

/** Most tables are plain: the library that knows all other signs' widths is loaded for those alone that have some. */
async function widthsOf(rows: readonly (readonly string[])[]): Promise<(cell?: string) => number> {
	if (rows.every((row) => row.every((cell) => PLAIN.test(cell)))) return (cell = '') => cell.length
	const { default: stringWidth } = await import('string-width')
	return (cell = '') => stringWidth(cell)
}

const PLAIN = /^[ -~]*$/
