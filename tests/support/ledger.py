"""What a client offered and what became of it, and the check that nothing accepted was lost.

A client writes a line into a ledger before it offers a message, and another for each answer:

    offer N SHA256 BYTES SENDER RECIPIENT...    the number, sum and size of the whole message
    accept N HOW                                "250", or exit 0 of qmail-queue or sendmail
    refuse N permanent|temporary TEXT

An offer without an answer (the connection broke) may be delivered or not. A number is offered once:
a client that tries again makes a new message. Recipients are those that RCPT took. A null sender is
written <>. `check` then reads mailboxes and sinks and says what breaks the promise.
"""

import collections
import dataclasses
import hashlib
import os
import pathlib
import random
import re
import threading

MARK = b"X-Ledger-Number: "
SIZES = (0, 1, 70, 700, 1000, 2047, 4096, 9000, 0, 20, 300, 5000, 65536, 200000, 17, 1000)
LARGEST = 3_000_000  # every 64th message
_SINK = b"sink "


def make_message(number, size=None, final_newline=True):
    """A message with line ends LF, the same whenever it is made; `size` is its body's, in bytes."""
    if size is None:
        size = LARGEST if number % 64 == 63 else SIZES[number % len(SIZES)]
    body = _body(number, size)
    if body and body.endswith(b"\n") != final_newline:
        body = body[:-1] + (b"\n" if final_newline else b"!")
    return (MARK + b"%d\nX-Ledger-Sum: %s\nSubject: ledger %d\n\n"
            % (number, hashlib.sha256(body).hexdigest().encode(), number)) + body


def _body(number, size):
    chance = random.Random(number)
    odd = [b".", b"..", b".hidden", b"From somebody Thu Jan  1 00:00:00 1970", b">From quoted", b"",
           b"From ", bytes(range(0x80, 0x100)), b"\0\t\x7f", b"x" * 2500, b"X-Other: field", b" "]
    text = b""
    while len(text) < size:  # blocks begin with their offset, so that none can stand for another
        chance.shuffle(odd)
        text += b"%d at %d\n" % (number, len(text)) + b"\n".join(odd) + b"\n"
        if len(text) > 100_000:
            block, text = text, bytearray(text)
            while len(text) < size:
                text += b"%d at %d\n" % (number, len(text)) + block
    return bytes(text[:size])


