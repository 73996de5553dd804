// The demonstration: a recorded node's keyspace mirrored into a haven, checked, and mirrored again.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { readExpected, unpackFixture } from '../test/support/fixtures.ts'
import { checkDigests, listSnapshots, ownKeyspaces } from './demo-folders.mjs'

const cli = join(import.meta.dirname, '../dist/cli.js')
const keyspace = 'shop'

/** Runs it, in a temporary folder that is removed at its end unless it is to be kept. Returns the exit code. */
export async function demonstrate({ keep }) {
	const folder = await unpackFixture('cassandra-5.0-bti')
	const clean = () => keep || rmSync(folder, { recursive: true, force: true })
	for (const signal of ['SIGINT', 'SIGTERM']) {
		process.once(signal, () => {
			clean()
			process.kill(process.pid, signal)
		})
	}
	try {
		return await tour(folder, keep)
	} finally {
		clean()
	}
}

async function tour(folder, keep) {
	const { cassandra, dataDirectories } = await readExpected(folder)
	const roots = dataDirectories.map((directory) => join(folder, directory))

	heading(`A Cassandra ${cassandra} node, as it was recorded: keyspace ${keyspace} in ${roots.length} data directories`)
	showTables(roots)

	heading('Its snapshots, mirrored into a haven')
	const flags = dataDirectories.flatMap((directory) => ['--data-dir', directory])
	const line = ['--once', '-s', 'haven', ...flags, keyspace]
	if ((await snaphaven(folder, line)) !== 0) return 1

	heading(`What the haven now holds, in haven/data/${keyspace}/TABLE-ID/snapshots/TAG`)
	showTables([join(folder, 'haven/data')])
	const { checked, wrong } = checkDigests(join(folder, 'haven/data'))
	if (wrong.length > 0 || checked === 0) {
		print(mark('✖', 'red'), `these Data.db disagree with Digest.crc32: ${wrong.join(', ')}`)
		return 1
	}
	print(mark('✔', 'green'), `${checked} of ${checked} Data.db agree with the Digest.crc32 that Cassandra wrote`)

	heading('Once more: what is safe is not touched again')
	if ((await snaphaven(folder, line)) !== 0) return 1

	heading('For your own node')
	print(styleText('cyan', `  npm start -- ${ownCommand()}`))
	print(styleText('dim', '  (--dry-run first, if you like: it says what would be done, and touches nothing)'))
	print()
	print(
		styleText(
			'dim',
			keep ? `All of it is in ${folder}` : 'All of it was in a temporary folder; npm start -- --keep keeps it.',
		),
	)
	return 0
}

function showTables(roots) {
	const tables = listSnapshots(roots, keyspace)
	const width = Math.max(...tables.map(({ name }) => name.length))
	for (const { name, snapshots } of tables)
		print(`  ${name.padEnd(width)}  ${snapshots.map(describe).join(styleText('dim', ' · '))}`)
	const all = tables.flatMap(({ snapshots }) => snapshots)
	print(
		styleText(
			'dim',
			`  ${tables.length} tables, ${all.length} snapshots, ${all.reduce((sum, { files }) => sum + files, 0)} files`,
		),
	)
}

function describe({ tag, files }) {
	return `${tag} ${styleText('dim', `(${files})`)}`
}

/** Runs the real command within the folder, after showing it. */
async function snaphaven(folder, args) {
	print(styleText('cyan', `  $ snaphaven ${args.join(' ')}`))
	const command = [cli, ...args, '--state-dir', join(folder, 'state')]
	const [exitCode] = await once(spawn(process.execPath, command, { cwd: folder, stdio: 'inherit' }), 'exit')
	return exitCode
}

/** With the keyspaces that this machine has, where it is a node. */
function ownCommand() {
	const own = ownKeyspaces('/var/lib/cassandra/data')
	return `--once -s /mnt/nas/{host} ${own.length > 0 ? own.join(' ') : 'YOUR_KEYSPACE'}`
}

function heading(text) {
	print()
	print(styleText('bold', text))
}

function mark(sign, colour) {
	return `  ${styleText(colour, sign)}`
}

function print(...words) {
	process.stdout.write(`${words.join(' ')}\n`)
}
