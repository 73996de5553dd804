"""Swaps each of some paths for a link to elsewhere and back, again and again, until its standard input ends.

Arguments: pairs of a path on the node, which need not be there all the time, and a link that is to stand there for a
moment. It says "begun" when it has. A swap is one call (renameat2 with
RENAME_EXCHANGE, Linux 3.15), so that there is no instant at which nothing stands at the path; the folder that it is in
gets its time back, so that it looks as quiet as before. In the end all is as it was, and the number of swaps is printed.
"""
import ctypes
import errno
import os
import random
import select
import sys
import time

AT_FDCWD = -100
RENAME_EXCHANGE = 2
libc = ctypes.CDLL(None, use_errno=True)


def exchange(one, other):
    done = libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0
    if not done and ctypes.get_errno() not in (errno.ENOENT, errno.ENOTDIR):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), one)
    return done


def time_of(folder):
    try:
        return os.stat(folder, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None


def restore_time(folder, status):
    try:
        os.utime(folder, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        pass


pairs = [(path, link, os.path.dirname(path)) for path, link in zip(sys.argv[1::2], sys.argv[2::2])]
swaps = 0
print("begun", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    path, link, folder = random.choice(pairs)
    status = time_of(folder)
    # What was moved away by the one that is watched is not there any more, or not yet.
    if status and exchange(path, link):
        time.sleep(random.choice([0, 0, 0.00005, 0.0005]))
        exchange(path, link)
        restore_time(folder, status)
        swaps += 1
    time.sleep(random.choice([0, 0, 0, 0.0001, 0.001]))
print(swaps)
