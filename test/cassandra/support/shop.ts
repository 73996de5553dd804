import { setTimeout as sleep } from 'node:timers/promises'
import { failure } from '../../../src/errors.ts'
import type { CassandraNode } from './node.ts'

/** The keyspaces that createShop makes. */
export const shopKeyspaces = ['shop', 'audit']

const replication = `WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}`
const events = 'CREATE TABLE shop.events (id int PRIMARY KEY, what text)'
const statements = [
	`CREATE KEYSPACE shop ${replication}`,
	`CREATE KEYSPACE audit ${replication}`,
	'CREATE TABLE shop.orders (id int PRIMARY KEY, customer text, total int, note text)',
	'CREATE INDEX orders_customer ON shop.orders (customer)',
	'CREATE TYPE shop.address (street text, town text)',
	'CREATE TABLE shop."Items" ("Group" text, id int, places frozen<set<text>>, "To" frozen<address>, PRIMARY KEY ("Group", id))',
	'CREATE TABLE shop.empty (id int PRIMARY KEY, nothing text)',
	'CREATE TABLE shop.readings (sensor text, at timestamp, place text static, value double, PRIMARY KEY (sensor, at))',
	'CREATE TABLE shop.visits (page text, day int, all_days counter static, visits counter, PRIMARY KEY (page, day))',
	'CREATE TABLE shop.carts (id int PRIMARY KEY, content text)',
	events,
	'CREATE TABLE audit.log (id int PRIMARY KEY, line text)',
]

/**
 * Makes a keyspace with about everything that a table can leave on disk: a secondary index, a case-sensitive table, an
 * empty one, one with static columns, one of counters, and tables to truncate and to drop; and a second keyspace.
 */
export async function createShop({ cql }: CassandraNode): Promise<void> {
	for (const statement of statements) await cql(statement)
}

/** Writes so many rows to each table but the empty one; every round writes other rows. */
export async function writeRound(node: CassandraNode, round: number, rows = 60): Promise<void> {
	const { cql } = node
	for (let i = 0; i < rows; i++) {
		const id = round * rows + i
		const note = `Round ${round}, number ${i}: ${(id * 2_654_435_761).toString(36).repeat(6)}`
		await cql('INSERT INTO shop.orders (id, customer, total, note) VALUES (?, ?, ?, ?)', [
			id,
			customerOf(id),
			totalOf(id),
			note,
		])
		await cql('INSERT INTO shop."Items" ("Group", id, places, "To") VALUES (?, ?, ?, ?)', [
			`Group ${id % 5}`,
			id,
			[`shelf ${id % 3}`, `shelf ${id % 4}`],
			{ street: `Street ${id}`, town: 'Town' },
		])
		const at = new Date(Date.UTC(2020, 0, 1 + id))
		const sensor = `sensor ${id % 4}`
		await cql('INSERT INTO shop.readings (sensor, at, value) VALUES (?, ?, ?)', [sensor, at, id / 3])
		await cql('INSERT INTO shop.readings (sensor, place) VALUES (?, ?)', [sensor, `place of round ${round}`])
		const page = `/page/${id % 7}`
		await cql('UPDATE shop.visits SET visits = visits + 1 WHERE page = ? AND day = ?', [page, i])
		await cql('UPDATE shop.visits SET all_days = all_days + 1 WHERE page = ?', [page])
		await cql('INSERT INTO shop.carts (id, content) VALUES (?, ?)', [id, note])
		await cql('INSERT INTO shop.events (id, what) VALUES (?, ?)', [id, note])
		await cql('INSERT INTO audit.log (id, line) VALUES (?, ?)', [id, note])
	}
}

/** Drops shop.events, and makes a table of that name again, which has another id. */
export async function remakeEvents({ cql }: CassandraNode): Promise<void> {
	await cql('DROP TABLE shop.events')
	await cql(events)
}

/** Builds an SAI index on shop.orders (5.0), which rewrites the TOC.txt of its SSTables in place, and waits for it. */
export async function buildSai(node: CassandraNode): Promise<void> {
	await node.cql(`CREATE INDEX orders_total ON shop.orders (total) USING 'sai'`)
	for (let tries = 0; tries < 480; tries++) {
		const [index] = await node.cql(
			`SELECT is_queryable, is_building FROM system_views.sai_column_indexes WHERE keyspace_name = 'shop' AND index_name = 'orders_total'`,
		)
		if (index?.['is_queryable'] === true && index['is_building'] === false) return
		await sleep(250)
	}
	throw failure('The SAI index orders_total was not built in two minutes')
}

/** The customer of an order: what the secondary index finds it by. */
export function customerOf(id: number): string {
	return `customer ${id % 6}`
}

/** The total of an order: what the SAI index finds it by. */
export function totalOf(id: number): number {
	return (id * 7) % 40
}
