// Builds dist/: the command, the worker thread's entry and the hinter's, each with what it needs in few files, small
// libraries among it. Loading hundreds of modules one by one took a third of a short run's time. Types are not checked
// here: `npm run check` does.
import { chmodSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const fresh = mkdtempSync(join(root, '.dist-'))

/** What is loaded where it is needed, from node_modules: large, native, or with files of its own. */
const external = [
	'@parcel/watcher',
	'cassandra-driver',
	'chalk',
	'fs-extra',
	'log-update',
	'pino',
	'string-width',
	'yaml',
	'yargs',
]

for (const entry of ['cli', 'worker', 'hinter']) {
	await build({
		absWorkingDir: root,
		entryPoints: { [entry]: `src/${entry}.ts` },
		outdir: fresh,
		bundle: true,
		splitting: true,
		external,
		format: 'esm',
		platform: 'node',
		target: 'node22',
		chunkNames: '[name]-[hash]',
		legalComments: 'inline',
		logLevel: 'warning',
	})
}
chmodSync(fresh, 0o755)
chmodSync(join(fresh, 'cli.js'), 0o755)
rmSync(join(root, 'dist'), { recursive: true, force: true })
renameSync(fresh, join(root, 'dist'))
