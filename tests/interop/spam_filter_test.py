"""SpamAssassin in qmail-queue's place, by the script of docs/COOKBOOK.md: spam is refused while its
sender is still there, everything else arrives with SpamAssassin's fields."""
# unpack: spamd spamc

import email.utils
import os
import pathlib
import pwd
import re
import subprocess
import unittest

from support import examples, hosts, services, smtp
from support.case import WorldTest
from support.wait import PATIENCE, wait_until

COOKBOOK = hosts.REPOSITORY / "docs/COOKBOOK.md"
FILTER = pathlib.Path("/var/qmail/bin/filter")
LOG = pathlib.Path("/var/log/spamd")
# What every filter takes for spam.
GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
MESSAGE = ("From: Ann <ann@example.net>\nTo: Bob <bob@example.org>\nSubject: lunch\n"
           f"Date: {email.utils.formatdate()}\nMessage-ID: {email.utils.make_msgid()}\n\n{{body}}")
REFUSED = "This looks like spam. (#5.7.1)"
LATER = "451 mail server temporarily rejected message (#4.3.0)"
LINE = "All work and no play makes Jack a dull boy.\n"


def start_spamd():
    """Returns when it listens."""
    home = pathlib.Path("/tmp/spamd")
    home.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    with open(LOG, "wb") as log:
        child = subprocess.Popen(
            ["spamd", "--local", "--username=nobody", "--nouser-config",
             f"--helper-home-dir={home}", "--max-children=2", "--syslog=stderr"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
    wait_until(lambda: child.poll() is not None
               or hosts.on(hosts.MAIN, "ss", "-Hltn", "sport = :783").stdout, "spamd to listen",
               3 * PATIENCE)  # it compiles its rules first
    if child.poll() is not None:
        raise AssertionError(LOG.read_text(encoding="utf-8"))
    return child


class SpamFilter(WorldTest):
    @classmethod
    def setUpClass(cls):
        hosts.install_unpacked("spamd")
        for path in (FILTER, pathlib.Path("/etc/tcp.smtp")):
            path.write_text(examples.shown_file(COOKBOOK, path), encoding="utf-8")
        FILTER.chmod(0o755)
        hosts.on(hosts.MAIN, "qmailctl", "cdb")
        child = start_spamd()
        cls.addClassCleanup(child.wait)
        cls.addClassCleanup(child.terminate)

    def setUp(self):
        super().setUp()
        services.empty_maildir("bob")

    def say(self, body, reply):
        """A stranger's message to bob, and what is said of it."""
        with smtp.connect() as client:
            client.command("MAIL FROM:<ann@example.net>", "250 *")
            client.command("RCPT TO:<bob@example.org>", "250 *")
            client.command("DATA", "354 *")
            client.send(MESSAGE.format(body=body).replace("\n", "\r\n").encode() + b".\r\n")
            client.expect(reply)
            client.command("QUIT", "221 *")

    def read(self):
        (message,) = services.wait_for_mail("bob")
        return message.decode().split("\n\n", 1)

    def change_filter(self, *words):
        before = FILTER.read_text()
        self.addCleanup(FILTER.write_text, before)
        FILTER.write_text(before.replace(*words))

    def test_spam_is_refused_while_its_sender_is_there(self):
        self.say(f"hello\n{GTUBE}\n", f"554 {REFUSED}")
        self.assertEqual({}, services.queue())
        self.assertEqual([], services.maildir("bob"))

    def test_the_sender_on_this_host_is_told_too(self):
        result = hosts.as_user("alice", "sendmail", "-t", input=MESSAGE.format(body=GTUBE + "\n"),
                               env={"QMAILQUEUE": str(FILTER)}, check=False)
        self.assertEqual(100, result.returncode)
        self.assertIn(REFUSED, result.stderr)

    def test_other_mail_arrives_whole_with_the_fields_of_the_filter(self):
        self.say("Shall we have lunch at noon?\n..\nAnn\n", "250 ok * qp *")
        header, body = self.read()
        self.assertEqual("Shall we have lunch at noon?\n.\nAnn\n", body)
        self.assertRegex(header, "\nX-Spam-Status: No, score=")
        self.assertIn("\nX-Spam-Checker-Version: SpamAssassin ", header)
        self.assertIn("\nSubject: lunch\n", header)
        self.assertTrue(header.startswith("Return-Path: <ann@example.net>\n"))
        self.assertEqual(2, len(re.findall("^Received:", header, re.MULTILINE)))

    def test_what_is_too_large_for_spamc_arrives_unseen(self):
        self.say(LINE * 15_000 + GTUBE + "\n", "250 ok * qp *")
        header, body = self.read()
        self.assertNotIn("X-Spam", header)
        self.assertEqual(LINE * 15_000 + GTUBE + "\n", body)

    def test_without_spamd_mail_goes_by_or_waits_as_the_script_says(self):
        self.change_filter("spamc -E", "spamc -p 9 -E")
        self.say(GTUBE + "\n", "250 ok * qp *")
        self.assertEqual(GTUBE + "\n", self.read()[1])
        self.change_filter("spamc -p 9 -E", "spamc -p 9 -x -E")
        self.say("Shall we have lunch at noon?\n", LATER)

    def test_no_mail_is_cut_short_where_the_filter_has_no_space(self):
        small = pathlib.Path("/tmp/small")
        small.mkdir()
        hosts.on(hosts.MAIN, "mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", small)
        self.addCleanup(hosts.on, hosts.MAIN, "umount", small)
        self.change_filter("mktemp", f"mktemp -p {small}")
        self.say(LINE * 250, LATER)
        self.assertEqual([], list(small.iterdir()))
        self.change_filter("spamc -E", "spamc -x -E")
        self.say(LINE * 250, LATER)


if __name__ == "__main__":
    unittest.main()
