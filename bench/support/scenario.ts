import type { Cost } from './cost.ts'

/** How large a run is: `full` as the goals ask, `smoke` small and once, to see that all of it works. */
export type Scale = 'full' | 'smoke'

/** A figure and what it must not exceed. */
export interface Figure {
	what: string
	value: number
	/** Written behind the value. */
	unit: '×' | 's' | 'ms' | 'MB' | '%' | 'files' | 'calls'
	/** The goal; undefined where the figure is only for comparison. */
	atMost?: number
	/** What else the command took whose time it is. */
	cost?: Omit<Cost, 'seconds'>
	/** Where it stands in a plot and in a table of its own: with how much of what it was measured. */
	at?: { series: string; amount: number; of: string }
}

/** A figure's value as it is shown, without its unit. */
export function amountOf({ value, unit }: Figure): string {
	return value.toFixed(unit === 'files' ? 0 : value < 20 ? 3 : 1)
}

/** What else a command took, as it is shown: by its time's figure, in the order of `costNames`. */
export function costsOf({ cost }: Figure): string[] {
	if (!cost) return []
	return [`${cost.cpuSeconds.toFixed(2)} s`, `${cost.peakMB.toFixed(1)} MB`, `${cost.writtenMB.toFixed(1)} MB`]
}

/** What `costsOf` shows. */
export const costNames = ['CPU', 'peak memory', 'written']

/** Whether a figure keeps its goal; one without a goal does. */
export function isKept({ value, atMost }: Figure): boolean {
	return atMost === undefined || value <= atMost
}

/** One thing that is measured; a file each in bench/. */
export interface Scenario {
	/** How it is named on the command line. */
	name: string
	/** What is measured, in a sentence. */
	title: string
	/** What the machine lacks for it; undefined where it can run. */
	missing: (scale: Scale) => string | undefined
	/** Runs only when it is asked for by name: it takes what most machines lack. */
	byNameAlone?: boolean
	/** What it is compared with elsewhere, and can't be on this machine, each with why. */
	lacks?: () => string[]
	/** Measures. Throws where what was made is wrong: a fast wrong copy has no figure. */
	run: (scale: Scale) => Promise<Figure[]>
}
