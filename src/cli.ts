#!/usr/bin/env node

// Before anything starts the pool: 64 calls to a slow haven are in flight at once.
process.env['UV_THREADPOOL_SIZE'] ??= '64'

import { keepCompiledCode } from './compile-cache.ts'
import { refuseOldNode } from './report/old-node.ts'

refuseOldNode()
keepCompiledCode()

const { main } = await import('./commands/main.ts')
process.exitCode = await main(process.argv.slice(2))
