#!/usr/bin/env python3
"""usage: press-keys.py SECONDS KEYS SHELL [ARG…]

Runs an interactive shell on a terminal of its own, types the keys once its prompt (READY>) stands, and waits for its
end. What it showed goes to stdout; exit code 1 where it did not end in time.
"""
import os, pty, select, sys, time

deadline = time.monotonic() + float(sys.argv[1])
keys = sys.argv[2].encode()
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
seen, typed = b'', False
while time.monotonic() < deadline:
    if select.select([terminal], [], [], 1)[0]:
        try:
            got = os.read(terminal, 65536)
        except OSError:
            got = b''
        if not got:
            sys.stdout.buffer.write(seen)
            os.waitpid(pid, 0)
            sys.exit(0)
        seen += got
    if not typed and b'READY>' in seen:
        os.write(terminal, keys)
        typed = True
sys.stdout.buffer.write(seen)
os.kill(pid, 9)
sys.exit(1)
