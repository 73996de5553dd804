import { parseArgs } from 'node:util'
import { calls } from './calls.ts'
import { coldStart } from './cold-start.ts'
import { durable } from './durable.ts'
import { flushWays } from './flush-ways.ts'
import { growths } from './growth.ts'
import { idleService } from './idle-service.ts'
import { largeFile, largeFileOnDisk } from './large-file.ts'
import { largeFileShared } from './large-file-shared.ts'
import { latency } from './latency.ts'
import { latencyProbe } from './latency-probe.ts'
import { limit } from './limit.ts'
import { limitRate } from './limit-rate.ts'
import { list } from './list.ts'
import { liveSets } from './live-sets.ts'
import { manyTables } from './many-tables.ts'
import { medusa } from './medusa.ts'
import { millionFiles } from './million-files.ts'
import { nasLine } from './nas-line.ts'
import { nothingNew } from './nothing-new.ts'
import { secondSnapshot } from './second-snapshot.ts'
import { slowMount } from './slow-mount.ts'
import { slowSecond } from './slow-second.ts'
import { smallFiles } from './small-files.ts'
import { storm } from './storm.ts'
import { assertWritable, type Measured, writePage } from './support/page.ts'
import { amountOf, costNames, costsOf, type Figure, isKept, type Scale, type Scenario } from './support/scenario.ts'
import { verify } from './verify.ts'

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		smoke: { type: 'boolean' },
		disk: { type: 'boolean' },
		write: { type: 'boolean' },
	},
})
if (values.write && values.smoke) {
	console.error('--write writes figures down that count; --smoke takes none such')
	process.exit(2)
}
const scenarios = [
	smallFiles,
	durable,
	flushWays,
	largeFile,
	largeFileOnDisk,
	largeFileShared,
	secondSnapshot,
	limit,
	nothingNew,
	slowMount,
	slowSecond,
	nasLine,
	limitRate,
	manyTables,
	millionFiles,
	idleService,
	liveSets,
	storm('normal', values.disk),
	storm('large', values.disk),
	latency,
	latencyProbe('normal'),
	latencyProbe('large'),
	list,
	verify,
	...growths,
	calls,
	coldStart,
	medusa(values.disk),
]
const unknown = positionals.filter((name) => scenarios.every((scenario) => scenario.name !== name))
if (unknown.length > 0) {
	console.error(`no benchmark ${unknown.join(', ')}; there are: ${scenarios.map(({ name }) => name).join(', ')}`)
	process.exit(2)
}
const wanted = scenarios.filter(({ name, byNameAlone }) =>
	positionals.length === 0 ? !byNameAlone : positionals.includes(name),
)
if (values.write) await assertWritable(wanted)
const results: Result[] = []
const measured: Measured[] = []
for (const scenario of wanted) results.push(await measure(scenario, values.smoke ? 'smoke' : 'full'))
report(results)
if (values.write) await writePage(measured, scenarios)
process.exitCode = results.some((result) => result === 'failed') ? 1 : 0

type Result = 'passed' | 'failed' | 'not run'

async function measure(scenario: Scenario, scale: Scale): Promise<Result> {
	const missing = scenario.missing(scale)
	console.log(`\n${scenario.name}: ${scenario.title}${scale === 'smoke' ? ', in small' : ''}`)
	if (missing !== undefined) {
		console.log(`  not run: ${missing}`)
		return 'not run'
	}
	for (const lack of scenario.lacks?.() ?? []) console.log(`  left out: ${lack}`)
	const figures = await scenario.run(scale)
	measured.push({ scenario, figures })
	for (const figure of figures) console.log(`  ${line(figure, scale)}`)
	return scale === 'smoke' || figures.every(isKept) ? 'passed' : 'failed'
}

function line(figure: Figure, scale: Scale): string {
	const { what, unit, atMost } = figure
	const costs = costsOf(figure).map((cost, at) => `, ${cost} ${costNames[at]}`)
	const shown = `${what.padEnd(40)} ${amountOf(figure).padStart(8)} ${unit}${costs.join('')}`
	if (atMost === undefined || scale === 'smoke') return shown
	return `${shown.padEnd(54)} goal: at most ${atMost} ${unit} ${isKept(figure) ? '' : ' MISSED'}`.trimEnd()
}

function report(results: Result[]): void {
	const count = (wanted: Result) => results.filter((result) => result === wanted).length
	console.log(`\n${count('passed')} tests passed`)
	if (count('failed') > 0) console.log(`${count('failed')} tests failed`)
	if (count('not run') > 0) console.log(`${count('not run')} tests not run`)
}
