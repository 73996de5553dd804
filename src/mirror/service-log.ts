import type { TableLocation } from '../cassandra/list-snapshot.ts'
import type { SSTableFolders } from '../cassandra/look-at-live.ts'
import { FULL } from '../haven/trouble.ts'
import type { Ledger } from './ledger.ts'
import type { ServiceStatus } from './service-status.ts'
import { makeNews, nameOf } from './tell-once.ts'
import { makeTotals, type Totals } from './totals.ts'
import type { BackupsSummary, LiveSummary, ServiceOptions, SyncEvent } from './types.ts'

/** What a service tells, once for each thing, and what it answers when it is asked how it is. */
export interface ServiceLog {
	totals: Totals
	/** The haven as a whole can't be worked with. Told when that begins; that the reason becomes another is no news. */
	havenFails: (reason: string) => void
	/** It can. */
	havenWorks: () => void
	/** Where to see at each sweep whether the haven answers: for how long, in ms, it has not. */
	watchHaven: (unansweredMs: () => number) => void
	/** Sees whether the haven answers, between two sweeps too: they may hang with it. */
	listen: () => void
	tableFails: (location: TableLocation, message: string) => void
	tableWorks: (location: TableLocation) => void
	/** The same of a table's live SSTables or incremental backups; `reason` is told with their name. */
	sstablesFail: (location: TableLocation, what: SSTableFolders, reason: string) => void
	sstablesWork: (location: TableLocation, what: SSTableFolders) => void
	swept: (tables: number) => void
	ends: () => void
	status: () => ServiceStatus
}

interface Trouble {
	since: string
	message: string
}

/** A haven that has not answered for so long hangs, in ms: two renewals of the lease. */
const HANG_MS = 20_000

/** Begins a log; what is news goes to `tell`. */
export function makeServiceLog(
	{
		haven,
		mirrorDeletes,
		live,
		backups,
	}: Pick<ServiceOptions, 'haven' | 'mirrorDeletes'> & Partial<Pick<ServiceOptions, 'live' | 'backups'>>,
	ledger: Ledger,
	tell: (event: SyncEvent) => void,
): ServiceLog {
	const news = makeNews()
	const startedAt = new Date().toISOString()
	const tableTroubles = new Map<string, Trouble & { told: string }>()
	let trouble: Trouble | undefined
	let full: Trouble | undefined
	// Snapshots that did not fit when they were last tried.
	const misfits = new Set<string>()
	let seen: { lastSealAt?: string; lastSweepAt?: string } = {}
	let lastLiveAt: string | undefined
	let lastBackupsAt: string | undefined
	let ending = false
	let tables = 0
	let wasOpen = false
	let unansweredMs = () => 0
	const hangs = `the haven ${haven} does not answer: a call to it hangs.`

	const tellNews = (event: SyncEvent) => {
		if (event.type === 'failed' && event.reason.startsWith(FULL)) return isFull(event)
		if (event.type === 'failed' || event.type === 'sealed') misfits.delete(nameOf(event.snapshot))
		if (event.type === 'sealed') {
			seen = { ...seen, lastSealAt: now() }
			hasRoom()
		}
		if (event.type === 'live') lastLiveAt = now()
		if (event.type === 'backups') lastBackupsAt = now()
		if (news.isNews(event)) tell(event)
	}
	// One line for however many snapshots do not fit.
	const isFull = ({ snapshot, reason }: Extract<SyncEvent, { type: 'failed' }>) => {
		const { keyspace, table, tag } = snapshot
		misfits.add(nameOf(snapshot))
		if (full) return
		full = { since: now(), message: reason }
		const message = `${reason.replace(FULL, `the haven ${haven} is full`)} (${keyspace}.${table} ${JSON.stringify(tag)}). What does not fit is tried again until it does.`
		tell({ type: 'trouble', message })
	}
	// Not while one that did not fit is open, though it is being tried again.
	const hasRoom = () => {
		if (!full || ledger.all().some(({ snapshot }) => misfits.has(nameOf(snapshot)))) return
		tell({ type: 'recovered', message: `the haven ${haven} has room again, after ${timeSince(full)}` })
		full = undefined
		misfits.clear()
	}
	const totals = makeTotals(tellNews)
	const havenWorks = () => {
		wasOpen = true
		if (!trouble) return
		tell({ type: 'recovered', message: `the haven ${haven} works again, after ${timeSince(trouble)}` })
		trouble = undefined
	}
	const fails = (what: string, message: string, reason: string) => {
		const before = tableTroubles.get(what)
		tableTroubles.set(what, { since: before?.since ?? now(), message: reason, told: message })
		// Numbers, such as of bytes that are missing, are no news.
		if (isOther(message, before?.told)) totals.tell({ type: 'trouble', message })
	}
	const works = (what: string, message: string) => {
		const was = tableTroubles.get(what)
		if (!was) return
		tableTroubles.delete(what)
		news.forget(was.told)
		tell({ type: 'recovered', message: `${message}, after ${timeSince(was)}` })
	}
	const seeWhetherItHangs = () => {
		const ms = unansweredMs()
		if (ms >= HANG_MS && !trouble) {
			trouble = { since: new Date(Date.now() - ms).toISOString(), message: hangs }
			tell({ type: 'trouble', message: `${hangs} It is waited for.` })
		} else if (ms === 0 && trouble?.message === hangs) havenWorks()
	}
	return {
		totals,
		havenFails: (reason) => {
			const begun = trouble === undefined
			trouble = { since: trouble?.since ?? now(), message: reason }
			if (begun) tell({ type: 'trouble', message: `${reason} It is tried again until it works.` })
		},
		havenWorks,
		watchHaven: (answers) => {
			unansweredMs = answers
		},
		listen: seeWhetherItHangs,
		tableFails: ({ keyspace, table }, message) => fails(`${keyspace}.${table}`, message, message),
		tableWorks: ({ keyspace, table }) => works(`${keyspace}.${table}`, `${keyspace}.${table} can be looked at again`),
		sstablesFail: (location, what, reason) => {
			const name = sstablesOf(location, what)
			fails(name, `the ${name} could not be mirrored: ${reason}`, reason)
		},
		sstablesWork: (location, what) => {
			const name = sstablesOf(location, what)
			works(name, `the ${name} are mirrored again`)
		},
		swept: (count) => {
			tables = count
			seeWhetherItHangs()
			seen = { ...seen, lastSweepAt: now() }
		},
		ends: () => {
			ending = true
		},
		status: () => {
			const { sealed, moved, removed, live: came, backups: increments, ...ways } = totals.summary()
			return {
				state: ending ? 'ending' : trouble ? 'haven in trouble' : wasOpen ? 'running' : 'starting',
				startedAt,
				sealed,
				bytes: ways.copied.bytes + ways.hardlinked.bytes + ways.reflinked.bytes + ways.reused.bytes,
				moved,
				removed,
				mirrorDeletes: mirrorDeletes !== undefined,
				tables,
				...(live ? { live: liveStatus(came, lastLiveAt) } : {}),
				...(backups ? { backups: backupsStatus(increments, lastBackupsAt) } : {}),
				...seen,
				...(trouble ? { trouble } : {}),
				...openOf(ledger, tableTroubles),
			}
		},
	}
}

