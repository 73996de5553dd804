// For --import: the clock of a command, in all its threads, is so many ms ahead of the machine's as the file SNAPHAVEN_CLOCK
// says at that moment. The steady clock runs on, as it does when somebody sets the other one.
import { readFileSync } from 'node:fs'

const file = process.env.SNAPHAVEN_CLOCK
const Real = Date
let ahead = 0
let isReading = false

function now() {
	// A library that watches over files asks for the time when one is closed.
	if (!isReading) {
		isReading = true
		ahead = Number(readFileSync(file, 'latin1'))
		isReading = false
	}
	return Real.now() + ahead
}

globalThis.Date = class extends Real {
	constructor(...args) {
		super(...(args.length === 0 ? [now()] : args))
	}

	static now() {
		return now()
	}
}
