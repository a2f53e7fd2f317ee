"""Takes mail out of alice's Maildir and bob's mbox while it is delivered, as their mail readers do."""

import fcntl
import os
import pathlib

from support import ledger

_MAILDIR, _MBOX = pathlib.Path("/home/alice/Maildir/new"), pathlib.Path("/home/bob/Mailbox")


class Store:
    """What has been taken. It lies where no delivery can fill the disk."""

    def __init__(self, directory):
        self._directory = directory
        for part in ("new", "cur"):
            (directory / part).mkdir(parents=True)

    def collect(self):
        for path in _MAILDIR.iterdir():
            (self._directory / "new" / path.name).write_bytes(path.read_bytes())
            path.unlink()
        try:
            mbox = open(_MBOX, "r+b")
        except FileNotFoundError:
            return
        with mbox, open(self._directory / "mbox", "ab") as kept:
            fcntl.flock(mbox, fcntl.LOCK_EX)  # not both locks: deliveries take flock first
            kept.write(mbox.read())
            kept.flush()
            os.ftruncate(mbox.fileno(), 0)

    def read(self):
        yield from ledger.read_maildir(self._directory)
        yield from ledger.read_mbox(self._directory / "mbox")
