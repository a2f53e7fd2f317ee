"""Mail that waits for a destination that is dead, and what it does to the rest."""

import contextlib
import os
import time

from bench import load, mailbox
from bench.servers import server

_QUIET_SHARE = 0.05  # of a processor
_LONGEST_UNREST = 600  # seconds
_SLOWEST_ATTEMPT = 0.1  # seconds a message


def fresh_mail(work):
    """New mail with the queue empty, and with mail waiting, whose first attempts may be under way or
    are over."""
    alone = _rate(work)
    with _waiting(work, work.amounts["waiting"]) as queued:
        at_once = _rate(work)
        _wait_for_quiet(work.group, queued)
        behind = _rate(work)
    return {"messages/s": behind, "messages/s, just after it was queued": at_once,
            "messages/s, queue empty": alone}


def restart(work):
    """From the start of the server to the arrival of a message that it is given then."""
    with _waiting(work, work.amounts["queued"]) as queued:
        _wait_for_quiet(work.group, queued)
        work.server.stop()
        mailbox.empty()
        began = time.time()
        work.server.start()
        load.inject_one(load.Load(1), work.server.sendmail, [f"alice@{server.DOMAIN}"], work.group)
        mailbox.wait_for(1, _LONGEST_UNREST)
        return {"seconds": mailbox.last_arrival() - began}


def _rate(work):
    fresh = load.Load(work.amounts["fresh"], reuse=True)
    mailbox.empty()
    os.sync()  # what the disk has still to take of the mail before is not the new mail's cost
    began = time.time()
    return fresh.messages / (work.to_maildirs(fresh) - began)


@contextlib.contextmanager
def _waiting(work, messages):
    """So many wait inside the block, which gets their number. Afterwards the queue is empty again."""
    work.send(load.Load(messages, reuse=True), [f"nobody@{server.DEAD}"])
    try:
        yield messages
    finally:
        work.server.stop()
        work.server.forget_queue()
        work.server.start()


def _wait_for_quiet(group, messages):
    """Returns when the server rests that has had so many messages to try."""
    seconds = max(_LONGEST_UNREST, messages * _SLOWEST_ATTEMPT)
    deadline = time.monotonic() + seconds
    before = group.cpu_seconds()
    while time.monotonic() < deadline:
        time.sleep(1)
        now = group.cpu_seconds()
        if now - before < _QUIET_SHARE:
            return
        before = now
    raise mailbox.Silence(f"still at work on mail for {server.DEAD} after {seconds:.0f} s")
