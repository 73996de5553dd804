import { writeText } from '../report/streams.ts'
import { type Flags, flagForms } from './flags.ts'

/** What the help of a command says, beside its flags. */
export interface HelpText {
	usage: string
	about: string
	examples: { does: string; line: string }[]
	exitCodes: Record<string, string>
}

/**
 * Tells the help of a command. Returns the exit code.
 * @param groups The flags' names under the heading of each group.
 */
export async function tellHelp(text: HelpText, flags: Flags, groups: Record<string, string[]>): Promise<number> {
	const { default: yargs } = await import('yargs')
	const help = yargs([])
		.parserConfiguration({ 'camel-case-expansion': false, 'dot-notation': false })
		.detectLocale(false)
		.help(false)
		.version(false)
		.exitProcess(false)
		.wrap(helpWidth())
		.usage(`Usage: ${text.usage}\n\n${text.about}`)
	for (const [title, names] of Object.entries(groups)) {
		for (const name of names) {
			const flag = flags[name]
			if (flag === undefined) continue
			// yargs has no word for a flag's value: here it stands as a part of the name.
			const shown = flagForms(name, flag).at(-1)?.slice(2) ?? name
			help.option(shown, { describe: flag.help, group: `${title}:`, ...(flag.short ? { alias: flag.short } : {}) })
		}
	}
	for (const { does, line } of text.examples) help.example(`# ${does}\n${line}`, '')
	const exitCodes = Object.entries(text.exitCodes).map(([code, meaning]) => `  ${code}   \t${meaning}`)
	help.epilog(['Exit codes:', ...exitCodes].join('\n'))
	writeText('stdout', `${await help.getHelp()}\n`)
	return 0
}

/** As wide as the terminal, within what reads well. */
function helpWidth(): number {
	return Math.min(Math.max(process.stdout.columns ?? 100, 70), 120)
}
