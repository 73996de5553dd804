import type { Figure, Scale } from './scenario.ts'

/** How many small files are measured, as 160 a snapshot. */
export interface Size {
	/** As figures name it. */
	files: string
	tables: number
	rounds: number
	/** A tmpfs, or a disk, of so many MB holds them a few times. */
	megabytes: number
}

/** Ten times as many show what it takes where the start of a process no longer counts. */
const sizes: Record<Scale, Size[]> = {
	full: [
		{ files: '8,000 files', tables: 50, rounds: 7, megabytes: 512 },
		{ files: '80,000 files', tables: 500, rounds: 3, megabytes: 2048 },
	],
	smoke: [{ files: '480 files', tables: 3, rounds: 1, megabytes: 512 }],
}

/** Measures small files at each size. */
export async function atEachSize(scale: Scale, measure: (size: Size) => Promise<Figure[]>): Promise<Figure[]> {
	const figures: Figure[] = []
	for (const size of sizes[scale]) figures.push(...(await measure(size)))
	return figures
}
