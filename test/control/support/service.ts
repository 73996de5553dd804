import type { ServiceStatus } from '../../../src/mirror/service-status.ts'

/** How a service is with which nothing is wrong. */
export function wellStatus(more: Partial<ServiceStatus> = {}): ServiceStatus {
	return {
		state: 'running',
		startedAt: '2026-11-21T10:00:00.000Z',
		mirrorDeletes: false,
		...{ sealed: 0, bytes: 0, moved: 0, removed: 0, tables: 3, unsealed: 0 },
		failing: [],
		waiting: [],
		...more,
	}
}
