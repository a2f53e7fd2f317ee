"""A day's mail in the log of qmail-send, read by other people's analysers of qmail's logs: logwatch's
qmail-send service, and awstats' maillogconvert.pl. They must count what was sent."""
# world: --bare-host mx.foreign.example
# unpack: logwatch awstats

import collections
import pathlib
import re
import unittest

from support import examples, hosts, server, services, smtp
from support.case import WorldTest
from support.services import Service
from support.wait import wait_until

COOKBOOK = hosts.REPOSITORY / "docs/COOKBOOK.md"
LOGS = pathlib.Path("/var/log/qmail/qmail-send")
CONVERT = "/usr/share/doc/awstats/examples/maillogconvert.pl"
# Sender, recipients, and how often.
DAY = (
    ("ann@example.net", ["bob@example.org"], 10),
    ("ann@example.net", ["bob@example.org", "carol@example.org"], 6),
    ("ben@example.net", ["joe@foreign.example", "carol@example.org"], 5),
    ("alice@example.org", ["nobody@example.org"], 4),     # bounces
    ("alice@example.org", ["gone@foreign.example"], 3),   # the same, from there
    ("alice@example.org", ["busy@foreign.example"], 2),   # deferred once, then taken
    ("nosuch@example.org", ["nobody@example.org"], 1),    # bounces, and the bounce bounces
)
REPLIES = {"gone": "550 no such user here", "busy": "451 come back later"}
POSTMASTER = "postmaster@mail.example.org"


class ForeignHost:
    """Refuses some recipients, one of them only at first."""

    def __init__(self):
        self.replies = dict(REPLIES)

    def __call__(self, peer):
        peer.say("220 mx.foreign.example")
        while not (line := peer.read_line()).startswith("QUIT"):
            recipient = re.match("RCPT TO:<([a-z]*)@", line)
            peer.say(self.replies.get(recipient[1] if recipient else "", "354 go on"
                                      if line == "DATA" else "250 ok"))
            if line == "DATA":
                peer.read_data()
                peer.say("250 taken")
        peer.say("221 bye")


class Expected:
    """What a reader of the log must find, from what was sent alone."""

    def __init__(self):
        self.senders = collections.Counter()
        self.deliveries = collections.Counter()  # (sender, recipient, "success"...)
        for sender, recipients, count in DAY:
            self.senders[sender] += count
            for recipient in recipients:
                self.deliver(sender, recipient, count)

    def deliver(self, sender, recipient, count):
        user, _, host = recipient.partition("@")
        if user in ("nobody", "nosuch", "gone"):
            self.deliveries[sender, recipient, "failure"] += count
            bounce = {"": ("#@[]", POSTMASTER), "#@[]": None}.get(sender, ("", sender))
            self.senders[bounce[0]] += count
            self.deliver(*bounce, count)
            return
        if user == "busy":
            self.deliveries[sender, recipient, "deferral"] += count
        self.deliveries[sender, recipient, "success"] += count

    def recipients(self, remote):
        found = collections.Counter()
        for (_, recipient, _), count in self.deliveries.items():
            if recipient.endswith("@foreign.example") == remote:
                found[recipient] += count
        return found


class LogAnalysers(WorldTest):
    @classmethod
    def setUpClass(cls):
        hosts.install_unpacked("logwatch")
        cls.host = ForeignHost()
        with server.ScriptedServer(cls.host, host="mx.foreign.example"):
            cls.send_all()
            cls.host.replies.pop("busy")
            Service("qmail-send").svc("a")
            services.wait_for_empty_queue()

    @classmethod
    def send_all(cls):
        log = services.Log()
        for number, (sender, recipients, count) in enumerate(DAY):
            with smtp.connect(address="127.0.0.1") as client:
                for _ in range(count):
                    client.send_mail(sender, recipients, "Subject: hi\n\nhello\n")
            if number == len(DAY) // 2:
                cls.rotate()
        wait_until(lambda: len(log.find_all(r"delivery \d+: deferral: .*")) == 2, "two deferrals")

    @staticmethod
    def rotate():
        """multilog begins a new file, as it does when one is full."""
        hosts.on(hosts.MAIN, "svc", "-a", "/etc/service/qmail-send/log")
        wait_until(lambda: list(LOGS.glob("@*.s")), "multilog to keep a file")

    def test_logwatch_counts_senders_recipients_and_replies(self):
        for name in ("logfiles/qmail-send-current.conf", "services/qmail-send.conf"):
            path = pathlib.Path("/etc/logwatch/conf", name)
            path.write_text(examples.shown_file(COOKBOOK, path), encoding="ascii")
        said = hosts.on(hosts.MAIN, "perl", "/usr/share/logwatch/scripts/logwatch.pl", "--service",
                        "qmail-send", "--range", "all", "--output", "stdout").stdout
        expected = Expected()
        self.assertEqual(expected.senders, self.counts(said, "Emails from"))
        self.assertEqual(expected.recipients(remote=True), self.counts(said, "Emails to Remote"))
        self.assertEqual(expected.recipients(remote=False), self.counts(said, "Emails to Local"))
        self.assertEqual({"Failure(550)": 3, "Deferral(451)": 2, "Success(250)": 5 + 2},
                         self.counts(said, "Remote Server Responses"))
        self.assertNotIn("Unmatched", said)
        self.assertNotIn("Warnings", said)

    @staticmethod
    def counts(said, title):
        """The numbers in the paragraph with this title."""
        paragraph = re.search(rf"(?m)^ *{title}.*\n((?:.*Time\(s\).*\n)+)", said)[1]
        return {name: int(count) for name, count
                in re.findall(r"(?m)^\s*(.*?) - (\d+) Time\(s\)", paragraph)}

    def test_maillogconvert_knows_how_each_delivery_ended(self):
        text = b"".join(path.read_bytes() for path in [*sorted(LOGS.glob("@*.s")), LOGS / "current"])
        local_time = hosts.on(hosts.MAIN, "tai64nlocal", input=text, text=False).stdout
        said = hosts.on(hosts.MAIN, "perl", CONVERT, "standard", input=local_time, text=False).stdout
        found = collections.Counter()
        for line in said.decode().splitlines():
            _, _, sender, recipient, *_, code, _ = line.split()
            found[sender, recipient, code] += 1
        wanted = collections.Counter()
        for (sender, recipient, result), count in Expected().deliveries.items():
            shown = {"": "<>", "#@[]": "@"}.get(sender, sender)
            wanted[shown, recipient, "1" if result == "success" else "999"] += count
        self.assertEqual(wanted, found)


if __name__ == "__main__":
    unittest.main()