/** What a table's SSTables are called to people. */
export function sstablesOf({ keyspace, table }: TableLocation, what: SSTableFolders): string {
	return `${what === 'live' ? 'live SSTables' : 'incremental backups'} of ${keyspace}.${table}`
}

function backupsStatus(
	{ added, bytes, pruned }: BackupsSummary,
	lastAt?: string,
): NonNullable<ServiceStatus['backups']> {
	return { added, bytes, pruned, ...(lastAt === undefined ? {} : { lastAt }) }
}

function liveStatus({ added, removed, bytes }: LiveSummary, lastAt?: string): NonNullable<ServiceStatus['live']> {
	return { added, removed, bytes, ...(lastAt === undefined ? {} : { lastAt }) }
}

function openOf(
	ledger: Ledger,
	tableTroubles: Map<string, Trouble>,
): Pick<ServiceStatus, 'failing' | 'waiting' | 'unsealed' | 'oldestUnsealed'> {
	const open = ledger.all().sort((a, b) => a.sinceMs - b.sinceMs)
	const since = ({ sinceMs }: { sinceMs: number }) => new Date(sinceMs).toISOString()
	const [oldest] = open
	return {
		unsealed: open.length,
		waiting: open
			.filter(({ state }) => state === 'waiting')
			.map((one) => ({ snapshot: one.snapshot, since: since(one), reason: one.reason ?? '' })),
		failing: [
			...[...tableTroubles].map(([what, { since: began, message }]) => ({ what, since: began, reason: message })),
			...open
				.filter(({ state }) => state === 'failing')
				.map((one) => {
					const { keyspace, table, tag } = one.snapshot
					return { what: `${keyspace}.${table} ${JSON.stringify(tag)}`, since: since(one), reason: one.reason ?? '' }
				}),
		],
		...(oldest ? { oldestUnsealed: { snapshot: oldest.snapshot, since: since(oldest) } } : {}),
	}
}

function isOther(message: string, before = ''): boolean {
	return message.replace(/\d+/g, '#') !== before.replace(/\d+/g, '#')
}

function now(): string {
	return new Date().toISOString()
}

function timeSince({ since }: Trouble): string {
	const seconds = Math.max(0, Math.round((Date.now() - Date.parse(since)) / 1000))
	return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`
}
