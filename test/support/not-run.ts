import test, { type Implementation } from 'ava'

/**
 * Declares a test that needs something of the machine. Where that is missing the test is reported as skipped, with
 * what it needs in its title, and so never counts as passed.
 */
export function testWhere(missing: string | undefined, title: string, body: Implementation<[]>): void {
	if (missing === undefined) test(title, body)
	else notRun(missing, title, body)
}

/** The same of a test that is not run beside others of its file. */
export function serialWhere(missing: string | undefined, title: string, body: Implementation<[]>): void {
	if (missing === undefined) test.serial(title, body)
	else notRun(missing, title, body)
}

function notRun(missing: string, title: string, body: Implementation<[]>): void {
	test.skip(`${title} (not run: ${missing})`, body)
}
