import { chmod, mkdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { defaultStateDirectory } from '../../src/commands/state-directory.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

test('the state is kept where the system keeps it, if that can be written or made', async (t) => {
	const system = join(await temporaryFolder(t), 'snaphaven')
	t.is(defaultStateDirectory({}, system), system)
	await mkdir(system)
	t.is(defaultStateDirectory({ XDG_STATE_HOME: '/x' }, system), system)
})

test('it is kept in the home where the system folder cannot be made', (t) => {
	t.is(defaultStateDirectory({ XDG_STATE_HOME: '/x/state' }, '/nowhere/at/all'), '/x/state/snaphaven')
	t.is(defaultStateDirectory({ XDG_STATE_HOME: 'relative' }, '/nowhere/at/all'), home())
	t.is(defaultStateDirectory({ XDG_STATE_HOME: '' }, '/nowhere/at/all'), home())
	t.is(defaultStateDirectory({}, '/nowhere/at/all'), home())
})

test('a system folder that is there but not writable is not used', async (t) => {
	const folder = await temporaryFolder(t)
	const system = join(folder, 'snaphaven')
	await mkdir(system)
	await chmod(system, 0o500)
	const expected = process.geteuid?.() === 0 ? system : home()
	t.is(defaultStateDirectory({}, system), expected)
})

function home(): string {
	return join(homedir(), '.local', 'state', 'snaphaven')
}
