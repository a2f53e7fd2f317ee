"""qmail-send's log: which deliveries were tried, and whether a second copy has an excuse.

A second copy is excused by an attempt that delivered without being marked: one that was never
reported, because qmail-send or its spawn was killed; one whose program was reported to have crashed;
or one reported a moment before qmail-send was killed, or while qmail-clean, which would have made
the mark, had been.
"""

import collections
import dataclasses
import pathlib
import re

_TAI_EPOCH = 2**62 + 10  # daemontools' labels count ten seconds more than the clock
_MOMENT = 2.0  # seconds between a report and the mark, however busy the machine
_START = re.compile(r"starting delivery (\d+): msg (\d+) to (?:local|remote) (\S+)")
_BOUNCE = re.compile(r"bounce msg (\d+) qp \d+")
_END = re.compile(r"delivery (\d+): (success|failure|deferral|report mangled)(.*)")


@dataclasses.dataclass
class Attempt:
    recipient: str
    message: str
    start: float
    bounced: float | None = None
    end: float | None = None
    outcome: str = ""
    text: str = ""


class Collector:
    """Keeps what multilog would throw away."""

    def __init__(self, directory):
        self._directory = pathlib.Path(directory)
        self._lines = {}  # in order, each once: a label is the time to the nanosecond

    def collect(self):
        for path in (*sorted(self._directory.glob("@*")), self._directory / "current"):
            try:
                text = path.read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                continue  # just renamed, and read the next time
            for line in text.split("\n")[:-1]:
                self._lines.setdefault(line)

    def attempts(self):
        attempts, running, failed = [], {}, {}
        for line in self._lines:
            label, _, text = line.partition(" ")
            when = int(label[1:17], 16) - _TAI_EPOCH + int(label[17:25], 16) / 1e9
            if found := _START.fullmatch(text):
                # Numbers begin anew with each qmail-send: what they belonged to was not reported.
                running[found[1]] = Attempt(found[3], found[2], when)
                attempts.append(running[found[1]])
            elif (found := _END.fullmatch(text)) and found[1] in running:
                attempt = running.pop(found[1])
                attempt.end, attempt.outcome, attempt.text = when, found[2], found[3]
                if attempt.outcome == "failure":
                    failed.setdefault(attempt.message, []).append(attempt)
            elif found := _BOUNCE.fullmatch(text):
                for attempt in failed.pop(found[1], ()):
                    attempt.bounced = when
        return attempts


def _is_excuse(attempt, kills):
    if attempt.end is None:
        return any(when >= attempt.start - _MOMENT for when, _ in kills)
    if attempt.outcome == "success":
        return any(name == "qmail-send" and abs(when - attempt.end) < _MOMENT or
                   name == "qmail-clean" and attempt.start < when + _MOMENT and when - _MOMENT < attempt.end
                   for when, name in kills)
    if attempt.bounced is not None:
        return any(name in ("qmail-send", "qmail-queue")
                   and attempt.end - _MOMENT < when < attempt.bounced for when, name in kills)
    return "crashed" in attempt.text or attempt.outcome == "report mangled"


def unexplained(second_copies, attempts, kills, senders):
    """Sentences about copies beyond the first ({(number, recipient): how many}) that no kill
    explains. Where the recipient's copies are bounces, each may also have come twice to the sender
    (`senders`: {number: address})."""
    excuses = collections.Counter()
    bounced = set()
    for attempt in attempts:
        excuses[attempt.recipient] += _is_excuse(attempt, kills)
        if attempt.outcome == "failure":
            bounced.add(attempt.recipient)

    def excused(number, recipient):
        return excuses[recipient] + (excuses[senders[number]] if recipient in bounced else 0)

    return [f"{number} came {more} times too often to {recipient}, and there was no kill for it"
            for (number, recipient), more in second_copies.items()
            if more > excused(number, recipient)]
