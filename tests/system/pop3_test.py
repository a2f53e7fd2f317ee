# POP3 on port 110 of a world: the service as it is installed, with mail accounts; the same with
# checkpassword and the system's accounts; qmail-popup and qmail-pop3d started by hand.
import contextlib
import hashlib
import os
import pathlib
import poplib
import resource
import socket
import stat
import subprocess
import time
import unittest

from support import hosts, pop3, services, smtp
from support.case import WorldTest
from support.services import Service
from support.wait import PATIENCE, wait_until

BIN = "/var/qmail/bin"
MESSAGE = "Subject: one\n\n.hello\nlast line\n"


class Pop3Test(WorldTest):
    def setUp(self):
        super().setUp()
        for user in ("alice", "bob"):
            services.empty_maildir(user)
        self.addCleanup(services.empty_maildir, "alice")

    def pop3d(self, *commands, directory="Maildir"):
        """What qmail-pop3d, run by hand as alice, says to these lines."""
        return hosts.as_user("alice", f"{BIN}/qmail-pop3d", *filter(None, [directory]), text=False,
                             input="".join(f"{line}\r\n" for line in commands).encode()).stdout


class Mailbox(Pop3Test):
    """The installed service, on port 110."""

    def test_mail_arrives_and_is_popped(self):
        smtp.inject("bob@example.org", ["alice@example.org"], "Subject: hi\n\n.dot\n")
        services.wait_for_mail("alice")
        (name,) = pop3.names("alice", "new")
        # A message of this very second is left for the next session.
        path = pathlib.Path("/home/alice/Maildir/new", name)
        wait_until(lambda: time.time() >= int(path.stat().st_mtime) + 1, "the next second")
        with contextlib.closing(pop3.log_in()) as client:
            self.assertEqual((1, path.stat().st_size), client.stat())
            self.assertEqual(b"+OK 1 " + name.encode(), client.uidl(1))
            _, lines, _ = client.retr(1)
            self.assertIn(b"Delivered-To: alice@example.org", lines)
            self.assertEqual([b"Subject: hi", b"", b".dot"], lines[-3:])
            client.dele(1)
            client.quit()
        self.assertEqual([], services.maildir("alice"))

    def test_logs_in_by_password_and_apop_by_user_or_address(self):
        pop3.put_message("alice", "1.a.host", MESSAGE)
        for login in ("alice", "alice@example.org", "ALICE@example.org"):
            for method in ("pass", "apop"):
                with self.subTest(login=login, method=method), \
                     contextlib.closing(poplib.POP3(hosts.MAIN, timeout=PATIENCE)) as client:
                    if method == "apop":
                        client.apop(login, "alice-password")
                    else:
                        client.user(login)
                        client.pass_("alice-password")
                    self.assertEqual(1, client.stat()[0])
                    client.quit()

    def test_refuses_wrong_passwords_and_strangers_alike(self):
        for login in ("alice", "nobody-here"):
            for method in ("pass", "apop"):
                with self.subTest(login=login, method=method), \
                     contextlib.closing(poplib.POP3(hosts.MAIN, timeout=PATIENCE)) as client, \
                     self.assertRaisesRegex(poplib.error_proto, "^b'-ERR authorization failed'$"):
                    if method == "apop":
                        client.apop(login, "wrong")
                    else:
                        client.user(login)
                        client.pass_("wrong")

    def test_transcript_byte_for_byte(self):
        pop3.put_message("alice", "1.a.host", MESSAGE, age=100)
        pop3.put_message("alice", "2.b.host:2,S", "no end", age=50, folder="cur")
        with socket.create_connection((hosts.MAIN, 110), timeout=PATIENCE) as client:
            replies = client.makefile("rb")
            challenge = replies.readline().removeprefix(b"+OK ").rstrip()
            self.assertRegex(challenge.decode(), r"^<\d+\.\d+@mail\.example\.org>$")
            digest = hashlib.md5(challenge + b"alice-password").hexdigest()
            # Everything in one go, the login too.
            client.sendall(f"APOP alice {digest}\r\nSTAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nRETR 2\r\n"
                           "TOP 1 1\r\nLAST\r\nDELE 2\r\nDELE 2\r\nRETR 9\r\nRSET\r\nQUIT\r\n"
                           .encode())
            self.assertEqual(
                b"+OK \r\n" b"+OK 2 37\r\n" b"+OK \r\n1 31\r\n2 6\r\n.\r\n"
                b"+OK \r\n1 1.a.host\r\n2 2.b.host\r\n.\r\n"
                b"+OK \r\nSubject: one\r\n\r\n..hello\r\nlast line\r\n.\r\n"
                b"+OK \r\nno end\r\n.\r\n" b"+OK \r\nSubject: one\r\n\r\n..hello\r\n.\r\n"
                b"+OK 2\r\n" b"+OK \r\n" b"-ERR already deleted\r\n"
                b"-ERR not that many messages\r\n" b"+OK \r\n" b"+OK \r\n", replies.read())
        self.assertEqual(["1.a.host:2,S", "2.b.host:2,S"], pop3.names("alice", "cur"))

    def test_client_that_vanishes_deletes_nothing(self):
        pop3.put_message("alice", "1.a.host", MESSAGE)
        pop3.put_message("alice", "2.b.host", MESSAGE)
        for last in (b"DELE 1\r\nDELE 2", b"DELE 1\r\nDELE 2\r\nQUI", b"DELE 1\r\nRETR 2\r\n"):
            client = pop3.log_in()
            client.sock.sendall(last)
            client.sock.shutdown(socket.SHUT_RDWR)
            client.close()
        wait_until(lambda: not services.processes("qmail-popup"), "the sessions to end")
        self.assertEqual(["1.a.host", "2.b.host"], pop3.names("alice", "new"))

    def test_two_sessions_at_once_see_what_the_other_has_done(self):
        for number in (1, 2):
            pop3.put_message("alice", f"{number}.a.host", MESSAGE, age=100 - number)
        first, second = pop3.log_in(), pop3.log_in()
        first.dele(1)
        first.quit()
        with self.assertRaisesRegex(poplib.error_proto, "unable to open that message"):
            second.retr(1)
        self.assertEqual(MESSAGE.encode().splitlines(), second.retr(2)[1])  # it is in cur/ now
        second.dele(1)
        second.dele(2)
        second.quit()
        self.assertEqual([], services.maildir("alice"))

    def test_capabilities_before_and_after_the_login(self):
        with contextlib.closing(pop3.log_in()) as client:
            after = client.capa()
            client.quit()
        with contextlib.closing(poplib.POP3(hosts.MAIN, timeout=PATIENCE)) as client:
            self.assertEqual(after, client.capa())
        self.assertLessEqual({"UIDL", "TOP", "USER", "PIPELINING"}, set(after))

    def test_qmailctl_knows_the_service(self):
        shown = hosts.on(hosts.MAIN, "qmailctl", "stat").stdout
        self.assertRegex(shown, r"(?m)^/etc/service/qmail-pop3d: up \(pid \d+\)")
        self.assertRegex(shown, r"(?m)^/etc/service/qmail-pop3d/log: up \(pid \d+\)")


