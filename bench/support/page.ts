import { readFile, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { execa } from 'execa'
import { nodeBinary } from '../../test/support/cli.ts'
import { plot } from './plot.ts'
import { amountOf, costNames, costsOf, type Figure, isKept, type Scenario } from './scenario.ts'

/** A scenario and what came of it. */
export interface Measured {
	scenario: Scenario
	figures: Figure[]
}

const page = join(import.meta.dirname, '../../docs/benchmarks.md')

/**
 * Throws where docs/benchmarks.md can't take these sections alone, since the others are of another machine. Asked before
 * anything is measured.
 */
export async function assertWritable(scenarios: Scenario[]): Promise<void> {
	const { before, sections } = await readPage()
	for (const { name } of scenarios) sections.delete(name)
	if (sections.size > 0 && before !== (await head())) {
		throw new Error(`${page} begins otherwise, or is of another machine: measure all of it, or remove what is not`)
	}
}

/**
 * Writes docs/benchmarks.md: the figures of this run, and the machine that they are of. What was not measured now keeps its
 * section. Plots stand beside it.
 */
export async function writePage(measured: Measured[], scenarios: Scenario[]): Promise<void> {
	const { sections } = await readPage()
	for (const { scenario, figures } of measured) {
		sections.set(scenario.name, sectionOf(scenario, figures))
		if (figures.some(({ at }) => at)) await writeFile(join(dirname(page), `${scenario.name}.svg`), plot(figures))
	}
	const written = scenarios.flatMap(({ name }) => sections.get(name) ?? [])
	await writeFile(page, `${[await head(), ...written].join('\n\n')}\n`)
}

/** What stands before the first section, and each section by its name. */
async function readPage(): Promise<{ before: string; sections: Map<string, string> }> {
	const [before = '', ...sections] = (await readFile(page, 'utf8')).trimEnd().split(/\n\n(?=## )/)
	return { before, sections: new Map(sections.map((section) => [/^## (.+)/.exec(section)?.[1] ?? '', section])) }
}

async function head(): Promise<string> {
	return [heading, await machine()].join('\n\n')
}

function sectionOf({ name, title }: Scenario, figures: Figure[]): string {
	const placed = figures.filter(({ at }) => at)
	const grown = placed.length > 0 ? [`![Seconds by amount](${name}.svg)`, growth(placed)] : []
	return [`## ${name}`, `${title}.`, ...grown, table(figures.filter(({ at }) => !at))].join('\n\n')
}

/** A line for each amount, a column for each series. */
function growth(figures: Figure[]): string {
	const names = [...new Set(figures.map(({ at }) => at?.series))]
	const lines = [...Map.groupBy(figures, ({ at }) => at?.amount)].map(([amount, found]) => {
		const cells = names
			.map((name) => found.find(({ at }) => at?.series === name))
			.map((one) => one && `${amountOf(one)} s`)
		return `| ${[amount?.toLocaleString('en'), ...cells].join(' | ')} |`
	})
	const of = figures[0]?.at?.of
	return [`| ${[of, ...names].join(' | ')} |`, `|---${'|---'.repeat(names.length)}|`, ...lines].join('\n')
}

const heading = `# Benchmarks

Written by \`npm run bench -- --write\`; bench/README.md says how each figure is taken. Ratios to \`cp\` and \`rsync\` in the
same run travel from one machine to another, seconds do not. snaphaven reads every byte for its CRC-32, proves, flushes
and seals; the others do none of it, and get a \`sync -f\` at their end. CPU: user’s and system’s time of all cores.
Peak memory: of the largest process (storms: of all). Written: by how much the target’s file system is fuller.`

async function machine(): Promise<string> {
	const { stdout } = await execa(nodeBinary, ['--version'])
	const [cpu] = cpus()
	const memory = `${Math.round(totalmem() / 2 ** 30)} GiB of memory`
	return `The machine: ${cpus().length} cores (${cpu?.model.trim()}), ${memory}, Linux ${release()}, Node ${stdout}.`
}

function table(figures: Figure[]): string {
	const others = figures.some(({ cost }) => cost) ? costNames : []
	const rows = figures.map((figure) => {
		const { what, unit, atMost } = figure
		const goal = atMost === undefined ? '' : `at most ${atMost} ${unit}${isKept(figure) ? '' : ': missed'}`
		const costs = costsOf(figure)
		return [what, `${amountOf(figure)} ${unit}`, goal, ...others.map((_, at) => costs[at] ?? '')]
	})
	const head = ['', '', 'goal', ...others]
	return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
