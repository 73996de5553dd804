import { declareMirrorTests } from './support/mirror-tests.ts'

declareMirrorTests({
	settings: { version: '5.0.8', format: 'big', ids: 'number', dataDirectories: 1, incrementalBackups: true },
	dataFlags: ({ root }) => ['-d', root],
})
