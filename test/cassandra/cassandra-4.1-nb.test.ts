import { join } from 'node:path'
import { declareMirrorTests } from './support/mirror-tests.ts'

declareMirrorTests({
	settings: { version: '4.1.10', format: 'big', ids: 'number', dataDirectories: 2 },
	dataFlags: ({ root }) => ['--cassandra-yaml', join(root, 'conf/cassandra.yaml')],
})
