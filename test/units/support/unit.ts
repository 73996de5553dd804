import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const project = join(import.meta.dirname, '../../..')

/** The text of a file that is shipped. */
export function shipped(path: string): string {
	return readFileSync(join(project, path), 'utf8')
}

/** The settings of a unit, `Section.Key` to its values in order. Throws for a line that is none. */
export function settingsOf(text: string): Map<string, string[]> {
	const settings = new Map<string, string[]>()
	let section = ''
	for (const line of text.split('\n')) {
		if (line === '' || line.startsWith('#')) continue
		const [, header] = /^\[(\w+)\]$/.exec(line) ?? []
		if (header !== undefined) {
			section = header
			continue
		}
		const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? []
		if (key === undefined || value === undefined) throw new Error(`no setting: ${line}`)
		const name = `${section}.${key}`
		settings.set(name, [...(settings.get(name) ?? []), value])
	}
	return settings
}

/**
 * The words of a unit's ExecStart, with its variables put in as systemd does: split at blanks where `$NAME` is a word of
 * its own (systemd.service(5), "Command lines").
 */
export function commandOf(settings: Map<string, string[]>, environment: Record<string, string>): string[] {
	const [line = ''] = settings.get('Service.ExecStart') ?? []
	return line.split(' ').flatMap((word) => {
		const [, name] = /^\$(\w+)$/.exec(word) ?? []
		return name === undefined ? [word] : (environment[name] ?? '').split(' ').filter((part) => part !== '')
	})
}

/** The stanzas of an upstart job (init(5)), by their first words. Throws for what is none. */
export function stanzasOf(text: string): Map<string, string> {
	const known = [
		...['description', 'start on', 'stop on', 'respawn limit', 'respawn', 'normal exit', 'setuid', 'setgid', 'nice'],
		...['oom score', 'kill timeout', 'console', 'post-stop exec'],
	]
	const stanzas = new Map<string, string>()
	let script: string[] | undefined
	for (const line of text.split('\n')) {
		if (line === 'end script') {
			stanzas.set('script', (script ?? []).join('\n'))
			script = undefined
		} else if (script !== undefined) script.push(line)
		else if (line === 'script') script = []
		else if (line !== '' && !line.startsWith('#')) {
			const stanza = known.find((one) => line === one || line.startsWith(`${one} `))
			if (stanza === undefined || stanzas.has(stanza)) throw new Error(`no stanza, or one too many: ${line}`)
			stanzas.set(stanza, line.slice(stanza.length).trim())
		}
	}
	if (script !== undefined) throw new Error('a script without an end')
	return stanzas
}
