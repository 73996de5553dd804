import test from 'ava'
import { tagsToList } from '../../src/mirror/stat-ahead.ts'

const known = { path: '', size: 0, mtimeNs: '', mode: 0, uid: 0, gid: 0, ino: '', crc32: '', readAt: '' }
const from = (tag: string) => ({ from: { tag, known: { ...known, how: 'copied' as const } } })

test('a folder is listed where most of it is shared, one of which little is, is not', (t) => {
	const transfers = [from('monday'), from('monday'), from('sunday'), { from: undefined }]
	t.deepEqual(tagsToList(transfers, [{ tag: 'monday', fileCount: 3 }]), ['monday'])
	t.deepEqual(tagsToList(transfers, [{ tag: 'monday', fileCount: 4 }]), [])
	t.deepEqual(
		tagsToList(transfers, [
			{ tag: 'sunday', fileCount: 1 },
			{ tag: 'saturday', fileCount: 0 },
		]),
		['sunday'],
	)
	const part = 'backups/20260101T000000.000Z-1'
	t.deepEqual(
		tagsToList([from(part)], [{ tag: part, fileCount: 1 }]),
		[],
		'all parts share one folder, which only grows',
	)
})
