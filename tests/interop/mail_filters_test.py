# Filters that people start from .qmail files: Debian's maildrop and procmail. What qmail-command
# tells them reaches them, and what they say of a message is done.
# unpack: courier-imap courier-pop maildrop procmail
import pathlib
import re
import unittest

from support import hosts, services
from support.local import SENDER, LocalTest, send
from support.services import wait_for_mail
from support.wait import wait_until

MAILDIR = pathlib.Path("/home/alice/Maildir")


def setUpModule():
    hosts.install_unpacked("courier-imap")


class FilterTest(LocalTest):
    def setUp(self):
        super().setUp()
        self.folder("Work")

    def folder(self, name):
        hosts.as_user("alice", "maildirmake", "-f", name, "Maildir")
        self.addCleanup(hosts.on, hosts.MAIN, "rm", "-r", MAILDIR / f".{name}")

    def assert_bounced(self, text, recipient):
        (bounce,) = wait_for_mail("carol")
        self.assertIn(f"<{recipient}@mail.example.org>:\n{text}\n".encode(), bounce)
        services.empty_maildir("carol")

    def let_go(self, extension):
        """What waits in the queue is thrown away."""
        self.dot_qmail("alice", "#\n", extension)
        self.retry()
        services.wait_for_empty_queue()


# The filter asks for what qmail-command(8) promises, and acts by the end of the address.
MAILFILTER = """
import LOCAL
import EXT
import DEFAULT
import SENDER
import RECIPIENT
import UFLINE
import RPLINE
import DTLINE
if ($DEFAULT eq "refuse")
{
    echo "not wanted: $SENDER"
    EXITCODE=100
    exit
}
if ($DEFAULT eq "usage")
{
    EXITCODE=64
    exit
}
if ($DEFAULT eq "later")
{
    echo "not now"
    EXITCODE=75
    exit
}
if ($DEFAULT eq "qmail-later")
{
    echo "qmail says later"
    EXITCODE=111
    exit
}
if ($DEFAULT eq "stop")
{
    cc "./Maildir/.Work/"
    EXITCODE=99
    exit
}
`printf '%s\\n' "$LOCAL" "$EXT" "$DEFAULT" "$SENDER" "$RECIPIENT" "$UFLINE" "$RPLINE" "$DTLINE" >told`
to "./Maildir/.Work/"
"""


class Maildrop(FilterTest):
    def setUp(self):
        super().setUp()
        self.write_file("/home/alice/.mailfilter", MAILFILTER, user="alice", mode=0o600)

    def use(self, line):
        self.dot_qmail("alice", f"{line}\n&bob\n", "-drop-default")

    def test_files_into_a_folder_and_knows_all_about_the_delivery(self):
        self.use("|maildrop .mailfilter")
        told = pathlib.Path("/home/alice/told")
        self.addCleanup(told.unlink, missing_ok=True)
        send("alice-drop-It", ".\n")
        (filed,) = wait_for_mail("alice", directory="Maildir/.Work")
        self.assertTrue(filed.startswith(b"Received: "), filed)
        self.assertTrue(filed.endswith(b"\nSubject: test\n\n.\n"), filed)
        self.assertRegex(told.read_text(), rf"""\Aalice-drop-It
drop-It
It
{SENDER}
alice-drop-It@mail\.example\.org
From {SENDER} \w+ \w+ [ \d]\d \d\d:\d\d:\d\d \d{{4}}

Return-Path: <{SENDER}>

Delivered-To: alice-drop-It@mail\.example\.org

\Z""")
        wait_for_mail("bob")  # exit 0: the lines behind it count

    def test_gets_the_lines_of_the_delivery_from_preline(self):
        self.use("|preline -f maildrop .mailfilter")
        self.addCleanup(pathlib.Path("/home/alice/told").unlink, missing_ok=True)
        send("alice-drop-x")
        (filed,) = wait_for_mail("alice", directory="Maildir/.Work")
        self.assertTrue(filed.startswith(
            f"Return-Path: <{SENDER}>\nDelivered-To: alice-drop-x@mail.example.org\nReceived: "
            .encode()), filed)

    def test_bounces_what_it_refuses(self):
        self.use("|maildrop .mailfilter")
        send("alice-drop-refuse")
        self.assert_bounced(f"not wanted: {SENDER}", "alice-drop-refuse")
        send("alice-drop-usage")
        self.assert_bounced("", "alice-drop-usage")
        self.assertEqual([], services.maildir("bob"))

    def test_gets_again_what_it_did_not_take(self):
        self.use("|maildrop .mailfilter")
        send("alice-drop-later")
        self.wait_for_deferral("not_now")
        send("alice-drop-qmail-later")
        self.wait_for_deferral("qmail_says_later")
        self.let_go("-drop-default")

    def test_that_reads_a_filter_of_bad_modes_gets_the_mail_again(self):
        self.use("|maildrop")
        (MAILDIR.parent / ".mailfilter").chmod(0o666)
        send("alice-drop-x")
        self.log.wait_for(
            r"delivery \d+: deferral: maildrop:_Invalid_permissions_on_the_filter_file.*")
        self.let_go("-drop-default")

    def test_may_end_the_delivery(self):
        self.use("|maildrop .mailfilter")
        send("alice-drop-stop")
        wait_for_mail("alice", directory="Maildir/.Work")
        services.wait_for_empty_queue()
        self.log.wait_for(r"delivery \d+: success: did_0\+0\+1/")
        self.assertEqual([], services.maildir("bob"))

    def test_without_a_file_named_reads_the_users_own(self):
        self.dot_qmail("alice", "|maildrop\n")
        self.write_file("/home/alice/.mailfilter", 'to "./Maildir/.Work/"\n', user="alice",
                        mode=0o600)
        send("alice")
        wait_for_mail("alice", directory="Maildir/.Work")


