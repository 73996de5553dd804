import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { assertMirrored } from '../../test/support/mirrored.ts'
import type { Tree } from '../../test/support/tree.ts'
import { secondsOf } from './rounds.ts'
import { havenIn, syncCommand } from './snaphaven.ts'

/** A pass over a tree, its time and its largest resident set: GNU time tells that of the command itself, which nothing else on the way has a share in. */
export async function measuredPass(tree: Tree, target: string): Promise<{ seconds: number; peakMB: number }> {
	const told = join(target, 'peak')
	const seconds = await secondsOf(['/usr/bin/time', '--format=%M', `--output=${told}`, ...syncCommand(tree, target)])
	assertMirrored(tree, havenIn(target))
	return { seconds, peakMB: (Number(readFileSync(told, 'utf8')) * 1024) / 1e6 }
}

/** What this machine lacks for `measuredPass`; undefined where it can. */
export function timeMissing(): string | undefined {
	const { exitCode } = execaSync('/usr/bin/time', ['--format=%M', '--output=/dev/null', 'true'], { reject: false })
	return exitCode === 0 ? undefined : 'needs GNU time'
}
