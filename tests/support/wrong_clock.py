"""A clock that is wrong, for the suite of a world's main host (tests/fault/clock.cc)."""

import os
import pathlib

from support import services
from support.wait import PATIENCE

PROGRAM = os.environ.get("POSTERN_BUILD", "build/release") + "/bin/fault_clock"
RC = pathlib.Path("/var/qmail/rc")
OFFSET = pathlib.Path("/run/clock")


class WrongClock:
    """qmail-start and all that it starts go by this clock, from a restart on until remove()."""

    def __init__(self):
        self.offset = 0  # seconds
        self._right = RC.with_name("rc.right")
        RC.rename(self._right)
        RC.write_text(f"#!/bin/sh\nexec {os.path.abspath(PROGRAM)} {OFFSET} {self._right}\n",
                      encoding="utf-8")
        RC.chmod(0o755)
        services.Service("qmail-send").restart()

    def step(self, seconds):
        """Forward, or back."""
        self.offset += seconds
        new = OFFSET.with_suffix(".new")
        new.write_text(str(self.offset), encoding="utf-8")
        new.rename(OFFSET)

    def remove(self, seconds=PATIENCE):
        """`seconds`: the longest that a delivery may still take."""
        self._right.rename(RC)
        services.Service("qmail-send").restart(seconds)
        OFFSET.unlink(missing_ok=True)
