// Makes a clone ready: dependencies when the lock file changed, the build when a source did. Runs on any Node.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const stamps = join(root, 'node_modules', '.snaphaven')

/** Runs make() unless it was run before over the very same bytes and what it makes is there. */
function once(name, files, product, make) {
	const hash = createHash('sha256')
	for (const file of files)
		hash
			.update(`${file}\0`)
			.update(readFileSync(join(root, file)))
			.update('\0')
	const digest = hash.digest('hex')
	const stamp = join(stamps, name)
	if (existsSync(join(root, product)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
	make()
	mkdirSync(stamps, { recursive: true })
	writeFileSync(stamp, digest)
}

function sources(folder) {
	return readdirSync(join(root, folder), { withFileTypes: true })
		.flatMap((entry) => (entry.isDirectory() ? sources(join(folder, entry.name)) : [join(folder, entry.name)]))
		.sort()
}

const run = (...args) => execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })

once('dependencies', ['package-lock.json'], 'node_modules/.bin/node', () => {
	console.error('snaphaven: installing dependencies …')
	run('ci', '--loglevel=error')
})
once('build', ['scripts/build.mjs', 'package.json', 'package-lock.json', ...sources('src')], 'dist/cli.js', () => {
	run('run', 'build', '--loglevel=error')
})
