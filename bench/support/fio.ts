import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { execa, execaSync } from 'execa'

/** What fio tells of a kind of operation (its --output-format=json); times in ns. */
interface Told {
	percentile: Record<'50.000000' | '99.000000', number>
	max: number
}

/** What it tells of its only job. */
interface Job {
	read: { clat_ns: Told }
	/** Its fsyncs. */
	sync: { lat_ns: Told }
}

/** What the machine lacks for it; undefined where it can run. */
export function fioMissing(): string | undefined {
	return execaSync('fio', ['--version'], { reject: false }).exitCode === 0 ? undefined : 'needs fio'
}

/** Has fio work on blocks of 4 kB of a file, one at a time, for as long as `use` takes, and gives what it tells. */
export async function whileFio(file: string, flags: string[], use: () => Promise<unknown>): Promise<Job> {
	const begun = `${file}.begun`
	const forever = ['--bs=4k', '--time_based', '--runtime=3600', '--output-format=json', `--exec_prerun=touch ${begun}`]
	const fio = execa('fio', ['--name=probe', `--filename=${file}`, ...flags, ...forever], {
		// It writes what the other command prints into a file there.
		cwd: dirname(file),
		reject: false,
	})
	while (!existsSync(begun) && fio.exitCode === null) await pause(20)
	await rm(begun)
	await use().finally(() => fio.kill('SIGINT'))
	const { stdout, stderr } = await fio
	if (!stdout.includes('"jobs"')) throw new Error(`fio told nothing: ${stdout} ${stderr}`)
	return JSON.parse(stdout.slice(stdout.indexOf('{'))).jobs[0]
}
