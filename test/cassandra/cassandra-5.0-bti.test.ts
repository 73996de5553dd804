import { declareMirrorTests } from './support/mirror-tests.ts'

declareMirrorTests({
	settings: { version: '5.0.8', format: 'bti', ids: 'uuid', dataDirectories: 2 },
	dataFlags: ({ dataDirectories }) => dataDirectories.flatMap((directory) => ['--data-dir', directory]),
})
