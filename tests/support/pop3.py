"""Mailboxes for POP3 tests: the messages a user has, and a client that has logged in."""

import os
import poplib

from support import hosts
from support.wait import PATIENCE

MINUTE = 60


def put_message(user, name, text, age=MINUTE, folder="new"):
    """A message in a user's Maildir as qmail-local would have left it `age` seconds ago."""
    path = hosts.files() / f"home/{user}/Maildir/{folder}/{name}"
    path.write_bytes(os.fsencode(text))
    owner = path.parent.stat()
    os.chown(path, owner.st_uid, owner.st_gid)
    os.chmod(path, 0o600)
    modified = path.stat().st_mtime - age
    os.utime(path, (modified, modified))
    return path


def names(user, folder):
    """The files in a folder of a user's Maildir."""
    return sorted(os.listdir(hosts.files() / f"home/{user}/Maildir" / folder))


def log_in(user="alice", port=110):
    """Python's POP3 client, in the mailbox of alice, bob or carol."""
    client = poplib.POP3(hosts.MAIN, port, timeout=PATIENCE)
    client.user(user)
    client.pass_(f"{user.split('@')[0]}-password")
    return client
