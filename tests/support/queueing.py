"""Putting messages straight into the queue, through qmail-queue."""

import contextlib
import os
import subprocess

from support import hosts

HOME = "/var/qmail"


def queue(sender, recipients, message="Subject: test\n\nhello\n", user=None):
    """Queues one message as root or a user; returns qmail-queue's process id."""
    envelope = b"F" + os.fsencode(sender) + b"\0"
    envelope += b"".join(b"T" + os.fsencode(recipient) + b"\0" for recipient in recipients) + b"\0"
    message_out, message_in = os.pipe()
    envelope_out, envelope_in = os.pipe()
    child = subprocess.Popen([f"{HOME}/bin/qmail-queue"], stdin=message_out, stdout=envelope_out,
                             user=user, close_fds=True)
    for fd in (message_out, envelope_out):
        os.close(fd)
    for end, data in ((message_in, os.fsencode(message)), (envelope_in, envelope)):
        # A qmail-queue that refuses at once reads nothing; its exit code says why.
        with contextlib.suppress(BrokenPipeError), os.fdopen(end, "wb") as pipe:
            pipe.write(data)
    if child.wait() != 0:
        raise AssertionError(f"qmail-queue: exit {child.returncode}")
    return child.pid


def path_of(kind, message):
    """The queue's file of a message: path_of("info", 100) is .../queue/info/8/100."""
    if kind in ("todo", "intd", "bounce"):
        return hosts.files() / f"var/qmail/queue/{kind}/{message}"
    return hosts.files() / f"var/qmail/queue/{kind}/{int(message) % 23}/{message}"
