"""What must be true after a crash and the recovery from it.

- Every message that was accepted before the crash is with each of its recipients, or has been
  bounced to its sender, whole and byte for byte.
- Whatever was delivered is a whole message, and went to nobody but its recipients, by the way
  that they are reached now. What was refused is not delivered.
- A recovery delivers no message twice to the same recipient.
- Nothing is left in the queue in the end.

A mailbox of the mbox kind may hold part of a message that was being appended, since no file system
appends as a whole; but the message stands behind it once more, whole.
"""

import collections
import dataclasses
import re

HOLDERS = {"alice": "Maildir", "bob": "Mailbox", "carol": "Maildir"}


@dataclasses.dataclass(frozen=True)
class Message:
    number: str
    text: bytes
    sender: str
    recipients: tuple
    accepted_at: int | None  # the place in the recording; None: it never was
    refused: bool = False


def messages_of(history):
    """The messages that qmail-queue was given in a recording."""
    paths = {}
    for step in history.steps:
        for path, file, _ in getattr(step, "names", ()):
            if file and "/queue/mess/" in path:
                paths[file] = path.rsplit("/", 1)[1]
    found = list(_there_before(history))
    for step in history.steps:
        if step.program != "qmail-queue" or not hasattr(step, "status"):
            continue
        mess, intd = (step.files + [None, None])[:2]
        if mess not in paths or intd is None:
            continue
        sender, recipients = parse_envelope(intd.content)
        accepted = step.end if step.status == 0 else None
        found.append(Message(paths[mess], mess.content, sender, recipients, accepted,
                             refused=step.status != 0))
    return found


def _there_before(history):
    """Messages that were in todo before the recording began."""
    for path, file in history.initial.items():
        if "/queue/todo/" in path:
            number = path.rsplit("/", 1)[1]
            mess = next(text for path, text in history.initial.items()
                        if "/queue/mess/" in path and path.endswith("/" + number))
            yield Message(number, mess.initial, *parse_envelope(file.initial), accepted_at=-1)


def parse_envelope(envelope):
    records = envelope.decode().split("\0")
    senders = [record[1:] for record in records if record.startswith("F")]
    recipients = tuple(record[1:] for record in records if record.startswith("T"))
    return "".join(senders[:1]), recipients


class Judge:
    """Says what is wrong with an outcome, in words; nothing is wrong with most."""

    def __init__(self, messages, local_domains):
        self.messages = messages
        self._local_domains = local_domains
        self._wholes = collections.defaultdict(set)  # recipient: texts
        for message in messages:
            if not message.refused:
                for recipient in message.recipients:
                    self._wholes[recipient].add(message.text)

    def of(self, outcome, at, sent):
        """`at`: the place in the recording where the crash is. `sent`: who had been sent what over
        the network before it, a set of (recipient, sender).
        """
        yield from self._parts(outcome)
        yield from self._ways(outcome)
        for message in self.messages:
            if message.accepted_at is not None and message.accepted_at < at:
                for recipient in message.recipients:
                    if (recipient, message.sender) not in sent:
                        yield from self._missing(outcome, message, recipient)

    def _missing(self, outcome, message, recipient):
        if self._is_with(outcome, recipient, message.text):
            return
        note = f"<{recipient}>:".encode()
        whole_bounces = [text for envelope, text in outcome.bounces
                         if parse_envelope(envelope)[1] == (message.sender,)]
        whole_bounces += self._texts_with(outcome, message.sender)
        if not any(note in text and message.text in text for text in whole_bounces):
            yield f"message {message.number} is lost for {recipient}"

    def _is_with(self, outcome, recipient, text):
        if any(who == recipient and sent == text for who, sent in outcome.remote):
            return True
        return any(held.endswith(text) or text + b"\nFrom " in held
                   for held in self._texts_with(outcome, recipient))

    def _texts_with(self, outcome, recipient):
        """What a recipient's mailbox holds: messages of a Maildir, the whole of an mbox."""
        user = recipient.split("@")[0]
        if HOLDERS.get(user) == "Mailbox":
            mailbox = outcome.files.get(f"/home/{user}/Mailbox", b"")
            return [b"From " + part.removesuffix(b"\n") for part in
                    re.split(rb"(?:^|(?<=\n\n))From ", mailbox)[1:]]
        return [text for path, text in outcome.files.items()
                if path.startswith(f"/home/{user}/Maildir/new/")]

    def _parts(self, outcome):
        for recipient, text in outcome.remote:
            if text not in self._wholes[recipient]:
                yield f"{recipient} was sent {text[:60]!r} in part, or another's"
        for envelope, text in outcome.bounces:
            to = parse_envelope(envelope)[1]
            if not any(to == (message.sender,) and text.endswith(message.text)
                       for message in self.messages):
                yield f"{to} was sent a bounce without the whole message"
        for path, text in outcome.files.items():
            parts = path.split("/")
            if parts[1] != "home" or parts[3:5] != ["Maildir", "new"]:
                continue
            head = re.match(rb"Return-Path: <[^\n]*>\nDelivered-To: ([^\n]*)\n", text)
            to = head[1].decode() if head else ""
            if not head or text[head.end():] not in self._wholes[to]:
                yield f"{path} holds {text[:60]!r}, part of a message, or another's"

    def _ways(self, outcome):
        counts = collections.Counter(outcome.delivered)
        for (channel, recipient, number), count in counts.items():
            if channel == "failed":
                continue
            if count > 1:
                yield f"message {number} was delivered {count} times to {recipient}"
            is_local = recipient.split("@")[1] in self._local_domains
            if is_local != (channel == "local"):
                yield f"{recipient} was reached by the {channel} channel"
