# Dovecot and Courier, Debian's, read what qmail-local has delivered, mark it, move it and throw it
# away; and what they leave in the Maildir is good mail for qmail-local and qmail-pop3d.
# unpack: dovecot-imapd dovecot-pop3d
# unpack: courier-imap courier-pop maildrop procmail
import contextlib
import os
import pathlib
import socket
import unittest

from support import hosts, pop3, services
from support.local import LocalTest, send
from support.mailbox_servers import COURIER, DOVECOT, Servers, ask, fetch_all, uid_of
from support.wait import wait_until

HOME = pathlib.Path("/home/alice")
MAILDIR = HOME / "Maildir"
BODIES = {"plain": "hello\n", "dots": ".\n..\n.x\n", "bytes": "grüße\t" + "x" * 900 + "\n",
          "from": "From here\n>From there\n\n\n", "empty": ""}


def setUpModule():
    global servers
    servers = Servers()


def tearDownModule():
    servers.stop()


def new_mailbox():
    """Nothing left of what the test before did."""
    hosts.on(hosts.MAIN, "rm", "-rf", MAILDIR)
    hosts.as_user("alice", "maildirmake", "Maildir")


def grow_older():
    """A minute passes for the messages: qmail-pop3d shows none of this very second."""
    for part in ("new", "cur"):
        for path in (MAILDIR / part).iterdir():
            modified = path.stat().st_mtime - 60
            os.utime(path, (modified, modified))


def popped():
    """What qmail-pop3d shows: message number and text by unique id."""
    with contextlib.closing(pop3.log_in()) as client:
        found = {}
        for line in client.uidl()[1]:
            number, unique = line.decode().split()
            found[unique] = (int(number), b"".join(line + b"\n" for line in client.retr(number)[1]))
        client.rset()
        client.quit()
    return found


def files():
    """The text of the Maildir's messages, by what of a name stays."""
    return {path.name.split(":")[0]: path.read_bytes() for part in ("new", "cur")
            for path in (MAILDIR / part).iterdir()}


