import { createServer } from 'node:net'

/** Below what Linux hands out by itself (ip_local_port_range begins at 32768): nobody's own connection takes one meanwhile. */
const lowestPort = 15_000
const portCount = 15_000

/** Ports of 127.0.0.1 that are free now, chosen at random. They are held open together, so that all are different. */
export async function freePorts(count: number): Promise<number[]> {
	const held: Held[] = []
	while (held.length < count) {
		const port = lowestPort + Math.floor(Math.random() * portCount)
		const server = await hold(port)
		if (server !== undefined) held.push(server)
	}
	await Promise.all(held.map(({ release }) => release()))
	return held.map(({ port }) => port)
}

interface Held {
	port: number
	release: () => Promise<void>
}

/** Listens there; undefined where somebody else does. */
function hold(port: number): Promise<Held | undefined> {
	return new Promise((resolve) => {
		const server = createServer()
		server.once('error', () => resolve(undefined))
		server.listen(port, '127.0.0.1', () =>
			resolve({ port, release: () => new Promise((released) => server.close(() => released())) }),
		)
	})
}
