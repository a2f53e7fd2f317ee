"""Asks crash_recovery (recovery.cc) what becomes of a state, and remembers what it said."""

import dataclasses
import os
import pathlib
import subprocess


@dataclasses.dataclass
class Outcome:
    before: dict  # the state
    delivered: list = dataclasses.field(default_factory=list)  # (channel, recipient, message)
    remote: list = dataclasses.field(default_factory=list)  # (recipient, text)
    bounces: list = dataclasses.field(default_factory=list)  # (envelope, text)
    files: dict = dataclasses.field(default_factory=dict)  # after the deliveries
    left: dict = dataclasses.field(default_factory=dict)  # after weeks
    log: str = ""


class Recovery:
    """One crash_recovery, for states whose local domains are the same."""

    def __init__(self, directory, local_domains):
        program = pathlib.Path(os.environ["POSTERN_BUILD"]) / "bin/crash_recovery"
        self._process = subprocess.Popen([program, directory, *local_domains],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._known = {}

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        if self._process.wait() != 0:
            raise AssertionError(f"crash_recovery: exit {self._process.returncode}")

    @property
    def recovered(self):
        """How many different states it was asked about."""
        return len(self._known)

    def of(self, state):
        key = frozenset(state.items())
        if key not in self._known:
            self._known[key] = self._ask(state)
        return self._known[key]

    def _ask(self, state):
        stdin = self._process.stdin
        stdin.write(f"{len(state)}\n".encode())
        for path, content in state.items():
            stdin.write(f"{path} {len(content)}\n".encode() + content)
        stdin.flush()
        outcome = Outcome(state)
        envelope = b""
        for kind, name, data in iter(self._read_record, ("end", "-", b"")):
            if kind in ("local", "failed", "remote"):
                recipient, message = name.split(" ")
                outcome.delivered.append((kind, recipient, message))
            if kind == "remote":
                outcome.remote.append((recipient, data))
            elif kind == "envelope":
                envelope = data
            elif kind == "bounce":
                outcome.bounces.append((envelope, data))
            elif kind == "after":
                outcome.files[name] = data
            elif kind == "left":
                outcome.left[name] = data
            elif kind == "log":
                outcome.log = data.decode("utf-8", "replace")
        return outcome

    def _read_record(self):
        head = self._process.stdout.readline().decode()
        if not head:
            raise AssertionError(f"crash_recovery ended with {self._process.wait()}")
        kind, rest = head.split(" ", 1)
        name, length = rest.rsplit(" ", 1)
        return kind, name, self._process.stdout.read(int(length))
