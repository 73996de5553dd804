import test from 'ava'
import { type Disk, freeOnAll, overfull, spread } from '../../src/restore/spread.ts'

function disk(directory: string, bytesFree: number, device = directory): Disk {
	const owner = { uid: 0, gid: 0 }
	return { directory, root: `/${directory}/stage`, device: BigInt(device.charCodeAt(0)), bytesFree, bytes: 0, owner }
}

/** SSTables of these sizes, each with a component of one byte. */
function sstables(...sizes: number[]): { path: string; size: number }[] {
	return sizes.flatMap((size, at) => [
		{ path: `nb-${at}-big-Data.db`, size: size - 1 },
		{ path: `nb-${at}-big-TOC.txt`, size: 1 },
	])
}

test('the larger SSTables go first, each to where most is free then', (t) => {
	const disks = [disk('a', 100), disk('b', 160)]
	const places = spread(sstables(10, 50, 40), disks)
	t.deepEqual(Object.fromEntries(places), { 'nb-1-big-': 1, 'nb-2-big-': 1, 'nb-0-big-': 0 })
	t.deepEqual(
		disks.map(({ bytes }) => bytes),
		[10, 90],
	)
	t.is(overfull(disks), undefined)
})

test('two directories of one file system share what is free there, and get alike', (t) => {
	const disks = [disk('a', 100), disk('b', 100, 'a')]
	spread(sstables(20, 20, 20, 20), disks)
	t.deepEqual(
		disks.map(({ bytes }) => bytes),
		[40, 40],
	)
	t.is(freeOnAll(disks), 100)
	t.is(overfull(disks), undefined)
	spread([{ path: 'nb-9-big-Data.db', size: 21 }], disks)
	t.like(overfull(disks), { needed: 101 })
})

test('what fits on no disk is told of, though there is as much on all together', (t) => {
	const disks = [disk('a', 100), disk('b', 90)]
	spread(sstables(120), disks)
	t.is(overfull(disks)?.disk.directory, 'a')
})

test('an index’s SSTables are their own, whatever the table’s are called', (t) => {
	const disks = [disk('a', 100), disk('b', 100)]
	const places = spread([{ path: '.idx/nb-0-big-Data.db', size: 5 }, ...sstables(9)], disks)
	t.deepEqual(Object.fromEntries(places), { 'nb-0-big-': 0, '.idx/nb-0-big-': 1 })
})
