"""Stands in for the nodetool of a node that runs as another user, who may change nothing but what is that user's own.

Arguments: the node's data directory, the user's id, then nodetool's own. `import` moves what a folder has into a table's,
as Cassandra does. The data directory may lie where that user could not go by its path.
"""
import json
import os
import sys

data, user, *args = sys.argv[1:]
os.chdir(data)
os.setgroups([])
os.setgid(int(user))
os.setuid(int(user))

if "version" in args:
    print("ReleaseVersion: 5.0.8")
if "tablestats" in args:
    keyspaces = [name for name in os.listdir(".") if not name.startswith(".")]
    print(json.dumps({one: {"tables": {table.split("-")[0]: {} for table in os.listdir(one)}} for one in keyspaces}))
if "import" in args:
    keyspace, table, folder = args[args.index("--") + 1:]
    [live] = [name for name in os.listdir(keyspace) if name.startswith(table + "-")]
    staged = os.path.relpath(folder, data)
    for name in os.listdir(staged):
        version, number, rest = name.split("-", 2)
        os.rename(os.path.join(staged, name), os.path.join(keyspace, live, f"{version}-1{number}-{rest}"))
