import { built, nasfsMissing } from './nasfs.ts'

// Before the tests, so that no test shares the machine with Go's compiler; those that need it try once more, and tell.
if (nasfsMissing() === undefined) await built().catch((error: Error) => console.error(error.message))
