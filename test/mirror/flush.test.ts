import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { tellsFailures } from '../../src/haven/flush.ts'
import { assertMirrored } from '../support/mirrored.ts'
import { clearSnapshot, flushTables, removeLive, takeSnapshot } from '../support/tree.ts'
import {
	assertNoTrace,
	changesBetween,
	fingerprint,
	makeScene,
	mirrored,
	type Scene,
	trueReceipts,
} from './support/scene.ts'

/** A `sync` before the system's own, whose flushes of the haven fail where the number of the call fits. */
function failingSync(
	t: ExecutionContext,
	{ own }: Scene,
	fails: string,
): { env: Record<string, string>; calls: () => number } {
	const folder = join(own, 'bin')
	const log = join(own, 'flushes')
	mkdirSync(folder, { recursive: true })
	writeFileSync(log, '')
	writeFileSync(
		join(folder, 'sync'),
		`#!/bin/sh
case "$*" in *fd/3*) ;; *) exit 0 ;; esac
echo "$*" >>${log}
call=$(wc -l <${log})
if [ ${fails} ]; then sleep 0.3; echo "sync: error syncing: Input/output error" >&2; exit 1; fi
`,
	)
	chmodSync(join(folder, 'sync'), 0o755)
	t.teardown(() => {})
	return {
		env: { PATH: `${folder}:${process.env['PATH']}` },
		calls: () => readFileSync(log, 'utf8').split('\n').length - 1,
	}
}

test('where a flush fails nothing counts, and the node’s snapshot is not touched', async (t) => {
	const scene = makeScene(t, { tables: 2 })
	takeSnapshot(scene.node, 'daily')
	const before = fingerprint(scene.node.root)
	const failing = failingSync(t, scene, '$call -ge 1')
	const result = await scene.sync(['--move-snapshots'], failing)
	t.is(result.exitCode, 1)
	t.regex(result.stderr, /could not be flushed to stable storage: sync: error syncing: Input\/output error/)
	assertNoTrace(t, result)
	t.true(failing.calls() >= 1)
	t.deepEqual(changesBetween(before, fingerprint(scene.node.root)), [])
	t.deepEqual(trueReceipts(t, scene), [])
	t.false(existsSync(mirrored(scene, 'daily')))
	await scene.syncWell()
	assertMirrored(scene.node, scene.haven)
})

for (const call of [1, 2]) {
	test(`after a flush that failed once (the ${call === 1 ? 'first' : 'second'}) everything is gathered anew`, async (t) => {
		const scene = makeScene(t)
		takeSnapshot(scene.node, 'daily')
		const log = join(scene.own, 'calls')
		const failing = failingSync(t, scene, `$call -eq ${call}`)
		const trace = ['strace', '-f', '-qq', '-e', 'trace=openat', '-o', log]
		const wrapper = existsSync('/usr/bin/strace') ? trace : []
		await scene.syncWell([], { ...failing, wrapper })
		t.is(failing.calls(), call + 2)
		t.is(trueReceipts(t, scene).length, 1)
		assertMirrored(scene.node, scene.haven)
		if (wrapper.length === 0) return
		const made = readFileSync(log, 'utf8').match(/"[^"]*nb-1-big-Data\.db", O_WRONLY\|O_CREAT\|O_EXCL/g)
		t.is(made?.length, 2, 'the file is written twice, and not only flushed twice')
	})
}

test('a snapshot whose flush fails again takes down none that was gathered beside it', async (t) => {
	const scene = makeScene(t, { tables: 3 })
	takeSnapshot(scene.node, 'daily')
	const failing = failingSync(t, scene, '$call -le 2')
	const { exitCode, stderr, stdout } = await scene.sync([], failing)
	t.is(exitCode, 1)
	t.is(stderr.match(/^failed /gm)?.length, 1, stderr)
	t.is(stdout.match(/^sealed /gm)?.length, 2)
	t.is(trueReceipts(t, scene).length, 2)
	await scene.syncWell()
	assertMirrored(scene.node, scene.haven)
})

test('where the flush behind a replacement fails the older copy and its receipt are back', async (t) => {
	const scene = makeScene(t)
	takeSnapshot(scene.node, 'daily')
	await scene.syncWell()
	const copy = fingerprint(mirrored(scene, 'daily'))
	const [receipt] = trueReceipts(t, scene)
	clearSnapshot(scene.node, 'daily')
	removeLive(scene.node)
	flushTables(scene.node)
	takeSnapshot(scene.node, 'daily')
	const failing = failingSync(t, scene, '$call -ge 2')
	t.is((await scene.sync([], failing)).exitCode, 1)
	// The folder was renamed twice, which its status remembers.
	const noTimes = (lines: string[]) => lines.filter((line) => !/^ d /.test(line))
	t.deepEqual(changesBetween(noTimes(copy), noTimes(fingerprint(mirrored(scene, 'daily')))), [])
	t.deepEqual(trueReceipts(t, scene), receipt ? [receipt] : [])
	await scene.syncWell()
	assertMirrored(scene.node, scene.haven)
})

test('syncfs is believed from the Linux on that tells of failed writes', (t) => {
	for (const kernel of ['5.8.0', '5.10.0-8-amd64', '6.1.0', '10.0']) t.true(tellsFailures(kernel), kernel)
	for (const kernel of ['4.18.0-513.el8', '5.7.19', '5.4.0-1', '3.10.0', '']) t.false(tellsFailures(kernel), kernel)
})
