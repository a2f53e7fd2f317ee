# The administrator's smaller programs on a running system: qmail-newmrh, qmail-pw2u, qmail-tcpto,
# qmail-tcpok, instcheck, maildirmake -f, maildir2mbox; and the programs that stand in for ours.
import os
import pathlib
import time
import unittest

from support import hosts, services, smtp
from support.case import WorldTest
from support.services import wait_for_mail

BIN = pathlib.Path("/var/qmail/bin")
USERS = pathlib.Path("/var/qmail/users")


def run(program, *arguments, check=True, **options):
    return hosts.on(hosts.MAIN, BIN / program, *arguments, check=check, **options)


class Newmrh(WorldTest):
    def test_hosts_that_it_compiles_are_accepted_for(self):
        self.set_control("morercpthosts", "more.example\n.below.example\n")
        self.addCleanup(pathlib.Path("/var/qmail/control/morercpthosts.cdb").unlink)
        run("qmail-newmrh")
        with smtp.Client(hosts.MAIN) as client:
            client.expect("220 *")
            client.command("MAIL FROM:<a@x.example>", "250 *")
            for host, code in (("MORE.example", "250"), ("a.below.example", "250"),
                               ("below.example", "553"), ("other.example", "553")):
                client.command(f"RCPT TO:<joe@{host}>", f"{code} *")


class Pw2u(WorldTest):
    def test_its_outcome_compiles_and_delivers(self):
        services.empty_maildir("bob")
        self.write_file(USERS / "mailnames", "bob:robert\n")
        passwd = hosts.on(hosts.MAIN, "getent", "passwd").stdout
        self.write_file(USERS / "assign", run("qmail-pw2u", input=passwd).stdout)
        self.addCleanup((USERS / "cdb").unlink, missing_ok=True)
        run("qmail-newu")
        hosts.as_user("alice", BIN / "qmail-inject", "robert", input="Subject: x\n\n")
        self.assertIn(b"Delivered-To: robert@mail.example.org\n", wait_for_mail("bob")[0])
        services.empty_maildir("bob")


class Timeouts(WorldTest):
    def test_are_shown_and_forgotten(self):
        records = pathlib.Path("/var/qmail/queue/lock/tcpto")
        now = int(time.time())
        record = bytes([192, 0, 2, 1, 3, 0, 0, 0]) + now.to_bytes(4, "little") + bytes(4)
        records.write_bytes(record + bytes(1008))
        self.assertRegex(run("qmail-tcpto").stdout,
                         r"\A192\.0\.2\.1 timed out \d+ seconds ago; # recent timeouts: 3\n\Z")
        run("qmail-tcpok")
        self.assertEqual((run("qmail-tcpto").stdout, records.read_bytes()), ("", bytes(1024)))
        self.assertEqual(hosts.as_user("qmailr", BIN / "qmail-tcpto").stdout, "")

    def test_are_no_business_of_a_plain_user(self):
        for program in ("qmail-tcpto", "qmail-tcpok"):
            answer = hosts.as_user("alice", BIN / program, check=False)
            self.assertEqual(answer.returncode, 111)
            self.assertIn("Permission denied", answer.stderr)


class Instcheck(WorldTest):
    def test_has_nothing_against_a_fresh_installation(self):
        answer = run("instcheck", check=False)
        self.assertEqual((answer.returncode, answer.stdout, answer.stderr), (0, "", ""))

    def test_says_what_has_been_changed(self):
        program = BIN / "qmail-queue"
        mode = program.stat().st_mode & 0o7777
        program.chmod(0o755)
        self.addCleanup(program.chmod, mode)
        os.chown("/var/qmail/queue/bounce", 0, -1)
        self.addCleanup(hosts.on, hosts.MAIN, "chown", "qmails", "/var/qmail/queue/bounce")
        answer = run("instcheck", check=False)
        self.assertEqual((answer.returncode, answer.stderr), (
            1, "instcheck: warning: /var/qmail/queue/bounce belongs to user 0, not to qmails\n"
               "instcheck: warning: /var/qmail/bin/qmail-queue has mode 0755, not 4711\n"))


class Maildirs(WorldTest):
    def test_a_folder_is_a_marked_maildir_and_takes_mail(self):
        top = pathlib.Path("/home/alice/Maildir/.Lists.postern")
        self.addCleanup(hosts.on, hosts.MAIN, "rm", "-r", top)
        hosts.as_user("alice", BIN / "maildirmake", "-f", "Lists.postern", "Maildir")
        self.assertEqual((top / "maildirfolder").read_bytes(), b"")
        self.assertEqual((top / "maildirfolder").owner(), "alice")
        self.write_file("/home/alice/.qmail-lists", "./Maildir/.Lists.postern/\n", user="alice")
        hosts.as_user("bob", BIN / "qmail-inject", "alice-lists", input="Subject: x\n\n")
        wait_for_mail("alice", directory="Maildir/.Lists.postern")

    def test_maildir2mbox_moves_everything(self):
        services.empty_maildir("alice")
        hosts.as_user("bob", BIN / "qmail-inject", "alice", input="Subject: x\n\nFrom me\n")
        wait_for_mail("alice")
        mbox = pathlib.Path("/home/alice/Mailbox")
        self.addCleanup(mbox.unlink)
        hosts.as_user("alice", BIN / "maildir2mbox",
                      env={"MAILDIR": "/home/alice/Maildir", "MAIL": str(mbox)})
        text = mbox.read_text(encoding="ascii")
        self.assertTrue(text.startswith("From bob@mail.example.org "), text)
        self.assertTrue(text.endswith("\n\n>From me\n\n"), text)
        self.assertEqual((services.maildir("alice"), mbox.stat().st_mode & 0o777), ([], 0o600))


class StandIns(WorldTest):
    """QMAILREMOTE has its test beside qmail-rspawn's others."""

    def test_qmaillocal_names_a_program_that_runs_in_the_place_of_ours(self):
        program = self.write_file("/var/qmail/bin/other-local", mode=0o755, text="#!/bin/sh\n"
                                  "echo $(id -un) \"$@\"\n")
        order = b"\x05" b"0/1\0" b"s@h\0" b"bob-x@mail.example.org\0"
        message = self.write_file("/var/qmail/queue/mess/0/1", "x", user="qmailq")
        answer = hosts.on(hosts.MAIN, BIN / "qmail-lspawn", "./Maildir/", text=False, input=order,
                          env={"QMAILLOCAL": str(program)})
        message.unlink()  # no mail: qmail-send knows nothing of it
        self.assertEqual(answer.stdout, b"\x78\x05Kbob -- bob /home/bob bob-x - x mail.example.org "
                                        b"s@h ./Maildir/\n\0")


if __name__ == "__main__":
    unittest.main()
