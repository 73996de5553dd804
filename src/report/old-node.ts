const NODE_MIN = [22, 13] as const

/** Ends the process with exit code 2, and says why, on a Node that is too old to load the rest. */
export function refuseOldNode(): void {
	const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
	if (major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1])) return
	const needed = NODE_MIN.join('.')
	process.stderr.write(
		`error: snaphaven needs Node ${needed} or newer, and this is ${process.version} (${process.execPath})\n`,
	)
	process.exit(2)
}
