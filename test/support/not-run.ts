import test, { type Implementation } from 'ava'

/**
 * Declares a test that needs something of the machine. Where that is missing the test is reported as skipped, with
 * what it needs in its title, and so never counts as passed.
 */
export function testWhere(missing: string | undefined, title: string, body: Implementation<[]>): void {
	if (missing === undefined) test(title, body)
	else test.skip(`${title} (not run: ${missing})`, body)
}