class WithServer:
    """The tests, for each of the servers."""

    def setUp(self):
        super().setUp()
        new_mailbox()
        for subject, body in BODIES.items():
            send("alice", body, header=f"Subject: {subject}\n")
        services.wait_for_mail("alice", len(BODIES))
        services.wait_for_empty_queue()
        self.imap = self.server.log_in()
        self.addCleanup(self.imap.logout)

    def uid(self, subject):
        return uid_of(self.imap, f"\nSubject: {subject}\n")

    def store(self, subject, flags):
        ask(self.imap.uid("STORE", self.uid(subject), "+FLAGS", f"({flags})"))

    def move(self, subject):
        uid = self.uid(subject)
        if "MOVE" in self.imap.capabilities:
            ask(self.imap.uid("MOVE", uid, self.server.folder))
        else:
            ask(self.imap.uid("COPY", uid, self.server.folder))
            ask(self.imap.uid("STORE", uid, "+FLAGS", r"(\Deleted)"))
            ask(self.imap.expunge())

    def test_shows_over_imap_what_was_delivered(self):
        shown = fetch_all(self.imap)
        self.assertEqual(sorted(files().values()), sorted(m.text for m in shown.values()))
        for message in shown.values():
            self.assertEqual(message.text.count(b"\n"), message.wire.count(b"\r\n"))
        self.assertEqual([set()] * len(BODIES), [message.flags for message in shown.values()])
        send("alice", header="Subject: one more\n")
        services.wait_for_mail("alice", len(BODIES) + 1)
        ask(self.imap.noop())
        self.uid("one more")

    def test_marks_moves_and_expunges_and_qmail_pop3d_goes_on_from_there(self):
        grow_older()
        before = popped()
        self.assertEqual(files(), {unique: text for unique, (_, text) in before.items()})
        ask(self.imap.create(self.server.folder))
        self.store("plain", r"\Seen \Flagged a-keyword")
        self.store("dots", r"another-keyword")
        ask(self.imap.uid("COPY", self.uid("dots"), self.server.folder))
        self.move("bytes")
        self.store("empty", r"\Deleted")
        ask(self.imap.expunge())
        ask(self.imap.append(None, r"(\Seen)", None, b"Subject: appended\r\n\r\nhere\r\n"))
        self.assertEqual(2, len(services.maildir("alice", directory="Maildir/.Work")))

        grow_older()
        after = popped()
        gone = {unique for unique, (_, text) in before.items()
                if b"\nSubject: bytes\n" in text or b"\nSubject: empty\n" in text}
        self.assertEqual(2, len(gone))
        (appended,) = set(after) - set(before)
        self.assertEqual(set(before) - gone, set(after) - {appended})
        self.assertIn(",S=", appended)
        self.assertEqual(b"Subject: appended\n\nhere\n", after[appended][1])
        self.assertEqual(files(), {unique: text for unique, (_, text) in after.items()})
        # Its own marks are in order for the other: read now, and nothing else has changed.
        for name in pop3.names("alice", "cur"):
            self.assertRegex(name, r"\A[^:]+:2,D?F?P?R?S[a-z]*\Z")
        flags = {text.split(b"Subject: ")[1].split(b"\n")[0].decode(): flags for flags, text
                 in ((m.flags, m.text) for m in fetch_all(self.imap).values())}
        self.assertLessEqual({r"\Seen", r"\Flagged", "a-keyword"}, flags["plain"])
        self.assertEqual({r"\Seen", "another-keyword"}, flags["dots"])
        self.assertEqual({r"\Seen"}, flags["from"])

        with contextlib.closing(pop3.log_in()) as client:
            client.dele(after[appended][0])
            client.quit()
        self.assertEqual(set(after) - {appended}, set(files()))
        ask(self.imap.noop())
        self.assertEqual(sorted(files().values()),
                         sorted(message.text for message in fetch_all(self.imap).values()))

    def test_sees_nothing_go_when_a_pop3_client_vanishes(self):
        self.store("plain", r"\Seen")
        grow_older()
        client = pop3.log_in()
        for number in range(1, len(BODIES)):
            client.dele(number)
        client.sock.sendall(f"DELE {len(BODIES)}".encode())
        client.sock.shutdown(socket.SHUT_RDWR)
        client.close()
        wait_until(lambda: not services.processes("qmail-pop3d"), "the session to end")
        ask(self.imap.noop())
        self.assertEqual(len(BODIES), len(files()))
        self.assertEqual(len(BODIES), len(fetch_all(self.imap)))

    def test_finds_what_qmail_local_puts_into_a_folder(self):
        hosts.as_user("alice", "maildirmake", "-f", "Work", "Maildir")
        self.dot_qmail("alice", "./Maildir/.Work/\n", "-work")
        send("alice-work", header="Subject: filed\n")
        services.wait_for_mail("alice", directory="Maildir/.Work")
        ask(self.imap.select(self.server.folder))
        (message,) = fetch_all(self.imap).values()
        self.assertEqual(services.maildir("alice", directory="Maildir/.Work"), [message.text])

    def test_pops_what_was_delivered_and_qmail_pop3d_the_rest(self):
        with contextlib.closing(self.server.log_in_pop3()) as client:
            self.assertEqual(len(BODIES), client.stat()[0])
            texts = {number: b"".join(line + b"\n" for line in client.retr(number)[1])
                     for number in range(1, len(BODIES) + 1)}
            self.assertEqual(sorted(files().values()), sorted(texts.values()))
            client.dele(1)
            client.quit()
        del texts[1]
        grow_older()
        left = popped()
        self.assertEqual(sorted(texts.values()), sorted(text for _, text in left.values()))
        self.assertEqual(files(), {unique: text for unique, (_, text) in left.items()})


