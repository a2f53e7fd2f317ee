"""When each message gets its name in a Maildir's new/.

The file's own times do not tell: the kernel sets them by its tick, which may be ten milliseconds ago.
"""

import multiprocessing
import os
import select
import struct
import time

from world import linux

from bench import mailbox

_EVENT = struct.Struct("iIII")  # inotify(7): watch, mask, cookie, length of the name behind it
_MOST_BYTES = 65536
_LONGEST_DELAY = 10.0  # seconds


class Arrivals:
    """Notes them from the begin of the block, in a process of its own, which no client holds up."""

    def __init__(self, messages):
        self._ours, theirs = multiprocessing.Pipe(duplex=False)
        watches = {linux.watch_directory(directory, linux.IN_CREATE | linux.IN_MOVED_TO): directory
                   for directory in mailbox.directories()}
        self._process = multiprocessing.Process(target=_note, args=(watches, messages, theirs),
                                                daemon=True)
        self._process.start()
        theirs.close()
        for watch in watches:
            os.close(watch)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.join()
        self._ours.close()

    def times(self):
        """Of all messages, by their path: seconds since 1970. They have arrived; waits until the
        last is noted."""
        if not self._ours.poll(_LONGEST_DELAY):
            raise mailbox.Silence("messages have come whose arrival was not noticed")
        return self._ours.recv()


def _note(watches, messages, pipe):
    noted = {}
    while len(noted) < messages:
        ready, _, _ = select.select(watches, [], [])
        now = time.time()
        for watch in ready:
            noted |= {watches[watch] / name: now for name in names(os.read(watch, _MOST_BYTES))}
    pipe.send(noted)


def names(events):
    """Of the files that inotify's events are about."""
    at = 0
    while at < len(events):
        *_, length = _EVENT.unpack_from(events, at)
        at += _EVENT.size
        yield os.fsdecode(events[at:at + length].rstrip(b"\0"))
        at += length
