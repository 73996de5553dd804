/** For `npm run test:cassandra`: real nodes, two at a time, in a few minutes. The tests of a file share one, in turn. */
export default {
	files: ['test/cassandra/**/*.test.ts'],
	extensions: ['ts'],
	concurrency: 2,
	timeout: '10m',
}