class SystemAccounts(Pop3Test):
    """Without mail accounts the run script takes the system's."""

    def test_checkpassword_opens_the_mailbox(self):
        compiled = pathlib.Path("/var/qmail/users/mailusers.cdb")
        aside = compiled.rename("/var/qmail/users/aside")
        self.addCleanup(Service("qmail-pop3d").restart)
        self.addCleanup(aside.rename, compiled)
        Service("qmail-pop3d").restart()
        for user in ("alice", "carol"):  # SHA-512, yescrypt
            pop3.put_message(user, "1.a.host", MESSAGE)
            self.addCleanup(services.empty_maildir, user)
            with contextlib.closing(pop3.log_in(user)) as client:
                self.assertEqual((1, 31), client.stat())
                client.quit()
            self.assertEqual(["1.a.host:2,"], pop3.names(user, "cur"))
        for user, password in (("alice", "wrong"), ("root", ""), ("alice@example.org", "x")):
            with contextlib.closing(poplib.POP3(hosts.MAIN, timeout=PATIENCE)) as client, \
                 self.assertRaises(poplib.error_proto):
                client.user(user)
                client.pass_(password)


class ByHand(Pop3Test):
    def test_popup_typed_at_by_qmaild_tries_a_checker(self):
        def popup(password):
            command = f"{BIN}/qmail-popup localhost {BIN}/checkmailuser pwd"
            return hosts.on(hosts.MAIN, "su", "-", "qmaild", "-c", command, check=False,
                            text=False, input=f"user alice\npass {password}\n".encode())

        result = popup("alice-password")
        self.assertEqual(0, result.returncode)
        self.assertRegex(result.stdout,
                         rb"^\+OK <\d+\.\d+@localhost>\r\n\+OK \r\n/var/qmail\n$")
        result = popup("wrong")
        self.assertEqual(1, result.returncode)
        self.assertTrue(result.stdout.endswith(b"\r\n+OK \r\n-ERR authorization failed\r\n"))

    def test_pop3d_refuses_root(self):
        result = hosts.on(hosts.MAIN, f"{BIN}/qmail-pop3d", "Maildir", check=False,
                          cwd="/home/alice")
        self.assertEqual((1, ""), (result.returncode, result.stdout))
        self.assertIn("not run as root", result.stderr)

    def test_pop3d_says_what_is_wrong_with_the_maildir(self):
        for directory in ("nowhere", None, ".bashrc"):
            self.assertEqual(b"-ERR this user has no $HOME/Maildir\r\n",
                             self.pop3d(directory=directory))
        os.rmdir("/home/alice/Maildir/new")
        self.addCleanup(lambda: (os.mkdir("/home/alice/Maildir/new", 0o700),
                                 os.chown("/home/alice/Maildir/new", 1000, 1000)))
        self.assertEqual(b"-ERR unable to scan $HOME/Maildir\r\n", self.pop3d("QUIT"))

    def test_pop3d_says_what_it_could_not_delete(self):
        pop3.put_message("alice", "1.a.host", MESSAGE)
        os.chmod("/home/alice/Maildir/new", 0o500)
        self.addCleanup(os.chmod, "/home/alice/Maildir/new", 0o700)
        self.assertEqual(b"+OK \r\n+OK \r\n-ERR unable to unlink all deleted messages\r\n",
                         self.pop3d("DELE 1", "QUIT"))
        self.assertEqual(["1.a.host"], pop3.names("alice", "new"))

    def test_deletions_are_durable_before_quit_is_answered(self):
        pop3.put_message("alice", "1.a.host", MESSAGE)
        pop3.put_message("alice", "2.b.host", MESSAGE, folder="cur")
        trace = self.write_file("/tmp/trace", "", user="alice")
        hosts.as_user("alice", "strace", "-o", trace, f"{BIN}/qmail-pop3d", "Maildir",
                      input="DELE 1\r\nDELE 2\r\nQUIT\r\n")
        calls = trace.read_text(encoding="utf-8").splitlines()
        last = {what: max(n for n, call in enumerate(calls) if call.startswith(what))
                for what in ("unlinkat", "fsync", "sendto", "write")
                if any(call.startswith(what) for call in calls)}
        self.assertEqual(2, sum(call.startswith("fsync") for call in calls))
        self.assertLess(last["unlinkat"], last["fsync"])
        self.assertLess(last["fsync"], last["write"])


