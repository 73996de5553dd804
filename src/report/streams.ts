type Name = 'stdout' | 'stderr'

const lost = { stdout: false, stderr: false }
let onStdoutLost: (error: NodeJS.ErrnoException | undefined) => void = () => {}

/** Keeps a stdout or stderr that breaks from ending the process by an exception: what follows is thrown away. */
export function guardStreams(): void {
	process.stderr.on('error', () => {
		lost.stderr = true
	})
	process.stdout.on('error', (error: NodeJS.ErrnoException) => {
		if (lost.stdout) return
		lost.stdout = true
		onStdoutLost(error.code === 'EPIPE' ? undefined : error)
	})
}

/** Calls back once when stdout is lost: with the error, or without one where its reader just went away (EPIPE). */
export function whenStdoutLost(callback: (error: NodeJS.ErrnoException | undefined) => void): void {
	onStdoutLost = callback
}

/** Waits until stdout took, or lost, all that was written by now. */
export function stdoutSettled(): Promise<void> {
	return new Promise((resolve) => {
		if (lost.stdout) resolve()
		else process.stdout.write('', () => setImmediate(resolve))
	})
}

/** Writes text as it is. */
export function writeText(to: Name, text: string): void {
	if (!lost[to]) process[to].write(text)
}
