import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { execa } from 'execa'
import PQueue from 'p-queue'
import { type CliResult, runCli, startCli } from '../support/cli.ts'
import { killedBefore } from './killed-before.ts'
import { slowly, wrapped } from './strace.ts'

/** A command whose runs are killed, over a folder of its own each. */
export interface Subject {
	/** Made once; each run gets a copy of it. */
	folder: string
	/** The command, over such a copy. */
	args: (copy: string) => string[]
	/** What a kill must never leave. */
	broken: (copy: string) => string[]
	/** What is wrong after a further run, which nobody stopped. */
	unfinished: (copy: string, ran: CliResult) => string[]
}

/** Two runs side by side, as there are two cores. */
const WIDTH = 2

/** Kills runs at random instants, and lets each be finished by another: what is wrong, and how many were midway. */
export async function killAtRandom(
	subject: Subject,
	kills: number,
): Promise<{ midway: number; runMs: number; wrong: string[] }> {
	const runMs = await rehearse(subject)
	let midway = 0
	const kill = async (copy: string) => {
		const run = startCli(subject.args(copy), { stateDirectory: join(copy, 'state'), wrapper: slowly })
		await Promise.race([run, pause(runMs * (0.2 + Math.random()))])
		const victim = wrapped(run.pid ?? 0)
		if (victim !== undefined) {
			process.kill(victim, 'SIGKILL')
			midway++
		}
		await run
	}
	const queue = new PQueue({ concurrency: WIDTH })
	const numbers = Array.from({ length: kills }, (_, number) => number)
	const wrong = await Promise.all(
		numbers.map((number) => queue.add(() => episode(subject, `random-${number}`, kill).then((one) => one.wrong))),
	)
	return { midway, runMs, wrong: wrong.flat() }
}

/** How long an undisturbed run on the slow disk takes, in ms; it has to come to its end. */
async function rehearse(subject: Subject): Promise<number> {
	let runMs = 0
	const { wrong } = await episode(subject, 'rehearsal', async (copy) => {
		const start = performance.now()
		await runCli(subject.args(copy), { stateDirectory: join(copy, 'state'), wrapper: slowly })
		runMs = performance.now() - start
	})
	if (wrong.length > 0) throw new Error(`the rehearsal: ${wrong.join('; ')}`)
	return runMs
}

/** Kills a run at the first call of each name, another one some calls later, until one makes fewer. */
export async function killAtEach(
	subject: Subject,
	steps: Record<string, number>,
): Promise<{ name: string; kills: number; wrong: string[] }[]> {
	const queue = new PQueue({ concurrency: WIDTH })
	const ofName = async ([name, step]: [string, number]) => {
		const wrong: string[] = []
		for (let call = 1; ; call += step) {
			const kill = (copy: string) =>
				runCli(subject.args(copy), { stateDirectory: join(copy, 'state'), env: killedBefore(copy, name, call) })
			const ended = await episode(subject, `${name}-${call}`, kill)
			wrong.push(...ended.wrong)
			if (ended.result.signal !== 'SIGKILL') return { name, kills: (call - 1) / step, wrong }
		}
	}
	return await Promise.all(Object.entries(steps).map((entry) => queue.add(() => ofName(entry))))
}

/** Disturbs a run over a copy, looks at what it left, and lets another one end the work. */
async function episode<Result>(
	{ folder, args, broken, unfinished }: Subject,
	name: string,
	disturb: (copy: string) => Promise<Result>,
): Promise<{ result: Result; wrong: string[] }> {
	const copy = `${folder}-${name}`
	await execa('cp', ['-a', folder, copy])
	try {
		const result = await disturb(copy)
		const left = broken(copy)
		const ran = await runCli(args(copy), { stateDirectory: join(copy, 'state') })
		const wrong = [...left, ...broken(copy), ...unfinished(copy, ran)]
		return { result, wrong: wrong.map((what) => `${name}: ${what}`) }
	} finally {
		await rm(copy, { recursive: true, force: true })
	}
}