class BigMailbox(Pop3Test):
    MESSAGES = 100_000

    def test_a_hundred_thousand_messages_open_in_time_and_memory(self):
        folder = pathlib.Path("/home/alice/Maildir/cur")
        for number in range(self.MESSAGES):
            name = f"1700000000.M{number:06}P4711.mail.example.org,S=1234:2,S"
            os.mknod(f"{folder}/{name}", stat.S_IFREG | 0o644)
        wait_until(lambda: time.time() > folder.stat().st_mtime + 1, "the next second")
        began = time.monotonic()
        # Sixteen megabytes of data, far less than the run script gives it.
        process = subprocess.Popen(
            ["softlimit", "-m", "16000000", f"{BIN}/qmail-pop3d", "Maildir"], cwd="/home/alice",
            user="alice", group="alice", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        said, _ = process.communicate(b"STAT\r\nUIDL\r\nRETR 100000\r\nQUIT\r\n")
        seconds = time.monotonic() - began
        kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertIn(b"+OK 100000 0\r\n", said[:40])
        # The greeting, the list with its two ends, the message with its two, and QUIT.
        self.assertEqual(2 + 2 + self.MESSAGES + 2 + 1, said.count(b"\r\n"), said[:200])
        self.assertLess(seconds, 10)
        print(f"100 000 messages: {seconds:.2f} s, at most {kilobytes} kB")


if __name__ == "__main__":
    unittest.main()
