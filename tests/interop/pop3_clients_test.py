# Other people's POP3 clients against port 110: curl, Python's poplib, fetchmail and getmail6.
# unpack: fetchmail
# unpack: getmail6
import contextlib
import poplib
import unittest

from support import hosts, pop3, services
from support.case import WorldTest
from support.wait import PATIENCE

MESSAGES = {  # by file, the oldest first
    "1.a.host": "Subject: plain\n\nhello\n",
    "2.b.host": "Subject: dots\n\n.\n..\n.dot first\n\nlast line\n",
    "3.c.host": "Subject: no end\n\nwithout a line end",
    "4.d.host": "Subject: bytes\n\ngrüße\n" + "x" * 900 + "\n",
}
SUBJECTS = [text.split("\n")[0].encode() for text in MESSAGES.values()]


def setUpModule():
    for package in ("fetchmail", "getmail6"):
        hosts.on(hosts.MAIN, "cp", "-a", f"{hosts.REPOSITORY}/build/interop/{package}/usr", "/")


class Pop3Clients(WorldTest):
    def setUp(self):
        super().setUp()
        for user in ("alice", "bob"):
            services.empty_maildir(user)
        for age, (name, text) in enumerate(MESSAGES.items()):
            pop3.put_message("alice", name, text, age=100 - age)

    def curl(self, path, *options, user="alice"):
        return hosts.on(hosts.MAIN, "curl", "--silent", "--show-error", "--user",
                        f"{user}:alice-password", *options, f"pop3://mail.example.org/{path}",
                        text=False).stdout

    def assert_bob_has_all(self):
        """All messages, body and line ends as they were when they were delivered to alice."""
        got = services.wait_for_mail("bob", len(MESSAGES))
        self.assertEqual(len(MESSAGES), len(got))
        for text in MESSAGES.values():
            body = text.split("\n\n", 1)[1].rstrip("\n").encode() + b"\n"
            self.assertEqual(1, sum(message.endswith(b"\n\n" + body) for message in got), body)

    def test_curl_lists_reads_and_deletes(self):
        self.assertEqual("".join(f"{number} {len(text.encode())}\r\n" for number, text
                                 in enumerate(MESSAGES.values(), start=1)).encode(), self.curl(""))
        for number, text in enumerate(MESSAGES.values(), start=1):
            wire = (text if text.endswith("\n") else text + "\n").replace("\n", "\r\n").encode()
            self.assertEqual(wire, self.curl(number))
        self.assertEqual(b"Subject: dots\r\n\r\n.\r\n", self.curl("", "--request", "TOP 2 1"))
        self.curl("", "--request", "DELE 1", "--head")
        self.assertEqual(["2.b.host:2,S", "3.c.host:2,S", "4.d.host:2,S"],
                         pop3.names("alice", "cur"))

    def test_curl_logs_in_with_an_address_too(self):
        self.assertEqual(len(MESSAGES), self.curl("", user="alice@example.org").count(b"\r\n"))

    def test_poplib_with_all_it_has(self):
        with contextlib.closing(poplib.POP3("mail.example.org", timeout=PATIENCE)) as client:
            self.assertIn("UIDL", client.capa())
            client.apop("alice", "alice-password")
            self.assertEqual([name.encode() for name in MESSAGES],
                             [line.split()[1] for line in client.uidl()[1]])
            self.assertEqual(SUBJECTS, [client.top(number, 0)[1][0] for number in range(1, 5)])
            self.assertEqual(MESSAGES["2.b.host"].encode().splitlines(), client.retr(2)[1])
            client.dele(2)
            client.rset()
            client.noop()
            client.dele(4)
            self.assertEqual(3, client.stat()[0])
            client.quit()
        self.assertEqual(["1.a.host:2,", "2.b.host:2,S", "3.c.host:2,"],
                         pop3.names("alice", "cur"))

    def fetchmail(self, protocol, *options, status=0):
        configuration = self.write_file(
            "/root/fetchmailrc", f"poll mail.example.org protocol {protocol} "
            'user alice password alice-password is bob here sslproto "" smtphost localhost\n',
            mode=0o600)
        result = hosts.on(hosts.MAIN, "fetchmail", "--nosyslog", "--verbose", "-f", configuration,
                          *options, check=False)
        self.assertEqual(status, result.returncode, result.stdout + result.stderr)
        return result.stdout

    def test_fetchmail_fetches_and_deletes(self):
        for protocol in ("pop3", "apop"):
            with self.subTest(protocol=protocol):
                self.setUp()
                self.fetchmail(protocol)
                self.assert_bob_has_all()
                self.assertEqual([], services.maildir("alice"))
                self.fetchmail(protocol, status=1)  # no mail

    def test_fetchmail_that_keeps_knows_what_it_has(self):
        self.fetchmail("pop3", "--keep", "--uidl")
        self.assert_bob_has_all()
        self.assertEqual(4, len(services.maildir("alice")))
        said = self.fetchmail("pop3", "--keep", "--uidl", status=1)
        self.assertIn("4 messages (4 seen) for alice", said)

    def test_getmail_keeps_and_then_deletes(self):
        for options, left in (("read_all = false\n", 4), ("delete = true\n", 0)):
            self.write_file("/root/getmailrc", "[retriever]\ntype = SimplePOP3Retriever\n"
                            "server = mail.example.org\nusername = alice\n"
                            "password = alice-password\n[destination]\ntype = Maildir\n"
                            "path = /home/bob/Maildir/\nuser = bob\n"
                            f"[options]\nreceived = false\ndelivered_to = false\n{options}",
                            mode=0o600)
            hosts.on(hosts.MAIN, "getmail", "--getmaildir", "/root", "--rcfile", "getmailrc")
            self.assert_bob_has_all()
            self.assertEqual(left, len(services.maildir("alice")))
            if left:
                said = hosts.on(hosts.MAIN, "getmail", "--getmaildir", "/root", "--rcfile",
                                "getmailrc").stdout
                self.assertRegex(said, r"0 messages \(0 bytes\) retrieved, 4 skipped")
            services.empty_maildir("bob")


if __name__ == "__main__":
    unittest.main()
