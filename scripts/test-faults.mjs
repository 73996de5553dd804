// `npm run test:faults`: kills, power cuts, failing calls and a soak, some minutes of each; `-- --long` for hours of them.
// What else is given is for ava, such as the path of one test file.
import { spawn, spawnSync } from 'node:child_process'

/** What each test makes of its faults in the long run, unless the environment says otherwise. */
const long = {
	SNAPHAVEN_KILLS: '400',
	SNAPHAVEN_POWER_CUTS: '300',
	SNAPHAVEN_SWAPS: '50000',
	SNAPHAVEN_FAILING_CALLS: 'all',
	SNAPHAVEN_PAUSES: '20',
	SNAPHAVEN_ROUNDS: '100',
	SNAPHAVEN_CRASH_POINTS: '0.01',
	SNAPHAVEN_SOAK_SECONDS: '3600',
}

const words = process.argv.slice(2)
const isLong = words.includes('--long')
const ava = ['ava', '--config', 'test/faults/ava.config.mjs', ...words.filter((word) => word !== '--long')]
// What a test mounts is gone with it, also where it is killed.
const ownMounts = spawnSync('unshare', ['--mount', 'true']).status === 0 ? ['unshare', '--mount'] : []
const [program, ...args] = [...ownMounts, ...ava, ...(isLong ? ['--timeout', '6h'] : [])]
const env = isLong ? { ...long, ...process.env } : process.env
spawn(program, args, { stdio: 'inherit', env }).on('exit', (code) => {
	process.exitCode = code ?? 1
})
