"""The suite of a world's main host as a machine that can die all at once.

Its processes are in a process namespace of their own: when its first process is killed the kernel
kills the others, and whoever waits for that one has waited for all. Clients that run programs on the
machine (sendmail) enter the namespace, and what they start there dies with it.
"""

import ctypes
import os
import pathlib
import socket
import subprocess
import time

from support import hosts, services
from support.wait import wait_until

_CLONE_NEWPID = 0x20000000
_STOP = ("cd /etc/service && svc -dx * */log && "
         "for service in * */log; do while svok $service; do sleep 0.01; done; done")


def stop_world_services():
    """Ends the suite as the world has started it, to start it again as a Machine."""
    for pid in services.processes("svscan"):
        os.kill(pid, 9)  # first: it would start them again
    subprocess.run(["sh", "-c", _STOP], check=True)


class Machine:
    """The suite, running."""

    def __init__(self):
        log = open("/var/log/svscan", "ab")
        self._process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child", "svscan", "/etc/service"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True)
        log.close()
        children = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        self._first = int(wait_until(children.read_text, "the machine's first process"))
        wait_until(self._serves, "the suite to start")

    def kill(self):
        """Returns when every process of the machine is gone."""
        os.kill(self._first, 9)
        self._process.wait()

    def enter(self):
        """What this thread starts from now on is on the machine."""
        with open(f"/proc/{self._first}/ns/pid", "rb") as namespace:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(namespace.fileno(), _CLONE_NEWPID) != 0:
                raise OSError(ctypes.get_errno(), "setns")

    @staticmethod
    def _serves():
        if not services.Service("qmail-send").serves():
            return False
        try:
            with socket.create_connection((hosts.MAIN, 25), timeout=5) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False


def retry_now():
    """Has qmail-send try again at once what it has deferred."""
    services.Service("qmail-send").svc("a")


def undelivered():
    """What is in the queue by kind, apart from what a crash may leave to be swept after 36 hours."""
    return {kind: names for kind, names in services.queue().items()
            if kind not in ("pid", "mess", "intd")}


def wait_until_drained(seconds=60, meanwhile=lambda: None):
    """Returns when all that was accepted has been delivered or bounced. Calls `meanwhile` every
    second."""
    next_try = 0.0

    def drained():
        nonlocal next_try
        # Twice: a bounce that came into todo after that was looked at, and whose message had gone
        # when info was, is seen in neither.
        if not undelivered() and not undelivered():
            return True
        if time.monotonic() >= next_try:
            meanwhile()
            retry_now()
            next_try = time.monotonic() + 1
        return False
    try:
        wait_until(drained, "the queue to drain", seconds)
    except AssertionError as error:
        log = pathlib.Path("/var/log/qmail/qmail-send/current").read_text(errors="replace")[-2000:]
        raise AssertionError(f"{error}: {undelivered()}; the log ends:\n{log}") from None
