"""Re-makes the method of the Python snaphaven, to be compared with: not its code.

Watches a keyspace's folder with pyinotify, every folder in it and each that is made later, and copies a snapshot's file
whenever it is created, moved there or closed after writing. Usage: copy-on-event.py KEYSPACE_FOLDER TARGET_FOLDER
"""

import os
import shutil
import sys

import pyinotify

source, target = sys.argv[1:]


class Copier(pyinotify.ProcessEvent):
    def process_default(self, event):
        path = os.path.relpath(event.pathname, source)
        if event.dir or '/snapshots/' not in path:
            return
        copy = os.path.join(target, path)
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        try:
            shutil.copy2(event.pathname, copy)
        except FileNotFoundError:
            pass


manager = pyinotify.WatchManager()
notifier = pyinotify.Notifier(manager, Copier())
manager.add_watch(
    source, pyinotify.IN_CREATE | pyinotify.IN_MOVED_TO | pyinotify.IN_CLOSE_WRITE, rec=True, auto_add=True
)
print('watching', flush=True)
notifier.loop()
