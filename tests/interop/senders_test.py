"""Programs that hand their mail to /usr/sbin/sendmail, run as a person runs them: mutt, s-nail,
bsd-mailx, mailutils, git send-email, PHP's mail(), cron. What they say when a message is refused, too."""
# unpack: mailutils bsd-mailx cron git-email libmailtools-perl php8.2-cli

import contextlib
import email
import pathlib
import re
import subprocess
import unittest

from support import hosts, services
from support.case import WorldTest
from support.wait import wait_until

BODY = "hello\n.\n.dot first\nFrom the start\n\nend\n"
# In qmail-queue's place: refuses everything for good.
REFUSE = "#!/bin/sh\ncat >/dev/null\nexit 31\n"
REFUSED = "mail server permanently rejected message (#5.3.0)"


def setUpModule():
    hosts.install_unpacked("mailutils")  # and the others
    for table in (pathlib.Path("/etc/crontab"), *pathlib.Path("/etc/cron.d").glob("*")):
        table.unlink()  # jobs of the machine that this world was made on
    refuse = pathlib.Path("/var/qmail/bin/refuse")
    refuse.write_text(REFUSE, encoding="utf-8")
    refuse.chmod(0o755)


class Sender:
    """What holds for each of them. A class has `send` run the program as alice, for a message from
    al@example.org to bob and, unseen by him, to carol."""

    own_complaint = None  # what it says itself when sendmail has failed
    nobody_complaint = None  # what a person sees who names no recipient

    def setUp(self):
        super().setUp()
        for name in ("alice", "bob", "carol"):
            services.empty_maildir(name)

    def run_as_alice(self, *command, text=BODY, **env):
        return hosts.as_user("alice", *command, input=text, check=False, env=env)

    def test_a_message_arrives_whole_and_a_blind_copy_is_blind(self):
        result = self.send("bob@example.org", "carol@example.org")
        self.assertEqual(0, result.returncode, result.stderr)
        for name in ("bob", "carol"):
            (message,) = services.wait_for_mail(name)
            header = message.decode().split("\n\n", 1)[0]
            body = email.message_from_bytes(message).get_payload(decode=True).decode()
            self.assertIn(f"\nDelivered-To: {name}@example.org\n", header)
            self.assertTrue(header.startswith("Return-Path: <al@example.org>\n"), header)
            self.assertRegex(header, "\nFrom: .*<?al@example.org>?(\n|$)")
            self.assertRegex(header, "\nTo: <?bob@example.org>?(\n|$)")
            self.assertIn("\nSubject: trying\n", header + "\n")
            self.assertNotRegex(header, "(?i)bcc|carol" if name == "bob" else "(?i)bcc")
            self.assertNotIn("\r", header)
            self.assertEqual(BODY, body.rstrip("\n") + "\n")
        self.assertEqual([], services.maildir("alice"))

    def test_a_refusal_reaches_the_user(self):
        result = self.send("bob@example.org", QMAILQUEUE="/var/qmail/bin/refuse")
        self.assertNotEqual(0, result.returncode)
        self.assertRegex(result.stdout + result.stderr, self.own_complaint or re.escape(REFUSED))

    def test_a_message_to_nobody_is_an_error(self):
        result = self.send("")
        self.assertNotEqual(0, result.returncode)
        self.assertRegex(result.stdout + result.stderr, self.nobody_complaint)

    def assert_told_that_it_cannot_be_read(self, address):
        result = self.send(address)
        self.assertNotEqual(0, result.returncode)
        self.assertIn(f"unable to parse this line:\nTo: {address}\n", result.stderr)


class Mutt(Sender, WorldTest):
    own_complaint = re.escape(REFUSED) + "(?s:.)*Error sending message, child exited 100"
    nobody_complaint = "No recipients were specified"

    def send(self, to, *bcc, **env):
        return self.run_as_alice(
            "mutt", "-n", "-e", "set use_envelope_from=yes from=al@example.org realname=Al "
            "text_flowed=no", "-s", "trying", *(word for who in bcc for word in ("-b", who)),
            *(["--", to] if to else []), **env)


class SNail(Sender, WorldTest):
    own_complaint = re.escape(REFUSED) + "(?s:.)*message not sent"
    nobody_complaint = "without primary recipient"

    def send(self, to, *bcc, **env):
        return self.run_as_alice("s-nail", "-:/", "-s", "trying", "-r", "al@example.org",
                                 *(word for who in bcc for word in ("-b", who)),
                                 *([to] if to else []), **env)


