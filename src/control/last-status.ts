import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { writeJson } from 'fs-extra/esm'
import { hasCode } from '../files/io.ts'
import type { LastStatus, ServiceStatus } from '../mirror/service-status.ts'
import { version } from '../version.ts'
import { openOrMakeState, type ServicePlace, serviceFiles, within } from './place.ts'

/**
 * Writes down how this service is, for those who ask when it runs no more: at its start, with each line of life and at
 * its end. A reader finds one or the other whole. Fails where the state directory can't be written.
 */
export async function saveLastStatus({ stateDirectory, haven }: ServicePlace, status: ServiceStatus): Promise<void> {
	const last: LastStatus = { writtenAt: new Date().toISOString(), pid: process.pid, version, status }
	const state = await openOrMakeState(stateDirectory)
	const draft = within(state, `service-${randomUUID()}.json`)
	try {
		await writeJson(draft, last, { spaces: '\t' })
		await rename(draft, within(state, serviceFiles(haven).lastStatus))
	} catch (error) {
		await rm(draft, { force: true })
		throw error
	} finally {
		await state.close()
	}
}

/** What the last service for the haven wrote of itself; undefined where none did, or a power cut took it. */
export async function readLastStatus({ stateDirectory, haven }: ServicePlace): Promise<LastStatus | undefined> {
	try {
		const state = await open(stateDirectory, 'r')
		try {
			return JSON.parse(await readFile(within(state, serviceFiles(haven).lastStatus), 'utf8'))
		} finally {
			await state.close()
		}
	} catch (error) {
		if (error instanceof SyntaxError || hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined
		throw error
	}
}
