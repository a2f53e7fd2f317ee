"""The Maildirs that mail is delivered to, and when the last message came."""

import os
import pathlib
import time

PEOPLE = ("alice", "bob", "carol")
_LONGEST_SILENCE = 30.0  # seconds without one more message
_PAUSE = 0.05


class Silence(Exception):
    """Mail has stopped coming before all of it was there; the text says how much was missing."""


def directories():
    return [pathlib.Path(f"/home/{person}/Maildir/new") for person in PEOPLE]


def empty():
    for directory in directories():
        for entry in os.scandir(directory):
            os.unlink(entry.path)


def count():
    return sum(sum(1 for _ in os.scandir(directory)) for directory in directories())


def wait_for(messages, longest_silence=_LONGEST_SILENCE):
    """Returns when so many messages are there."""
    wait_for_count(count, messages, longest_silence)


def wait_for_count(counted, wanted, longest_silence=_LONGEST_SILENCE):
    """Looks seldom enough to cost nothing; whoever measures time asks the files for theirs."""
    before, changed = -1, time.monotonic()
    while (now := counted()) < wanted:
        if now != before:
            before, changed = now, time.monotonic()
        elif time.monotonic() > changed + longest_silence:
            raise Silence(f"only {now} of {wanted} messages have come")
        time.sleep(_PAUSE)


def last_arrival():
    """When the last message got its name in new/: seconds since 1970."""
    return max(entry.stat().st_ctime_ns for directory in directories()
               for entry in os.scandir(directory)) / 1e9
