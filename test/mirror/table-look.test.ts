import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { startThreads } from '../../src/mirror/engine.ts'
import { makeLedger } from '../../src/mirror/ledger.ts'
import { makeServiceLog } from '../../src/mirror/service-log.ts'
import { withPass } from '../../src/mirror/session.ts'
import { makeMemories, makeTableLook } from '../../src/mirror/table-look.ts'
import type { SyncOptions } from '../../src/mirror/types.ts'
import { ownFolder } from '../support/folder.ts'
import { mountNas, nasfsMissing } from '../support/nasfs.ts'
import { testWhere } from '../support/not-run.ts'
import { flushTables, makeTree, removeLive, tagFolders, takeSnapshot } from '../support/tree.ts'

// Test files run in threads, which may not set it, and so not ask for it.
const umask = process.umask()
process.umask = () => umask

/** A service's looks at a node's only table, when the test says so; `seenAt` is where it finds the node's root. */
async function makeLooks(
	t: ExecutionContext,
	root: string,
	seenAt: string,
	work: (looks: Looks) => Promise<void>,
): Promise<void> {
	const own = ownFolder(t)
	const node = makeTree(root, { tables: 1 })
	const log = makeServiceLog({ haven: join(own, 'haven'), mirrorDeletes: undefined }, makeLedger(), () => {})
	const options: SyncOptions = {
		dataDirectories: [join(seenAt, 'data')],
		keyspaces: ['ks'],
		haven: join(own, 'haven'),
		stateDirectory: join(own, 'state'),
		matchesTag: () => true,
		matchesTable: () => true,
		fullsync: true,
		facts: {},
		move: false,
		mirrorDeletes: undefined,
		live: false,
		keepDeletedDays: undefined,
		backups: false,
		pruneBackups: undefined,
		hardlink: false,
		dryRun: false,
		settleMs: 300,
		newHaven: false,
		requireMount: false,
		takeOver: false,
	}
	const threads = startThreads()
	const { signal } = new AbortController()
	try {
		await withPass({ options, threads, totals: log.totals, signal, patienceMs: 10_000 }, async (pass) => {
			const memories = makeMemories()
			const look = makeTableLook(pass, log, memories)
			const location = { keyspace: 'ks', table: node.folders[0] ?? '', dataDirectories: options.dataDirectories }
			const { summary } = log.totals
			await work({ node, look: () => look(location, () => {}), count: (what) => summary()[what], ...memories })
		})
	} finally {
		await threads.close()
	}
}

interface Looks {
	node: ReturnType<typeof makeTree>
	/** In how many ms to look again. */
	look: () => Promise<number | undefined>
	/** How often it was so until now. */
	count: (what: 'failed' | 'sealed' | 'skipped') => number
	endRests: () => void
}

test('a table of which nothing was sealed or moved is not looked at again for its seal', async (t) => {
	const root = join(ownFolder(t), 'node')
	await makeLooks(t, root, root, async ({ node, look, count }) => {
		takeSnapshot(node, 'repair', { ephemeral: true })
		t.is(await look(), undefined)
		t.is(count('skipped'), 1)
		takeSnapshot(node, 'daily')
		t.true(Number(await look()) > 0)
		t.is(count('sealed'), 1)
	})
})

testWhere(nasfsMissing(), 'what failed after some copying rests, until it changes or somebody asks', async (t) => {
	const nas = await mountNas({ latencyMs: 20 })
	t.teardown(nas.unmount)
	// What is written past the mount is in no cache of it.
	await makeLooks(t, nas.backing, nas.path, async ({ node, look, count, endRests }) => {
		takeSnapshot(node, 'daily')
		const [{ path = '' } = {}] = tagFolders(node, 'daily')
		const lookInVain = async () => {
			// One of the SSTables' files, after some looks at the manifest.
			nas.fault('open EIO 12')
			await look()
			nas.fault()
		}
		await lookInVain()
		t.is(count('failed'), 1)
		// It would be sealed if it was tried.
		const pause = Number(await look())
		t.true(pause > 1000, String(pause))
		t.is(count('failed') + count('sealed'), 1)
		// Another of the same table does not wait.
		removeLive(node)
		flushTables(node)
		takeSnapshot(node, 'other')
		await look()
		t.is(count('sealed'), 1)
		const long = new Date(Date.now() - 60_000)
		utimesSync(path.replace(nas.backing, nas.path), long, long)
		await lookInVain()
		t.is(count('failed'), 2)
		endRests()
		await look()
		t.is(count('sealed'), 2)
	})
})
