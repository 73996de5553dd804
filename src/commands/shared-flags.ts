import { defineFlags } from './flags.ts'

/** Where the copies live. */
export const HAVEN_FLAGS = defineFlags({
	'snapshot-dir': {
		kind: 'value',
		short: 's',
		placeholder: 'HAVEN',
		help: 'the folder that the copies live in, made if missing; {host}, {fqdn}, {cluster} and {instance} in it are filled in',
	},
})

/** Where Cassandra keeps its data: one of them. */
export const DATA_FLAGS = defineFlags({
	'cassandra-dir': {
		kind: 'optional',
		short: 'd',
		placeholder: 'DIR',
		help: "Cassandra's folder, its data in DIR/data (default: /var/lib/cassandra)",
	},
	'data-dir': { kind: 'list', placeholder: 'DIR', help: 'a data directory; once for each that the node has' },
	'cassandra-yaml': {
		kind: 'value',
		placeholder: 'FILE',
		help: 'take the data directories (unless --data-dir names them) and the name of the cluster from cassandra.yaml',
	},
})

/** Which keyspaces and tables. */
export const TABLE_FLAGS = defineFlags({
	'all-keyspaces': { kind: 'switch', help: "every keyspace but Cassandra's own" },
	'include-table': { kind: 'list', placeholder: 'GLOB', help: 'only tables that one of these fits' },
	'exclude-table': { kind: 'list', placeholder: 'GLOB', help: 'no table that one of these fits' },
})

/** Which haven is taken for this node’s, and how it is known again. */
export const PLACE_FLAGS = defineFlags({
	'new-haven': { kind: 'switch', help: 'make a new haven, or use another, where one was seen before' },
	'take-over': { kind: 'switch', help: 'go on with the haven of a node that this one replaces' },
	'state-dir': {
		kind: 'value',
		placeholder: 'DIR',
		help: 'where this node remembers its havens (default: /var/lib/snaphaven, or in your home where that is not writable)',
	},
})

/** How the node is asked by CQL. */
export const CQL_FLAGS = defineFlags({
	cql: {
		kind: 'value',
		placeholder: 'HOST:PORT',
		help: "with each new tag, keep the node's schema, roles and tokens too, as it tells them by CQL",
	},
	'cql-credentials': {
		kind: 'value',
		placeholder: 'FILE',
		help: 'who asks, and whether by TLS: a file in the form of cqlshrc',
	},
})

/** How nodetool is called. */
export const NODETOOL_FLAGS = defineFlags({
	nodetool: { kind: 'value', placeholder: 'PATH', help: "Cassandra's nodetool (default: the one on PATH)" },
	host: { kind: 'value', placeholder: 'HOST', help: 'the host of JMX; must be this node' },
	port: { kind: 'value', placeholder: 'PORT', help: 'the port of JMX' },
	user: { kind: 'value', short: 'u', placeholder: 'USER', help: 'the user of JMX' },
	'password-file': {
		kind: 'value',
		placeholder: 'FILE',
		help: "the file with the password of that user, nodetool's -pwf",
	},
})

/** What is told. */
export const TELLING_FLAGS = defineFlags({
	verbosity: {
		kind: 'value',
		short: 'v',
		placeholder: '{0,1,2}',
		help: '0: summary and problems, 1: also a line a snapshot (default), 2: also what is left alone, and details',
	},
	quiet: { kind: 'switch', short: 'q', help: 'only warnings and errors' },
	json: { kind: 'switch', help: 'one JSON object a line: each outcome, then a summary' },
	help: { kind: 'switch', short: 'h', help: 'show this help' },
	version: { kind: 'switch', help: 'show the version' },
})
