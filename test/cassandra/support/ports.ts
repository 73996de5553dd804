import { createServer } from 'node:net'

/** Ports that are free now. They are held open together, so that all are different. */
export async function freePorts(count: number): Promise<number[]> {
	const servers = Array.from({ length: count }, () => createServer())
	const ports = await Promise.all(
		servers.map(
			(server) =>
				new Promise<number>((resolve, reject) => {
					server.once('error', reject)
					server.listen(0, '127.0.0.1', () => {
						const address = server.address()
						resolve(typeof address === 'object' && address !== null ? address.port : 0)
					})
				}),
		),
	)
	await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
	return ports
}