PROCMAILRC = """
DEFAULT=$HOME/Mailbox
LOCKSLEEP=1

:0
* ^Subject: work
Maildir/.Work/

:0
* ^Subject: refuse
{
  EXITCODE=100
  :0
  /dev/null
}

:0
* ^Subject: later
{
  EXITCODE=75
  :0
  /dev/null
}

:0
* ^Subject: stop
{
  EXITCODE=99
  :0 c
  Maildir/.Work/
  :0
  /dev/null
}

:0
* ^Subject: nowhere
no/such/place/

:0 w
* ^Subject: told
| cat >/dev/null; echo "$LOCAL $EXT $SENDER $RECIPIENT" >told
"""


class Procmail(FilterTest):
    def setUp(self):
        super().setUp()
        self.write_file("/home/alice/.procmailrc", PROCMAILRC, user="alice", mode=0o600)
        self.dot_qmail("alice", "|preline procmail -p -t\n&bob\n", "-proc")
        self.box = pathlib.Path("/home/alice/Mailbox")
        self.addCleanup(self.box.unlink, missing_ok=True)

    @staticmethod
    def send(subject):
        send("alice-proc", header=f"Subject: {subject}\n")

    def test_files_into_a_maildir_folder(self):
        self.send("work")
        (filed,) = wait_for_mail("alice", directory="Maildir/.Work")
        self.assertTrue(filed.startswith(
            f"Return-Path: <{SENDER}>\nDelivered-To: alice-proc@".encode()), filed)
        wait_for_mail("bob")

    def test_is_told_about_the_delivery(self):
        told = MAILDIR.parent / "told"
        self.addCleanup(told.unlink, missing_ok=True)
        self.send("told")
        wait_for_mail("bob")
        self.assertEqual(f"alice-proc proc {SENDER} alice-proc@mail.example.org\n",
                         told.read_text())

    def test_refuses_defers_and_ends_deliveries(self):
        self.send("refuse")
        self.assert_bounced("", "alice-proc")
        self.send("stop")
        wait_for_mail("alice", directory="Maildir/.Work")
        self.log.wait_for(r"delivery \d+: success: did_0\+0\+1/")
        self.send("later")
        self.log.wait_for(r"delivery \d+: deferral: ")
        self.assertEqual([], services.maildir("bob"))
        self.let_go("-proc")

    def test_and_qmail_local_write_one_mbox_between_them(self):
        self.dot_qmail("alice", "./Mailbox\n", "-box")
        self.dot_qmail("alice", "|preline procmail -p -t\n", "-proc")
        for number in range(6):
            send("alice-box", f"From box {number}\n")
            send("alice-proc", f"From procmail {number}\n")
        services.wait_for_empty_queue()
        messages = re.split(r"\n\n(?=From \S+@mail\.example\.org \w)", self.box.read_text())
        self.assertEqual(12, len(messages))
        for message in messages:
            self.assertRegex(message,
                             rf"\AFrom {SENDER} .*\nReturn-Path: <{SENDER}>\nDelivered-To: ")
        self.assertEqual(
            sorted(f">From {who} {number}" for who in ("box", "procmail") for number in range(6)),
            sorted(message.rstrip("\n").rsplit("\n", 1)[1] for message in messages))


if __name__ == "__main__":
    unittest.main()
