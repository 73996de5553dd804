import { takeLease } from '../../../src/haven/lease.ts'

/** Takes the lease of the haven that the command line names, says so, and holds it until it is killed. */
const [, , base = ''] = process.argv
const { token } = await takeLease({ base, haven: base, onWait: console.error, signal: new AbortController().signal })
console.log(token)
setInterval(() => {}, 1000)
