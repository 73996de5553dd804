import { keepCompiledCode } from './compile-cache.ts'

// The entry of the process that hints come from.
keepCompiledCode()
await import('./watch/serve-hints.ts')
