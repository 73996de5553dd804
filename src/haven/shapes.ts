import { isBackups, LIVE } from './layout.ts'

/** Whether a value that was read is of a certain form. */
export type Shape = (value: unknown) => boolean

/** A string. */
export const text: Shape = (value) => typeof value === 'string'

/** A number of bytes, of files, of a piece: whole, and not below 0. */
export const natural: Shape = (value) => Number.isSafeInteger(value) && (value as number) >= 0

/** `true` or `false`. */
export const truth: Shape = (value) => typeof value === 'boolean'

/** A whole number that may be too large for a JSON number, decimal. */
export const decimal: Shape = (value) => typeof value === 'string' && /^-?\d{1,39}$/.test(value)

/** ISO 8601, or whatever else is a time. */
export const moment: Shape = (value) => {
	if (typeof value !== 'string') return false
	if (value === lastMoment) return true
	if (Number.isNaN(Date.parse(value))) return false
	lastMoment = value
	return true
}

/** Most files of a receipt were read at the same time. */
let lastMoment: string | undefined

/** Eight lower-case hex digits. */
export const crc: Shape = (value) => typeof value === 'string' && /^[0-9a-f]{8}$/.test(value)

/** The name of one file or folder. */
export const part: Shape = (value) => typeof value === 'string' && isPart(value)

/** A path that can't lead out of the folder that it is in. */
export const inside: Shape = (value) =>
	typeof value === 'string' && (value.includes('/') ? value.split('/').every(isPart) : isPart(value))

function isPart(name: string): boolean {
	return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0')
}

/** What stands in place of a tag: a tag, LIVE, or a part of incremental backups. */
const tag: Shape = (value) =>
	value === LIVE ||
	part(value) ||
	(typeof value === 'string' && isBackups(value) && /^[a-z]+(\/[\w.-]+){1,2}$/.test(value) && inside(value))

/** One of these values. */
export function oneOf(...values: unknown[]): Shape {
	return (value) => values.includes(value)
}

/** It need not be there. */
export function optional(shape: Shape): Shape {
	return (value) => value === undefined || shape(value)
}

/** An array, each entry of that shape. */
export function list(of: Shape): Shape {
	return (value) => Array.isArray(value) && value.every(of)
}

/** An array of so many entries, each of its own shape. */
export function tuple(...shapes: Shape[]): Shape {
	return (value) => Array.isArray(value) && value.length === shapes.length && shapes.every((is, at) => is(value[at]))
}

/** An object with any keys, each value of that shape. */
export function map(of: Shape): Shape {
	return (value) => isObject(value) && Object.values(value).every(of)
}

/** An object with these keys; others may be there too. */
export function fields(shapes: Record<string, Shape>): Shape {
	const entries = Object.entries(shapes)
	return (value) => isObject(value) && entries.every(([key, is]) => is(value[key]))
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The fields of a SnapshotKey. */
export const keyFields = { keyspace: part, table: part, tag }

/** A SnapshotKey: its paths stay in the haven. */
export const snapshotKey: Shape = fields(keyFields)
