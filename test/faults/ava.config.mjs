/** For `npm run test:faults`: what takes root, a disk of its own, and minutes. */
export default {
	files: ['test/faults/**/*.test.ts'],
	extensions: ['ts'],
	serial: true,
	concurrency: 2,
	timeout: '15m',
}
