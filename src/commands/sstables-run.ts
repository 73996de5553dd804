import { setTimeout as sleep } from 'node:timers/promises'
import { findTables, tableName } from '../cassandra/find-tables.ts'
import type { TableLocation } from '../cassandra/list-snapshot.ts'
import type { LiveListing } from '../cassandra/live-listing.ts'
import { findLive } from '../cassandra/live-sstables.ts'
import { lookAtLive } from '../cassandra/look-at-live.ts'
import { failure, usageError } from '../errors.ts'
import { runSync } from '../files/io.ts'
import { counted } from '../report/amounts.ts'
import { describeError } from '../report/errors.ts'
import { problemLine } from '../report/messages.ts'
import { openOutput } from '../report/output.ts'
import { quoted } from '../report/printable.ts'
import { writeText } from '../report/streams.ts'
import { linesOf, objectsOf, pathsOf, Tally } from './sstables-report.ts'

const TRIES = 20
const PAUSE_MS = 100

/** Lists the SSTables of keyspaces (`shop`) and tables (`shop.orders`). Returns the exit code. */
export async function listSSTables(
	dataDirectories: string[],
	wanted: string[],
	{ files, json }: { files: boolean; json: boolean },
): Promise<number> {
	const { tables, troubles } = findWanted(dataDirectories, wanted)
	const output = await openOutput()
	const tally = new Tally()
	for (const trouble of troubles) output.print(problemLine('failed', 'bad', trouble))
	for (const [at, location] of tables.entries()) {
		output.showProgress(`${at}/${counted(tables.length, 'table')} looked at`, performance.now())
		const listing = await lookPatiently(location)
		if (listing instanceof Error) {
			for (const line of describeError(listing).lines) output.print(line)
			troubles.push(location.table)
			continue
		}
		const found = findLive(listing)
		tally.add(found)
		if (json) for (const object of objectsOf(location, listing, found)) output.printJson(object)
		for (const line of linesOf(location, listing, found)) {
			if (line.to === 'stderr' || !(json || files)) output.print(line)
		}
		if (files) for (const path of pathsOf(location, listing, found)) writeText('stdout', `${path}\n`)
	}
	output.end()
	const exitCode = tally.exitCode || (troubles.length > 0 ? 1 : 0)
	if (json) output.printJson({ type: 'summary', exitCode, tables: tables.length, ...tally.counts })
	else if (!files) output.print(tally.line(tables.length))
	return exitCode
}

function findWanted(dataDirectories: string[], wanted: string[]) {
	const keyspaces = [...new Set(wanted.map((one) => one.split('.')[0] ?? ''))]
	const { tables, troubles } = runSync(findTables(dataDirectories, keyspaces))
	const namesOf = ({ keyspace, table }: TableLocation) => [keyspace, `${keyspace}.${tableName(table)}`]
	const there = new Set(tables.flatMap(namesOf))
	const missing = wanted.filter((one) => one.includes('.') && !there.has(one))
	if (missing.length > 0) throw usageError(`no table ${missing.join(', ')} in ${dataDirectories.join(', ')}`)
	return { tables: tables.filter((table) => namesOf(table).some((name) => wanted.includes(name))), troubles }
}

/** A table that changes all the time is looked at again for some seconds. The calls are synchronous: the disk is the node’s own. */
async function lookPatiently(location: TableLocation): Promise<LiveListing | Error> {
	try {
		for (let left = TRIES; left > 0; left--) {
			const listing = runSync(lookAtLive(location))
			if (listing) return listing
			await sleep(PAUSE_MS)
		}
	} catch (error) {
		if (error instanceof Error) return error
		throw error
	}
	const name = quoted(`${location.keyspace}/${location.table}`)
	return failure(`${name} changed each time that it was looked at`, 'Try again when the node has less to do.')
}
