/**
 * Node's own modules, as `require` gives them. An `import` of node:fs makes all its exports at once, the lazy ones
 * too, and so loads streams, readline and promises: 30 ms of each thread's start.
 */
export const fs = process.getBuiltinModule('node:fs')
export const { constants } = fs
export const { crc32 } = process.getBuiltinModule('node:zlib')

/** A steady clock, in ms; performance.now would load perf_hooks. */
export function steadyMs(): number {
	return Number(process.hrtime.bigint()) / 1e6
}

/** A name that no other process takes (the kernel's random UUID, RFC 9562); node:crypto would take 15 ms to load. */
export function uniqueName(): string {
	return fs.readFileSync('/proc/sys/kernel/random/uuid', 'latin1').trim()
}
