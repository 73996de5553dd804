/** For `npm run test:cassandra`: real nodes, one at a time, in a few minutes. */
export default {
	files: ['test/cassandra/**/*.test.ts'],
	extensions: ['ts'],
	serial: true,
	concurrency: 1,
	timeout: '5m',
}
