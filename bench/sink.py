"""The host that relayed mail goes to: Postfix's smtp-sink, which takes everything and counts it."""

import os
import re
import subprocess
import threading
import time

from bench import load, mailbox
from bench.servers import server

_BETWEEN_LOOKS = 0.005  # seconds; also how wrong the time of the last message may be
_BACKLOG = 1000


class Sink:
    """Takes mail between `with` and its end."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [load.program("smtp-sink"), "-c", "-u", "nobody", f"127.0.0.1:{server.SINK_PORT}",
             str(_BACKLOG)],
            env=load.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self._taken, self._last = 0, time.time()
        server.wait_for_greeting(server.SINK_PORT)
        threading.Thread(target=self._follow, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def wait_for(self, messages):
        """Returns when the last of so many came: seconds since 1970."""
        mailbox.wait_for_count(lambda: self._taken, messages)
        return self._last

    def _follow(self):
        while output := os.read(self._process.stdout.fileno(), 65536):
            taken = parse_count(output)
            if taken > self._taken:
                self._taken, self._last = taken, time.time()
            time.sleep(_BETWEEN_LOOKS)


def parse_count(output):
    """The highest number of messages in what smtp-sink -c has printed; 0 when there is none."""
    return max(map(int, re.findall(rb"mesg=(\d+)\r", output)), default=0)