class WithDovecot(WithServer, LocalTest):
    server = DOVECOT

    def test_gives_messages_the_unique_ids_that_qmail_pop3d_gives(self):
        ask(self.imap.append(None, None, None, b"Subject: appended\r\n\r\nhere\r\n"))
        grow_older()
        with contextlib.closing(self.server.log_in_pop3()) as client:
            theirs = {line.split()[1].decode() for line in client.uidl()[1]}
            client.quit()
        self.assertEqual(set(popped()), theirs)


class WithCourier(WithServer, LocalTest):
    server = COURIER


RUN_SCRIPT = pathlib.Path("/etc/service/qmail-send/run")


class Quotas(LocalTest):
    """One file, maildirsize, and many programs that keep to it."""

    def setUp(self):
        super().setUp()
        new_mailbox()

    def set_quota(self, quota, program="maildirmake"):
        hosts.as_user("alice", program, "-q", quota, "Maildir")
        self.assertTrue((MAILDIR / "maildirsize").read_text().startswith(f"{quota}\n"))

    def assert_totals_agree(self):
        """What the file adds up to is what is in the mailbox."""
        lines = (MAILDIR / "maildirsize").read_text().splitlines()[1:]
        totals = tuple(map(sum, zip(*(map(int, line.split()) for line in lines))))
        sizes = [path.stat().st_size for folder in (MAILDIR, *MAILDIR.glob(".[A-Z]*"))
                 for part in ("new", "cur") for path in (folder / part).iterdir()]
        self.assertEqual((sum(sizes), len(sizes)), totals)

    def assert_bounced(self, text):
        (bounce,) = services.wait_for_mail("carol")
        self.assertIn(text, bounce)
        services.empty_maildir("carol")

    def deliver(self, extension="", body="hello\n"):
        before = len(services.maildir("alice"))
        send(f"alice{extension}", body)
        services.wait_for_mail("alice", before + 1)
        services.wait_for_empty_queue()

    def test_of_maildrop_and_courier_are_counted_alike(self):
        self.dot_qmail("alice", "|maildrop\n", "-maildrop")
        self.write_file(HOME / ".mailfilter", 'to "./Maildir/"\n', user="alice", mode=0o600)
        for make, deliver in (("maildirmake.maildrop", "/usr/sbin/deliverquota.maildrop"),
                              ("maildirmake.courier", "deliverquota.courier")):
            with self.subTest(program=deliver):
                new_mailbox()
                self.set_quota("4000S,9C", make)
                self.dot_qmail("alice", f"|{deliver} Maildir\n", "-deliverquota")
                for extension in ("", "-deliverquota", "", "-maildrop", "-deliverquota"):
                    self.deliver(extension)
                self.assert_totals_agree()
                send("alice", "x" * 3000)
                self.assert_bounced(b"\nSorry, this mailbox is full. (#5.2.2)\n")
                send("alice-deliverquota", "x" * 3000)
                self.assert_bounced(b"\nMail quota exceeded.\n")
                self.assert_totals_agree()
                self.assertEqual(5, len(services.maildir("alice")))
        send("alice-maildrop", "x" * 3000)
        self.wait_for_deferral("maildrop:_maildir_over_quota.")
        self.dot_qmail("alice", "#\n", "-maildrop")
        self.retry()

    def test_of_dovecots_delivery_agent_are_counted_alike(self):
        self.set_quota("4000S,9C")
        agent = "|preline -f /usr/lib/dovecot/dovecot-lda"
        self.dot_qmail("alice", f'{agent} -e -f "$SENDER"\n', "-lda")
        self.deliver("-lda")
        self.assertIn(b"\nDelivered-To: alice-lda@mail.example.org\n", services.maildir("alice")[0])
        self.deliver()
        self.assert_totals_agree()
        send("alice-lda", "x" * 4000)
        self.assert_bounced(b"\nQuota exceeded")
        self.assert_totals_agree()
        self.dot_qmail("alice", f"{agent} -m no/such/folder\n", "-lda")
        self.deliver("-lda")
        self.assert_totals_agree()

    def test_of_qmail_local_are_the_servers_too(self):
        for server in (DOVECOT, COURIER):
            with self.subTest(folder=server.folder):
                new_mailbox()
                self.set_quota("4000S,5C")
                self.deliver()
                self.deliver()
                imap = server.log_in()
                if server is DOVECOT:
                    (root,) = ask(imap.getquotaroot("INBOX"))[1]
                    self.assertIn(b"MESSAGE 2 5", root)
                ask(imap.create(server.folder))
                ask(imap.copy("1", server.folder))
                ask(imap.append(None, None, None, b"Subject: appended\r\n\r\nhere\r\n"))
                self.assert_totals_agree()
                too_large = b"Subject: large\r\n\r\n" + b"x" * 3500 + b"\r\n"
                self.assertEqual("NO", imap.append(None, None, None, too_large)[0])
                send("alice", "x" * 3500)
                self.assert_bounced(b"\nSorry, this mailbox is full. (#5.2.2)\n")
                self.assert_totals_agree()
                ask(imap.noop())
                ask(imap.store("1:*", "+FLAGS", r"(\Deleted)"))
                ask(imap.expunge())
                self.assert_totals_agree()
                self.deliver(body="x" * 3000)
                self.assert_totals_agree()
                imap.logout()

    def test_that_are_used_up_warn_and_defer_where_the_run_script_says_so(self):
        before = RUN_SCRIPT.read_text()
        self.addCleanup(services.Service("qmail-send").restart)
        self.addCleanup(RUN_SCRIPT.write_text, before)
        warning = self.write_file("/var/qmail/control/quotawarning", "Subject: nearly full\n\n")
        RUN_SCRIPT.write_text(before.replace("exec", f"""\
export QMAILQUOTA=defer QMAILQUOTAWARN={warning}
exec"""))
        services.Service("qmail-send").restart()
        self.set_quota("5000S")
        send("alice", "x" * 4400)
        services.wait_for_mail("alice", 2)
        self.assertIn(b"Subject: nearly full\n\n", services.maildir("alice"))
        self.assert_totals_agree()
        send("alice", "x" * 1000)
        self.wait_for_deferral("This_mailbox_is_full._(#4.2.2)")
        # There is room again as soon as somebody makes some, by POP3 too.
        grow_older()
        with contextlib.closing(pop3.log_in()) as client:
            for number in (1, 2):
                client.dele(number)
            client.quit()
        self.assert_totals_agree()
        self.retry()
        services.wait_for_mail("alice")
        services.wait_for_empty_queue()
        self.assert_totals_agree()

    def test_are_kept_where_root_has_made_the_file(self):
        hosts.on(hosts.MAIN, "maildirmake.courier", "-q", "4000S", MAILDIR)
        self.assertEqual("root", (MAILDIR / "maildirsize").owner())
        self.deliver()
        self.deliver()
        self.assert_totals_agree()

    def test_are_kept_as_dovecot_has_counted_in_a_mailbox_that_it_has_made(self):
        hosts.on(hosts.MAIN, "rm", "-r", MAILDIR)
        DOVECOT.log_in().logout()
        self.deliver()
        hosts.as_user("alice", "doveadm", "-o", "plugin/quota_rule=*:storage=4K:messages=9",
                      "quota", "recalc")
        self.assertTrue((MAILDIR / "maildirsize").read_text().startswith("4096S,9C\n"))
        self.assert_totals_agree()
        self.deliver()
        self.assert_totals_agree()
        send("alice", "x" * 4000)
        self.assert_bounced(b"\nSorry, this mailbox is full. (#5.2.2)\n")
        self.assert_totals_agree()


if __name__ == "__main__":
    unittest.main()
