import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Calls that change a folder, by their names in node:fs. */
export const folderCalls = ['rename', 'link', 'unlink', 'rmdir', 'mkdir']

/**
 * The environment of a command that is killed before a thread of it makes its so-manieth call of this name: with one number
 * after the other it is stopped between any two. A command that makes fewer comes to its end. strace would count those of
 * each of libuv's threads by themselves, which share them, and takes three times as long.
 */
export function killedBefore(folder: string, name: string, call: number): Record<string, string> {
	const file = join(folder, 'killed-before.mjs')
	writeFileSync(
		file,
		`const fs = process.getBuiltinModule('node:fs')
		let left = ${call}
		const kill = (forms, form) => {
			const original = forms[form]
			forms[form] = (...args) => {
				if (--left === 0) process.kill(process.pid, 'SIGKILL')
				return original(...args)
			}
		}
		kill(fs, '${name}')
		kill(fs, '${name}Sync')
		kill(fs.promises, '${name}')
		process.getBuiltinModule('node:module').syncBuiltinESMExports()`,
	)
	return { NODE_OPTIONS: `--import=${file}` }
}
