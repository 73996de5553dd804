#!/usr/bin/env node

// Before anything starts the pool: 64 calls to a slow haven are in flight at once.
process.env['UV_THREADPOOL_SIZE'] ??= '64'

import { keepCompiledCode } from './compile-cache.ts'

const [major = 0] = process.versions.node.split('.').map(Number)
if (major < 22) {
	process.stderr.write(
		`error: snaphaven needs Node 22.13 or newer, and this is ${process.version} (${process.execPath})\n`,
	)
	process.exit(2)
}
keepCompiledCode()

const { main } = await import('./commands/main.ts')
process.exitCode = await main(process.argv.slice(2))
