import { flushFolder, makeFolder } from '../files/folders.ts'
import type { Io } from '../files/io.ts'
import { gathering, isBackups, LIVE, PARTIAL, PRIVATE, SET_ASIDE, safeName, snapshotFolder } from './layout.ts'
import type { Publication } from './publish.ts'
import { move, refuseLinks, there } from './renames.ts'

/**
 * Takes what stands in a snapshot's place out of it, for good, and tells where it is now, relative to the haven. It goes
 * through partial, so that a holder that was only paused can't do it to what another has published since.
 */
export function* setAside(base: string, partial: string, publication: Publication): Io<string> {
	yield* move(base, snapshotFolder(publication.key), gathering.aside(partial, publication.number))
	return yield* keepAside(base, partial, publication)
}

/** Does the second half, where only the first was done before a crash. */
export function* finishSettingAside(base: string, partial: string, publication: Publication): Io<string | undefined> {
	if (!(yield* there(base, gathering.aside(partial, publication.number)))) return undefined
	return yield* keepAside(base, partial, publication)
}

/** Renames what stands aside under the token to its place for good, and tells where that is. */
export function* keepAside(
	base: string,
	partial: string,
	{ number, key }: Pick<Publication, 'number' | 'key'>,
): Io<string> {
	const table = `${SET_ASIDE}/${safeName(key.keyspace)}/${safeName(key.table)}`
	const folders = [SET_ASIDE, `${SET_ASIDE}/${safeName(key.keyspace)}`, table]
	yield* refuseLinks(base, `${table}/`)
	for (const folder of folders) yield* makeFolder(`${base}/${folder}`, 0o777)
	const tag = key.tag === LIVE ? 'live' : isBackups(key.tag) ? 'backups' : safeName(key.tag)
	const name = `${table}/${tag}-${partial.slice(PARTIAL.length + 1)}-${number}`
	let place = name
	for (let turn = 2; yield* there(base, place); turn++) place = `${name}-${turn}`
	yield* move(base, gathering.aside(partial, number), place)
	for (const folder of [PRIVATE, ...folders]) yield* flushFolder(`${base}/${folder}`)
	return place
}
