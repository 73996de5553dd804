import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { execa, execaSync } from 'execa'

const source = join(import.meta.dirname, 'nasfs')
const cache = join(import.meta.dirname, '../../.cache')
/** A mount that does not stand after this long is given up. */
const mountMsMax = 120_000

export interface NasOptions {
	/** Wait before each operation; default 1 ms. */
	latencyMs?: number
	/** Cap over all reads and writes; default none. */
	bandwidthMBs?: number
	/** The folder that is served; default a new one in the temporary folder, removed with the mount. */
	backing?: string
	/** Never made to fail: it then reads no control file at each operation, which a bench would time too. */
	faultless?: boolean
	/** Notes the operations that it serves, for `served`. */
	counting?: boolean
}

/** A folder that behaves as a NAS does. */
export interface Nas {
	/** Where it is mounted. */
	path: string
	/** The folder that it serves: what the NAS itself has on its disks. */
	backing: string
	/** What goes wrong from now on, as nasfs/main.go describes: `fault('write ENOSPC 7', 'fsync hang')`, or another cap; nothing without words. */
	fault: (...lines: string[]) => void
	/** The operations that it has served since it was last told what goes wrong, by their names in nasfs/operations.go; where it is `counting`. */
	served: () => string[]
	/** Ends it within seconds, also where calls hang in it (they get ENOTCONN). Once is enough; twice does no harm. */
	unmount: () => Promise<void>
}

/** What this machine lacks to mount a nasfs; undefined where it can. For titles: a test that can't run is reported so. */
export function nasfsMissing(): string | undefined {
	if (process.getuid?.() !== 0) return 'needs root to mount'
	try {
		accessSync('/dev/fuse', constants.R_OK | constants.W_OK)
	} catch {
		return 'needs /dev/fuse'
	}
	if (existsSync(binary()) || execaSync('go', ['version'], { reject: false }).exitCode === 0) return undefined
	return 'needs Go to build test/support/nasfs'
}

/** Mounts a NAS. The mount ends with `unmount`, or with this process, whichever is first. */
export async function mountNas(options: NasOptions = {}): Promise<Nas> {
	const own = await mkdtemp(join(tmpdir(), 'snaphaven-nas-'))
	const path = join(own, 'mount')
	const control = join(own, 'control')
	const noted = join(own, 'served')
	const backing = options.backing ?? join(own, 'backing')
	for (const folder of [path, backing]) await mkdir(folder, { recursive: true })
	const flags = ['-latency', `${options.latencyMs ?? 1}ms`, '-bandwidth', String(options.bandwidthMBs ?? 0)]
	if (!options.faultless) flags.push('-control', control)
	if (options.counting) flags.push('-served', noted)
	const server = execa(await built(), [...flags, backing, path], {
		reject: false,
		stdin: 'pipe',
		buffer: false,
	})
	const end = async () => {
		server.stdin.end()
		const ended = await Promise.race([server.then(() => true), pause(2000, false, { ref: false })])
		if (!ended) await execa('umount', ['--lazy', path], { reject: false, timeout: 5000 })
		server.kill('SIGKILL')
		await server
		await rm(own, { recursive: true, force: true })
	}
	let ending: Promise<void> | undefined
	const unmount = () => {
		ending ??= end()
		return ending
	}
	const mounted = new Promise((resolve) => server.stdout.once('data', () => resolve(true)))
	const stands = await Promise.race([mounted, server.then(() => false), pause(mountMsMax, false, { ref: false })])
	if (!stands) {
		await unmount()
		throw new Error(`nasfs did not mount ${backing} at ${path} within ${mountMsMax} ms`)
	}
	const fault = (...lines: string[]) => {
		writeFileSync(control, lines.join('\n'))
		if (options.counting) truncateSync(noted)
	}
	return { path, backing, fault, served: () => readFileSync(noted, 'utf8').split('\n').slice(0, -1), unmount }
}

/** The server's name holds the hash of its source, so that it is built once for each version of it. */
function binary(): string {
	const hash = createHash('sha256')
	for (const name of readdirSync(source).sort()) hash.update(name).update(readFileSync(join(source, name)))
	return join(cache, `nasfs-${hash.digest('hex').slice(0, 16)}`)
}

/** Builds the server where it is not yet; a minute where Go has built nothing before. */
export async function built(): Promise<string> {
	const wanted = binary()
	if (existsSync(wanted)) return wanted
	await mkdir(cache, { recursive: true })
	console.error('nasfs: building …')
	// Several test files want it at once: one builds, the others wait. The kernel's lock ends with its holder.
	const build = 'test -e "$0" || { go build -o "$0.new" . && mv "$0.new" "$0"; }'
	await execa('flock', [`${wanted}.lock`, 'sh', '-c', build, wanted], { cwd: source })
	return wanted
}
