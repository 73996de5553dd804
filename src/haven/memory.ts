import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { uniqueName } from '../files/builtins.ts'
import { hasCode } from '../files/io.ts'

/**
 * What this node remembers, and may forget: which haven was seen at which path. A path that is known but has no
 * haven.json is a mount that is missing.
 */
export async function recallHaven(stateDirectory: string, path: string): Promise<string | undefined> {
	return (await readMemory(stateDirectory))[path]
}

/** Remembers a haven's id; fails with the system's error where the state directory can't be written. */
export async function rememberHaven(stateDirectory: string, path: string, id: string): Promise<void> {
	const memory = await readMemory(stateDirectory)
	if (memory[path] === id) return
	const draft = `${stateDirectory}/havens-${uniqueName()}.json`
	await mkdir(stateDirectory, { recursive: true })
	await writeFile(draft, `${JSON.stringify({ ...memory, [path]: id }, undefined, '\t')}\n`)
	await rename(draft, `${stateDirectory}/havens.json`)
}

async function readMemory(stateDirectory: string): Promise<Record<string, string>> {
	try {
		const json: unknown = JSON.parse(await readFile(`${stateDirectory}/havens.json`, 'utf8'))
		return typeof json === 'object' && json !== null ? (json as Record<string, string>) : {}
	} catch (error) {
		if (error instanceof SyntaxError || hasCode(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return {}
		throw error
	}
}
