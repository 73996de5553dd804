import { hostname } from 'node:os'
import test from 'ava'
import { nodePlaceholders, resolveHavenPath } from '../../src/commands/haven-path.ts'
import { SnaphavenError } from '../../src/errors.ts'

const KNOWN = { host: () => 'node1', cluster: () => 'A B', dots: () => '..', slash: () => 'a/b', none: () => '' }

const resolved = test.macro({
	async exec(t, template: string, path: string) {
		t.is(await resolveHavenPath(template, KNOWN, '/base'), path)
	},
	title: (_, template, path) => `${template} is ${path}`,
})

test(resolved, '/nas/{host}', '/nas/node1')
test(resolved, '/nas/{cluster}/{host}-{host}', '/nas/A B/node1-node1')
test(resolved, 'nas/{host}/', '/base/nas/node1')
test(resolved, '/nas/{host', '/nas/{host')
test(resolved, '/nas/host}', '/nas/host}')
test(resolved, '/a{b/c}d', '/a{b/c}d')

const refused = test.macro({
	async exec(t, template: string, message: RegExp) {
		const error = await t.throwsAsync(resolveHavenPath(template, KNOWN, '/'), { instanceOf: SnaphavenError })
		t.regex(error?.message ?? '', message)
		t.is(error?.exitCode, 2)
	},
	title: (_, template) => `${template} is refused`,
})

test(refused, '/nas/{hosts}', /\{hosts\} is no placeholder/)
test(refused, '/nas/{}', /\{\} is no placeholder/)
test(refused, '/nas/{constructor}', /\{constructor\} is no placeholder/)
test(refused, '/nas/{dots}', /cannot be the name of a folder/)
test(refused, '/nas/{slash}', /cannot be the name of a folder/)
test(refused, '/nas/{none}', /cannot be the name of a folder/)

test('an unknown placeholder is told with those that there are', async (t) => {
	const error = await t.throwsAsync(resolveHavenPath('{nope}', nodePlaceholders(undefined, {}), '/'), {
		instanceOf: SnaphavenError,
	})
	t.is(error?.hint, 'There are {host}, {fqdn}, {cluster}, {instance}')
})

test("this node's placeholders are its own name, its cluster and its instance", async (t) => {
	const node = nodePlaceholders('C', { SNAPHAVEN_INSTANCE: 'i' })
	t.is(await resolveHavenPath('/{host}/{cluster}/{instance}', node, '/'), `/${hostname().split('.')[0]}/C/i`)
})

test('{cluster} and {instance} are refused where they cannot be told', (t) => {
	const node = nodePlaceholders(undefined, {})
	t.throws(() => node['cluster']?.(), { instanceOf: SnaphavenError, message: /cluster_name/ })
	t.throws(() => node['instance']?.(), { instanceOf: SnaphavenError, message: /SNAPHAVEN_INSTANCE/ })
})
