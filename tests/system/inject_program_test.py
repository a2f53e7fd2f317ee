# qmail-inject as people and programs call it, through the real queue into mailboxes, and with a
# program of our own in qmail-queue's place.
import pathlib
import re
import unittest

from support import hosts, services
from support.case import WorldTest

INJECT = "/var/qmail/bin/qmail-inject"
RECORDER = """#!/bin/sh
cat > /tmp/inject-message
cat <&1 > /tmp/inject-envelope
"""


class InjectTest(WorldTest):
    def setUp(self):
        super().setUp()
        for name in ("alice", "bob", "carol"):
            services.empty_maildir(name)

    def inject(self, *arguments, message="", user="alice", status=0, **options):
        """As the user; returns the CompletedProcess."""
        result = hosts.as_user(user, INJECT, *arguments, input=message, check=False, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        return result


class Delivered(InjectTest):
    def test_as_the_instructions_have_it(self):
        self.write_file("/var/qmail/alias/.qmail-joe", "&bob\n")
        hosts.as_user("alice", "sh", "-c", "echo to: joe | /var/qmail/bin/qmail-inject")
        message = services.wait_for_mail("bob")[0].decode()
        self.assertRegex(message, re.compile(
            r"\A(Return-Path: <alice@mail\.example\.org>\n)"
            r"(Delivered-To: bob@mail\.example\.org\n)"
            r"(Received: .*\n)+"
            r"Delivered-To: joe@mail\.example\.org\n"
            r"Received: \(qmail (\d+) invoked by uid 1000\); .*\n"
            r"Date: \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d -0000\n"
            r"Message-ID: <\d{14}\.\d+\.qmail@mail\.example\.org>\n"
            r"From: alice@mail\.example\.org\n"
            r"to: joe@mail\.example\.org\n\n\Z"))
        self.log.wait_for(r"info msg \d+: bytes \d+ from <alice@mail\.example\.org> qp \d+ uid 1000")

    def test_to_people_of_the_header_and_the_arguments(self):
        self.inject("-H", "carol@example.org", message="To: Bob <bob>\nBcc: alice\n\nhello\n.\nend")
        for name in ("alice", "bob", "carol"):
            message = services.wait_for_mail(name)[0].decode()
            self.assertIn("\nTo: Bob <bob@mail.example.org>\n\nhello\n.\nend\n", message)
            self.assertNotIn("Bcc", message)

    def test_with_an_address_for_each_recipients_bounces(self):
        self.inject(message="To: bob, carol@example.org\n\nhello\n", env={"QMAILINJECT": "r"})
        self.assertIn(b"Return-Path: <alice-bob=mail.example.org@mail.example.org>\n",
                      services.wait_for_mail("bob")[0])
        self.assertIn(b"Return-Path: <alice-carol=example.org@mail.example.org>\n",
                      services.wait_for_mail("carol")[0])

    def test_as_mailing_lists_do_with_a_return_path(self):
        # ezmlm-cron: `echo ... | qmail-inject list%Return-path: ...` from a crontab.
        self.inject("bob@example.org", message="Return-path: <list-return-@example.org>\n\n")
        self.assertTrue(services.wait_for_mail("bob")[0].startswith(
            b"Return-Path: <list-return-@example.org>\n"))

    def test_with_any_bytes_in_the_body(self):
        body = bytes(range(256)) * 4096 + b"\n"
        hosts.as_user("alice", INJECT, text=False, input=b"To: bob\nSubject: J\xf6rg\n\n" + body)
        message = services.wait_for_mail("bob")[0]
        self.assertIn(b"\nSubject: J\xf6rg\n\n", message)
        self.assertTrue(message.endswith(b"\n\n" + body))

    def test_to_thousands(self):
        people = ", ".join(["bob@example.org"] * 2000)
        self.inject(message=f"Bcc: {people}\n\nhello\n")
        services.wait_for_mail("bob", 2000, seconds=120)
        services.wait_for_empty_queue(seconds=60)


class Recorded(InjectTest):
    def setUp(self):
        super().setUp()
        self.write_file("/tmp/recorder", RECORDER, mode=0o755)
        for name in ("message", "envelope"):
            self.addCleanup(pathlib.Path(f"/tmp/inject-{name}").unlink, missing_ok=True)

    def envelope(self, *arguments, message="To: bob@example.org\n\n", env=None):
        self.inject(*arguments, message=message, env={"QMAILQUEUE": "/tmp/recorder", **(env or {})})
        return pathlib.Path("/tmp/inject-envelope").read_text()

    def test_the_queue_that_the_environment_names(self):
        self.assertEqual(self.envelope(), "Falice@mail.example.org\0Tbob@example.org\0\0")
        self.assertIn("\nTo: bob@example.org\n\n", pathlib.Path("/tmp/inject-message").read_text())

    def test_senders_that_qmail_itself_makes(self):
        for sender in ("#@[]", "list-@example.org-@[]", "", "joe@example.net"):
            self.assertEqual(self.envelope("-f", sender), f"F{sender}\0Tbob@example.org\0\0")

    def test_the_letters_and_names_of_the_environment(self):
        for env, sender in (({"QMAILUSER": "q", "QMAILHOST": "h.x"}, "q@h.x"),
                            ({"QMAILSUSER": "s", "QMAILSHOST": "h"}, "s@h.example.org"),
                            ({"QMAILDEFAULTHOST": "d+", "QMAILPLUSDOMAIN": "p.x"}, "alice@d.p.x"),
                            ({"USER": ""}, "alice@mail.example.org")):
            self.assertTrue(self.envelope(env=env).startswith(f"F{sender}\0"), env)
        self.assertRegex(self.envelope(env={"QMAILINJECT": "mr"}),
                         r"^Falice-\d{14}\.\d+-@mail\.example\.org-@\[\]\0")


class Printed(InjectTest):
    def test_prints_the_whole_message_and_queues_nothing(self):
        result = self.inject("-n", message="Cc: bob, \"Carol C.\" <carol+>\nSubject: x\n\nhello",
                             env={"QMAILNAME": "Al Ice", "QMAILINJECT": "c"})
        self.assertRegex(result.stdout, re.compile(
            r"\ADate: .* -0000\nMessage-ID: <.*>\nFrom: alice@mail\.example\.org \(Al Ice\)\n"
            r"Cc: bob@mail\.example\.org, \"Carol C\.\" <carol\+@mail\.example\.org>\n"
            r"Subject: x\n\nhello\n\Z"))
        self.assertEqual(services.queue(), {})

    def test_adds_mail_followup_to_for_the_lists_of_a_file(self):
        self.write_file("/home/alice/.lists", "list@example.org\n", user="alice")
        result = self.inject("-n", message="To: LIST@example.org\nCc: bob@example.net\n\n",
                             env={"QMAILMFTFILE": ".lists"})
        self.assertIn("\nMail-Followup-To: LIST@example.org, bob@example.net\n", result.stdout)


class Refused(InjectTest):
    def test_what_makes_no_sense_is_permanent(self):
        result = self.inject(message="To: (joe\n\n", status=100)
        self.assertEqual(result.stderr,
                         "qmail-inject: fatal: unable to parse this line:\nTo: (joe\n")
        self.inject("-x", status=100)
        self.inject(message="Subject: nobody\n\n", status=100)

    def test_what_the_queue_refuses_is_as_permanent_as_it_says(self):
        for script, status, text in (("exit 31", 100, "permanently rejected"),
                                     ("exit 53", 111, "disk full"),
                                     ("echo Zlater >&6; exit 82", 111, "fatal: later$")):
            self.write_file("/tmp/refuser", f"#!/bin/sh\ncat >/dev/null\n{script}\n", mode=0o755)
            result = self.inject(message="To: bob\n\n", status=status,
                                 env={"QMAILQUEUE": "/tmp/refuser"})
            self.assertRegex(result.stderr, text)

    def test_an_address_that_is_too_long_is_permanent(self):
        result = self.inject("x" * 1100 + "@example.org", status=100)
        self.assertIn("envelope address too long", result.stderr)

    def test_a_header_without_end_is_permanent(self):
        result = self.inject("bob", message="x" * (17 << 20), status=100)
        self.assertIn("header is larger than 16777216 bytes", result.stderr)
        self.assertEqual(services.queue(), {})


if __name__ == "__main__":
    unittest.main()
