import test from 'ava'
import { makeDesk } from '../../src/mirror/desk.ts'

const table = (name: string) => ({ keyspace: 'ks', table: name, dataDirectories: [] })

/** A desk for one look at a time, and how to end the looks that were begun. */
function makeScene() {
	const begun: string[] = []
	const ends = new Map<string, () => void>()
	const desk = makeDesk(async (location, giveWay) => {
		begun.push(location.table)
		if (location.table.startsWith('large')) giveWay()
		await new Promise<void>((resolve) => ends.set(location.table, resolve))
		return undefined
	}, 1)
	const turn = () => new Promise(setImmediate)
	return { desk, begun, turn, end: (name: string) => ends.get(name)?.() }
}

test('a look that has given way keeps no other table waiting, and its own table is looked at once it has ended', async (t) => {
	const { desk, begun, turn, end } = makeScene()
	for (const name of ['large', 'large too', 'one', 'other', 'large']) desk.want(table(name))
	await turn()
	t.deepEqual(begun, ['large', 'large too', 'one'])
	desk.want(table('large'))
	end('one')
	await turn()
	t.deepEqual(begun.slice(3), ['other'])
	end('other')
	end('large')
	await turn()
	t.deepEqual(begun.slice(4), ['large'])
	end('large too')
	end('large')
	await desk.idle()
})

test('the desk is idle, and closed, only when those that gave way have ended too', async (t) => {
	const { desk, begun, turn, end } = makeScene()
	desk.want(table('large'))
	await turn()
	const ended: string[] = []
	const idle = desk.idle().then(() => ended.push('idle'))
	const closed = desk.close().then(() => ended.push('closed'))
	desk.want(table('later'))
	await turn()
	t.deepEqual(ended, [])
	end('large')
	await Promise.all([idle, closed])
	t.deepEqual(begun, ['large'])
})
