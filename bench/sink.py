"""The host that relayed mail goes to: Postfix's smtp-sink, which takes everything and writes it down.

It is started once and stays: a server may keep a connection from one workload to the next.
"""

import pathlib
import shutil
import subprocess
import time

from bench import load, mailbox
from bench.servers import server

_BACKLOG = 1000
_KEPT = pathlib.Path("/run/bench-sink")
_MAIL = _KEPT / "mail"
# What it notes of each message, and of each recipient: a server may name many in a transaction.
MESSAGE, RECIPIENT = b"X-Mail-Args: ", b"X-Rcpt-Args: "


class Sink:
    """Counts what is taken from now on."""

    def __init__(self, noted):
        self._noted = noted
        if _KEPT.exists():
            _MAIL.write_bytes(b"")
        else:
            _start()
        self._taken, self._place, self._last = 0, 0, time.time()

    def wait_for(self, wanted):
        """Returns when the last of so many came: seconds since 1970."""
        mailbox.wait_for_count(self._look, wanted)
        return self._last

    def _look(self):
        if _MAIL.exists() and _MAIL.stat().st_size > self._place:
            with open(_MAIL, "rb") as mail:
                mail.seek(self._place)
                text = mail.read()
            found, length = count_in(text, self._noted)
            self._place += length
            if found:
                self._taken, self._last = self._taken + found, _MAIL.stat().st_mtime
        return self._taken


def _start():
    _KEPT.mkdir()
    shutil.chown(_KEPT, "nobody")
    subprocess.Popen([load.program("smtp-sink"), "-D", str(_MAIL), "-u", "nobody",
                      f"127.0.0.1:{server.SINK_PORT}", str(_BACKLOG)],
                     env=load.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL)
    server.wait_for_greeting(server.SINK_PORT)


def count_in(text, noted):
    """How often it is noted in the whole lines of some text, and how long these are."""
    lines = text[:text.rfind(b"\n") + 1]
    return lines.count(noted), len(lines)
