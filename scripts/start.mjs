// `npm start -- ARGS` is `snaphaven ARGS`; without them, or with --keep alone, it is the demonstration.
process.env.UV_THREADPOOL_SIZE ??= '64'

const args = process.argv.slice(2)
if (args.length === 0 || args.join() === '--keep') {
	const { demonstrate } = await import('./demo.mjs')
	process.exitCode = await demonstrate({ keep: args.length > 0 })
} else {
	if (process.env.INIT_CWD) process.chdir(process.env.INIT_CWD)
	await import('../dist/cli.js')
}