class BsdMailx(Sender, WorldTest):
    own_complaint = re.escape(REFUSED) + "(?s:.)*sendmail process failed with error code 100"
    nobody_complaint = "You must specify to-addr recipients"

    def send(self, to, *bcc, **env):
        return self.run_as_alice("bsd-mailx", "-s", "trying", "-r", "al@example.org",
                                 *(word for who in bcc for word in ("-b", who)),
                                 *([to] if to else []), **env)

    def test_an_address_that_cannot_be_read_is_shown(self):
        self.assert_told_that_it_cannot_be_read("bob@example.org, (unbalanced")


class Mailutils(Sender, WorldTest):
    own_complaint = "cannot send message: Process exited with a non-zero status"
    nobody_complaint = "No recipients specified"

    def send(self, to, *bcc, **env):
        return self.run_as_alice("mail.mailutils", "-n", "-s", "trying", "-r", "al@example.org",
                                 *(word for who in bcc for word in ("-a", f"Bcc: {who}")),
                                 *([to] if to else []), **env)


class Git(Sender, WorldTest):
    nobody_complaint = "usage: sendmail"

    def send(self, to, *bcc, **env):
        patch = self.write_file("/home/alice/0001.patch", f"From {40 * '0'} Mon Sep 17 00:00:00 2001\n"
                                f"From: Al <al@example.org>\nSubject: trying\n\n{BODY}",
                                user="alice")
        return self.run_as_alice(
            "git", "send-email", "--confirm=never", "--suppress-cc=all", "--envelope-sender=auto",
            "--from=Al <al@example.org>", *([f"--to={to}"] if to else []),
            *(f"--bcc={who}" for who in bcc), patch, text="", GIT_CONFIG_NOSYSTEM="1",
            **env)


class Php(Sender, WorldTest):
    nobody_complaint = "no recipients"

    SCRIPT = r"""<?php
    [, $to, $bcc] = $argv;
    $header = "From: Al <al@example.org>" . ($bcc ? "\r\nBcc: $bcc" : "");
    exit(mail($to, "trying", stream_get_contents(STDIN), $header, "-fal@example.org") ? 0 : 3);
    """

    def send(self, to, bcc="", **env):
        script = self.write_file("/home/alice/send.php", self.SCRIPT, user="alice")
        return self.run_as_alice("php8.2", "-n", script, to, bcc, **env)

    def test_an_address_that_cannot_be_read_is_shown(self):
        self.assert_told_that_it_cannot_be_read("bob@example.org, (unbalanced")


class Cron(WorldTest):
    TABLE = ("@reboot cat .body; echo oops >&2\n"
             "@reboot true\n"
             "MAILTO=bob@example.org,carol\n"
             "@reboot echo to two; exit 1\n"
             'MAILTO=""\n'
             "@reboot echo to nobody; touch quiet\n")

    def setUp(self):
        super().setUp()
        for name in ("alice", "bob", "carol"):
            services.empty_maildir(name)

    @contextlib.contextmanager
    def cron(self):
        """The daemon as it is started with the machine: its jobs @reboot run at once."""
        pathlib.Path("/run/crond.reboot").unlink(missing_ok=True)
        child = subprocess.Popen(["/usr/sbin/cron", "-f"], cwd="/", env={"LANG": "C.UTF-8"},
                                 stdin=subprocess.DEVNULL)
        try:
            yield
        finally:
            child.terminate()
            child.wait()

    def mail_to(self, name):
        (message,) = services.wait_for_mail(name)
        return message.decode().split("\n\n", 1)

    def test_what_a_job_says_is_mailed(self):
        self.write_file("/home/alice/.body", BODY, user="alice")
        spool = pathlib.Path("/var/spool/cron/crontabs")
        spool.mkdir(mode=0o1730, parents=True, exist_ok=True)
        hosts.on(hosts.MAIN, "crontab", "-u", "alice", "-", input=self.TABLE)
        self.addCleanup((spool / "alice").unlink)
        with self.cron():
            header, body = self.mail_to("alice")
            self.assertEqual(BODY + "oops\n", body)
            self.assertIn("\nSubject: Cron <alice@mail> cat .body; echo oops >&2\n", header)
            self.assertIn("\nFrom: root@mail.example.org (Cron Daemon)\n", header)
            self.assertIn("\nTo: alice@mail.example.org\n", header)
            self.assertTrue(header.startswith("Return-Path: <alice@mail.example.org>\n"))
            for name in ("bob", "carol"):
                header, body = self.mail_to(name)
                self.assertEqual("to two\n", body)
                self.assertIn("\nTo: bob@example.org, carol@mail.example.org\n", header)
            wait_until(pathlib.Path("/home/alice/quiet").exists, "the last job to run")
        services.wait_for_empty_queue()
        self.assertEqual(1, len(services.maildir("alice")))


if __name__ == "__main__":
    unittest.main()