def as_smtp_data(message):
    """What a client sends after DATA; SMTP has no message without a final line end."""
    assert message.endswith(b"\n")
    lines = message[:-1].split(b"\n")
    return b"".join((b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in lines) + b".\r\n"


class Ledger:
    """The client's side. Several threads and processes may write to one file."""

    def __init__(self, path):
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._lock = threading.Lock()

    def close(self):
        os.close(self._fd)

    def offer(self, number, message, sender, recipients):
        self._add("offer", number, hashlib.sha256(message).hexdigest(), len(message),
                  sender or "<>", *recipients)

    def accept(self, number, how):
        self._add("accept", number, how)

    def refuse(self, number, permanent, text):
        self._add("refuse", number, "permanent" if permanent else "temporary", text)

    def _add(self, *words):
        line = " ".join(map(str, words)).replace("\n", "/") + "\n"
        with self._lock:
            os.write(self._fd, line.encode("utf-8", "surrogateescape"))
            os.fsync(self._fd)  # it may lie on the disk whose power is cut


def write_to_sink(directory, sender, recipients, message):
    """Files a message (line ends LF) that a sink has taken; call it before the sink says 250."""
    path = pathlib.Path(directory) / f"{os.getpid()}.{threading.get_ident()}.{os.urandom(6).hex()}"
    head = " ".join([_SINK.decode().strip(), sender or "<>", *recipients])
    path.with_suffix(".part").write_bytes(head.encode() + b"\n" + message)
    path.with_suffix(".part").rename(path)


@dataclasses.dataclass
class Offer:
    sum: str
    size: int
    recipients: list
    answer: str = "none"  # accept, permanent, temporary
    sender: str = ""  # where it is known

    @classmethod
    def of(cls, message, recipients, answer):
        """For a check in the same process, without a file."""
        return cls(hashlib.sha256(message).hexdigest(), len(message), list(recipients), answer)


def read_ledger(path):
    """Offers by number. A last line without its end was being written when the power went."""
    offers = {}
    for line in pathlib.Path(path).read_bytes().split(b"\n")[:-1]:
        verb, number, *rest = line.decode("utf-8", "surrogateescape").split(" ")
        number = int(number)
        if verb == "offer":
            if number in offers:
                raise ValueError(f"{number} is offered twice")
            offers[number] = Offer(rest[0], int(rest[1]), rest[3:], sender=rest[2])
        elif verb == "accept":
            offers[number].answer = verb
        elif verb == "refuse":
            offers[number].answer = rest[0]
        else:
            raise ValueError(f"no line of a ledger: {line!r}")
    return offers


@dataclasses.dataclass
class Found:
    """One message in a mailbox or at a sink. `text` begins with the ledger's mark."""
    place: str
    text: bytes
    recipients: list  # whom this copy is for; of a bounce, whom it tells of
    bounce: bool = False
    added_newline: bool = False  # mbox and SMTP end the last line

    def number(self):
        digits = re.match(re.escape(MARK) + rb"(\d+)\n", self.text)
        return int(digits.group(1)) if digits else None

    def is_whole(self, offer):
        texts = [self.text]
        if self.added_newline and self.text.endswith(b"\n"):
            texts.append(self.text[:-1])
        return any(len(text) == offer.size and hashlib.sha256(text).hexdigest() == offer.sum
                   for text in texts)


def _take_apart(place, raw, recipients=None, added_newline=False):
    start = 0 if raw.startswith(MARK) else raw.find(b"\n" + MARK) + 1
    if start == 0 and not raw.startswith(MARK):
        return Found(place, b"", [], added_newline=added_newline)
    before, text = raw[:start], raw[start:]
    if b"\n\n" in before:  # the message stands in a body: a bounce, or a bounce's bounce
        told = re.findall(rb"^<(.*)>:$", before, re.MULTILINE)
        return Found(place, text, [name.decode() for name in told], bounce=True,
                     added_newline=added_newline)
    passed = re.findall(rb"^Delivered-To: (.*)$", before, re.MULTILINE)  # forwarded from there too
    return Found(place, text, [*(recipients or ()), *(name.decode() for name in passed)],
                 added_newline=added_newline)


def read_maildir(directory):
    for part in ("new", "cur"):
        for path in sorted((pathlib.Path(directory) / part).iterdir()):
            yield _take_apart(str(path), path.read_bytes())


def read_mbox(path):
    """Entries begin at lines with "From "; in a message such a line has a ">" before it."""
    if not pathlib.Path(path).exists():
        return
    for count, entry in enumerate(re.split(rb"^From .*\n", pathlib.Path(path).read_bytes(),
                                           flags=re.MULTILINE)):
        if count == 0 and not entry:
            continue
        text = re.sub(rb"^>(>*From )", rb"\1", entry.removesuffix(b"\n"), flags=re.MULTILINE)
        yield _take_apart(f"{path} entry {count}", text, added_newline=True)


def read_sink(directory):
    for path in sorted(pathlib.Path(directory).iterdir()):
        if path.suffix == ".part":
            continue
        head, _, text = path.read_bytes().partition(b"\n")
        recipients = head.decode().split(" ")[2:] if head.startswith(_SINK) else []
        yield _take_apart(str(path), text, recipients, added_newline=True)


def _is_for(delivered_to, recipient):
    """A virtual domain puts a user's name before the address."""
    return delivered_to == recipient or delivered_to.endswith("-" + recipient)


class Check:
    """Holds what was found against what was offered. `killed`: something was killed or lost power
    between a delivery and its mark, so a second copy and the beginning of one in an mbox are counted
    and are no violation."""

    def __init__(self, offers, killed=False):
        self.offers = offers
        self.killed = killed
        self.violations = []
        self.counts = collections.Counter(dict.fromkeys(("duplicates", "fragments", "bounced"), 0))
        self._copies = collections.Counter()  # by number and recipient

    def add(self, found):
        number = found.number()
        offer = self.offers.get(number)
        if offer is None or not found.is_whole(offer):
            self._add_unknown(found, number)
            return
        self.counts["found"] += 1
        self.counts["bounced"] += found.bounce
        if offer.answer == "permanent":
            self._violation(f"{number} was refused for good, and is in {found.place}")
        copies = {recipient: sum(_is_for(name, recipient) for name in found.recipients)
                  for recipient in offer.recipients}
        if not any(copies.values()):
            self._violation(f"{number} in {found.place} is for nobody it was sent to")
        for recipient, count in copies.items():
            self._copies[number, recipient] += count if found.bounce else min(count, 1)

    def _add_unknown(self, found, number):
        if self.killed and found.added_newline and " entry " in found.place:
            self.counts["fragments"] += 1
        elif number in self.offers:
            self._violation(f"{number} in {found.place} is not what was offered: "
                            f"{len(found.text)} of {self.offers[number].size} bytes")
        else:
            self._violation(f"{found.place} holds nothing that was offered")

    def finish(self):
        """Every accepted message for each of its recipients, and none twice."""
        for number, offer in self.offers.items():
            self.counts["offered"] += 1
            self.counts["accepted"] += offer.answer == "accept"
            for recipient, wanted in collections.Counter(offer.recipients).items():
                copies = self._copies[number, recipient]
                if offer.answer == "accept" and copies < wanted:
                    self._violation(f"{number} was accepted and is lost for {recipient}: "
                                    f"{copies} of {wanted}")
                if copies > wanted:
                    self.counts["duplicates"] += copies - wanted
                    if not self.killed:
                        self._violation(f"{number} was delivered {copies} times to {recipient}")
        return self.violations

    def second_copies(self):
        """{(number, recipient): copies beyond what was sent}; after finish()."""
        return {(number, recipient): copies - self.offers[number].recipients.count(recipient)
                for (number, recipient), copies in self._copies.items()
                if copies > self.offers[number].recipients.count(recipient)}

    def _violation(self, text):
        self.violations.append(text)

    def summary(self):
        names = ("offered", "accepted", "found", "bounced", "duplicates", "fragments")
        counts = ", ".join(f"{self.counts[name]} {name}" for name in names)
        return f"ledger: {counts}; {len(self.violations)} violations"


def _inode(path):
    try:
        return path.stat().st_ino
    except FileNotFoundError:  # a qmail-queue whose caller was killed has just withdrawn it
        return None


def check_queue(queue):
    """What is wrong with a drained queue: more than what the 36-hour sweep takes, which is mess/N
    alone or with intd/N, and files in pid/."""
    queue = pathlib.Path(queue)
    split = sum(path.is_dir() for path in (queue / "mess").iterdir())
    names = collections.defaultdict(set)
    for kind in ("mess", "intd", "todo", "info", "local", "remote", "bounce"):
        for path in sorted((queue / kind).rglob("*")):
            if path.is_dir():
                continue
            name = str(path.relative_to(queue))
            if not path.name.isdigit():
                yield f"{name} is no name of the queue"
                continue
            inode = _inode(path)
            if inode is None:
                continue
            names[int(path.name)].add(kind)
            if kind == "mess" and inode != int(path.name):
                yield f"{name} has the inode number {inode}"
            if path.parent.parent == queue / kind and int(path.parent.name) != int(path.name) % split:
                yield f"{name} is in the wrong directory"
    for number, kinds in sorted(names.items()):
        if "mess" not in kinds:
            yield f"{number} has {'+'.join(sorted(kinds))} without mess"
        elif kinds - {"mess", "intd"}:
            yield f"{number} is still in the queue: {'+'.join(sorted(kinds))}"
