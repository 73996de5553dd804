import { writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { nodeBinary } from '../../test/support/cli.ts'
import { amountOf, type Figure, isKept, type Scenario } from './scenario.ts'

/** A scenario and what came of it. */
export interface Measured {
	scenario: Scenario
	figures: Figure[]
}

const page = join(import.meta.dirname, '../../docs/benchmarks.md')

/** Writes docs/benchmarks.md: the figures of this run, and the machine that they are of. */
export async function writePage(measured: Measured[]): Promise<void> {
	const sections = measured.map(({ scenario, figures }) =>
		[`## ${scenario.name}`, `${scenario.title}.`, table(figures)].join('\n\n'),
	)
	await writeFile(page, `${[heading, await machine(), ...sections].join('\n\n')}\n`)
}

const heading = `# Benchmarks

Written by \`npm run bench -- --write\`; bench/README.md says how each figure is taken. Ratios to \`cp\` and \`rsync\` in the
same run travel from one machine to another, seconds do not. snaphaven reads every byte for its CRC-32, proves, flushes
and seals; the others do none of it.`

async function machine(): Promise<string> {
	const { stdout } = await execa(nodeBinary, ['--version'])
	const [cpu] = cpus()
	const memory = `${Math.round(totalmem() / 2 ** 30)} GiB of memory`
	return `The machine: ${cpus().length} cores (${cpu?.model.trim()}), ${memory}, Linux ${release()}, Node ${stdout}.`
}

function table(figures: Figure[]): string {
	const rows = figures.map((figure) => {
		const { what, unit, atMost } = figure
		const goal = atMost === undefined ? '' : `at most ${atMost} ${unit}${isKept(figure) ? '' : ': missed'}`
		return `| ${what} | ${amountOf(figure)} ${unit} | ${goal} |`
	})
	return ['| | | goal |', '|---|---|---|', ...rows].join('\n')
}
