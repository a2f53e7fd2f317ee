"""Goes through the crash states of a recording, and looks for one that recovery does not mend."""

import dataclasses
import re

import models
from history import Ending, Sending, Sync
from invariant import Judge, messages_of

_LOOKED_AT = re.compile(
    r"/var/qmail/queue/(?:(?:mess|info|local|remote)/\d+|intd|todo|bounce)/\d+"
    r"|/home/\w+/(?:Maildir/new/[^/]+|Mailbox)")


def looks_at(scenario):
    """Which names matter. Nobody but the sweeps by age reads pid/ and tmp/, and nothing is lost with
    them; intd/ is looked at where its files are made.
    """
    def wanted(path):
        if scenario.replaces:
            return path == scenario.replaces
        found = _LOOKED_AT.fullmatch(path) is not None
        return found and (scenario.looks_at_intd or "/queue/intd/" not in path)
    return wanted


@dataclasses.dataclass
class Count:
    """What was gone through."""

    points: int = 0
    states: int = 0  # with the same one at several points counted each time
    left_out: int = 0  # states beyond the bound
    left_over: set = dataclasses.field(default_factory=set)  # kinds of files left in the queue


@dataclasses.dataclass
class Violation:
    text: str
    model: str
    at: int
    state: dict
    log: str


class Enumeration:
    """The states of one recording in one model."""

    def __init__(self, history, scenario, model, recovery, most=200_000):
        self._history = history
        self._model = {model.name: model for model in models.MODELS}[model]
        self._recovery = recovery
        self._most = most
        self._scenario = scenario
        self._judge = Judge(messages_of(history), scenario.local_domains)
        self._judged = {}
        self.count = Count()

    def violations(self, without=None):
        """As they are found. `without`: tells which syncs to leave out of the recording."""
        steps = [step for step in self._history.steps
                 if not (without and isinstance(step, Sync) and without(step))]
        for point in range(len(steps) + 1):
            self.count.points += 1
            yield from self._at(steps[:point])

    def _at(self, steps):
        at = steps[-1].end + 1 if steps else 0
        sent = frozenset((recipient, step.sender) for step in steps if isinstance(step, Sending)
                         for recipient in step.recipients)
        accepted = frozenset(message for message in self._judge.messages
                             if message.accepted_at is not None and message.accepted_at < at)
        model = self._model(self._history.initial, steps, self._history.roots,
                            looks_at(self._scenario))
        states, total = model.states(self._most)
        self.count.left_out += max(0, total - self._most)
        for state in states:
            self.count.states += 1
            key = frozenset(state.items()), accepted, sent, bool(self._scenario.replaces) and at
            if key not in self._judged:
                verdict = self._of_file if self._scenario.replaces else self._verdict
                self._judged[key] = verdict(state, at, sent)
            yield from self._judged[key]

    def _verdict(self, state, at, sent):
        outcome = self._recovery.of(state)
        left = {path for path in outcome.left if path.startswith("/var/qmail/queue/")}
        self.count.left_over |= {path.split("/")[4] for path in left}
        return [Violation(text, self._model.name, at, state, outcome.log)
                for text in self._judge.of(outcome, at, sent)]

    def _of_file(self, state, at, _sent):
        """For a file that is replaced: it is the old one or the new one, and the new one once the
        program has said that it is there.
        """
        path = self._scenario.replaces
        old, new = self._history.initial[path].initial, self._history.names[path].content
        found = state.get(path)
        ended = any(isinstance(step, Ending) and step.end < at and step.status == 0
                    and step.program == f"qmail-{self._scenario.name}"
                    for step in self._history.steps)
        if found == new or (found == old and not ended):
            return []
        text = f"{path} is not what it was and not what it shall be"
        return [Violation(text, self._model.name, at, state, "")]
