// Makes a clone ready: dependencies when the lock file changed, the build when a source did. Runs on any Node.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const stamps = join(root, 'node_modules', '.snaphaven')

/** Runs make() unless it was run before over the very same bytes and what it makes is there. */
async function once(name, files, product, make) {
	const hash = createHash('sha256')
	for (const file of files)
		hash
			.update(`${file}\0`)
			.update(readFileSync(join(root, file)))
			.update('\0')
	const digest = hash.digest('hex')
	const stamp = join(stamps, name)
	if (existsSync(join(root, product)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
	await make()
	mkdirSync(stamps, { recursive: true })
	writeFileSync(stamp, digest)
}

function sources(folder) {
	return readdirSync(join(root, folder), { withFileTypes: true })
		.flatMap((entry) => (entry.isDirectory() ? sources(join(folder, entry.name)) : [join(folder, entry.name)]))
		.sort()
}

/** Runs npm, and shows what it says only where it fails. */
function npm(...args) {
	return new Promise((resolve, reject) => {
		execFile('npm', [...args, '--loglevel=error'], { cwd: root }, (error, _, said) => {
			if (error) reject(new Error(`npm ${args[0]} failed: ${said.trim() || error.message}`))
			else resolve()
		})
	})
}

/** The lock file has said which versions: the registry is asked only for what the cache does not have. */
const quietly = ['--prefer-offline', '--no-audit']

/** The package that has Node's binary for this machine, as the package `node` names it. */
const nodePackage = [
	process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node',
	process.platform,
	process.arch,
].join('-')

/**
 * Installs what the lock file says. What the package `node` does in its install script, an npm of its own, is done here
 * beside it: one after the other they take twice as long.
 */
async function install() {
	const { version } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages['node_modules/node']
	const beside = mkdtempSync(join(root, '.node-'))
	try {
		writeFileSync(join(beside, 'package.json'), '{}')
		const both = [
			npm('ci', '--ignore-scripts', ...quietly),
			npm('install', '--no-save', ...quietly, '--prefix', beside, `${nodePackage}@${version}`),
		]
		await Promise.allSettled(both)
		await Promise.all(both)
		const own = join(root, 'node_modules', 'node', 'bin')
		mkdirSync(own, { recursive: true })
		const binary = join(beside, 'node_modules', nodePackage, 'bin', 'node')
		try {
			renameSync(binary, join(own, 'node'))
		} catch (error) {
			// node_modules may be a volume of its own.
			if (error.code !== 'EXDEV') throw error
			copyFileSync(binary, join(own, 'node'))
		}
		rmSync(join(root, 'node_modules/.bin/node'), { force: true })
		symlinkSync('../node/bin/node', join(root, 'node_modules/.bin/node'))
	} finally {
		rmSync(beside, { recursive: true, force: true })
	}
}

try {
	await once('dependencies', ['package-lock.json'], 'node_modules/.bin/node', async () => {
		console.error('snaphaven: installing dependencies …')
		await install()
	})
	const inBuild = ['scripts/build.mjs', 'package.json', 'package-lock.json', ...sources('src')]
	await once('build', inBuild, 'dist/cli.js', () => npm('run', 'build'))
} catch (error) {
	console.error(`snaphaven: it could not be set up: ${error.message}`)
	process.exitCode = 1
}
