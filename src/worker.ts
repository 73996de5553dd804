import { keepCompiledCode } from './compile-cache.ts'

// The entry of a worker thread: what it serves is loaded once the cache of compiled code is there for it.
keepCompiledCode()
await import('./mirror/serve-jobs.ts')
