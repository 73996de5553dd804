import stringWidth from 'string-width'

/** How a column's cells are set. */
type Alignment = 'left' | 'right'

/** The lines of a table, its columns as wide as their widest cell, two spaces between them and none at a line's end. */
export function tableLines(rows: readonly (readonly string[])[], alignments: readonly Alignment[]): string[] {
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

/** Most cells are plain, and there may be many thousands. */
function widthOf(cell = ''): number {
	return /^[ -~]*$/.test(cell) ? cell.length : stringWidth(cell)
}
