"""What ucspi-tcp puts before qmail-smtpd: tcpserver with ten thousand of tcprules' rules, and
rblsmtpd with a DNS list. Clients are addresses of the loopback network."""

import contextlib
import grp
import pwd
import subprocess
import unittest

from support import hosts, services, smtp
from support.case import WorldTest
from support.wait import wait_until

PORT = 2525
LOG = "/tmp/tcpserver.log"
NOT_HERE = "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
# Runs in qmail-queue's place: marks the message, and hands both descriptors on.
MARK = "#!/bin/sh\n{ echo 'X-Marked: yes'; exec cat; } | /var/qmail/bin/qmail-queue\n"


@contextlib.contextmanager
def tcpserver(rules, *program):
    """tcpserver as a run script has it, with these rules."""
    hosts.on(hosts.MAIN, "tcprules", "/etc/test.cdb", "/etc/test.tmp", input=rules)
    with open(LOG, "wb") as log:
        child = subprocess.Popen(
            ["tcpserver", "-H", "-R", "-v", "-l", hosts.MAIN, "-x", "/etc/test.cdb",
             "-u", str(pwd.getpwnam("qmaild").pw_uid), "-g", str(grp.getgrnam("nofiles").gr_gid),
             "0", str(PORT), *program, "/var/qmail/bin/qmail-smtpd"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
    try:
        wait_until(lambda: subprocess.run(["ss", "-Hltn", f"sport = :{PORT}"], check=True,
                                          stdout=subprocess.PIPE).stdout, "tcpserver to listen")
        yield
    finally:
        child.terminate()
        child.wait()


def client(source):
    return smtp.Client(address="127.0.0.1", port=PORT, source=source)


def logged():
    with open(LOG, encoding="utf-8") as log:
        return log.read()


class RulesTest(WorldTest):
    def setUp(self):
        super().setUp()
        services.empty_maildir("bob")

    def assert_serves(self, source, elsewhere=NOT_HERE):
        """Bob is served, others so; returns the message that bob gets."""
        with client(source) as session:
            session.expect("220 mail.example.org ESMTP")
            session.command("HELO client.example", "250 *")
            session.command("MAIL FROM:<ann@example.net>", "250 ok")
            session.command("RCPT TO:<joe@elsewhere.example>", elsewhere)
            session.command("RSET", "250 flushed")
            session.send_mail("ann@example.net", ["bob@example.org"], "Subject: hi\n\nhello\n")
            session.command("QUIT", "221 mail.example.org")
        (message,) = services.wait_for_mail("bob")
        services.empty_maildir("bob")
        self.assertIn(f"Received: from unknown (HELO client.example) ({source})\n", message.decode())
        return message.decode()


class TenThousandRules(RulesTest):
    # A client of each kind in turn.
    RULES = ('allow,RELAYCLIENT=""', "deny", 'allow,QMAILQUEUE="/var/qmail/bin/mark"',
             'allow,DATABYTES="100",RELAYCLIENT="@gate.example.org"')
    COUNT = 10_000

    @staticmethod
    def address(number):
        return f"127.1.{number // 200}.{number % 200 + 1}"

    def test_each_client_gets_what_its_line_says(self):
        self.write_file("/var/qmail/bin/mark", MARK, mode=0o755)
        rules = [f"{self.address(number)}:{self.RULES[number % len(self.RULES)]}\n"
                 for number in range(self.COUNT)]
        rules += ['127.:allow,RELAYCLIENT=""\n', ":allow\n"]
        with tcpserver("".join(rules)):
            dumped = hosts.on(hosts.MAIN, "cdb", "-d", "/etc/test.cdb").stdout
            self.assertEqual(self.COUNT + 2, dumped.count("->"))
            for number in (0, self.COUNT // 2, self.COUNT - 4):
                with self.subTest(first=number):
                    self._a_client_of_each_kind(number)
            self.assert_serves("127.2.0.1", elsewhere="250 ok")

    def _a_client_of_each_kind(self, first):
        relay, denied, marked, small = (self.address(first + kind) for kind in range(4))
        self.assertNotIn("X-Marked", self.assert_serves(relay, elsewhere="250 ok"))
        with client(denied) as session:
            session.expect_close()
        self.assertIn("\nX-Marked: yes\n", self.assert_serves(marked))
        with client(small) as session:
            session.expect("220 *")
            session.command("MAIL FROM:<ann@example.net>", "250 ok")
            session.command("RCPT TO:<joe@elsewhere.example>", "250 ok")
            session.command("DATA", "354 *")
            session.send(b"x" * 200 + b"\r\n.\r\n")
            session.expect("552 sorry, that message size exceeds my databytes limit (#5.3.4)")


class Rblsmtpd(RulesTest):
    RULES = ('127.3.0.9:allow,RBLSMTPD=""\n'
             '127.4.0.1:allow,RBLSMTPD="Come back later"\n'
             '127.4.0.2:allow,RBLSMTPD="-Never come back"\n'
             '127.5.0.1:allow,RELAYCLIENT=""\n'
             ":allow\n")

    def setUp(self):
        super().setUp()
        self.add_dns('1.0.3.127.list.example. TXT "You are listed"\n'
                     '9.0.3.127.list.example. TXT "You are listed"\n'
                     '2.0.3.127.list.example. TXT "You are listed"\n'
                     "2.0.3.127.friends.example. A 127.0.0.2\n")

    def assert_refused(self, source, reply):
        """It speaks enough SMTP to refuse, and qmail-smtpd is not started."""
        with client(source) as session:
            session.expect("220 *")
            session.command("HELO me", "250 rblsmtpd.local")
            session.command("MAIL FROM:<ann@example.net>", "250 rblsmtpd.local")
            session.command("RCPT TO:<bob@example.org>", reply)
            session.command("DATA", reply)
            session.command("QUIT", "221 *")
        self.assertIn(f"rblsmtpd: {source} pid ", logged())
        self.assertEqual([], services.maildir("bob"))

    def test_listed_clients_are_refused_and_others_are_served(self):
        with tcpserver(self.RULES, "rblsmtpd", "-a", "friends.example", "-r", "list.example"):
            self.assert_refused("127.3.0.1", "451 You are listed")
            self.assert_serves("127.3.0.2")  # listed, and on the list of friends
            self.assert_serves("127.3.0.3")
            self.assert_serves("127.5.0.1", elsewhere="250 ok")

    def test_listed_clients_are_refused_for_good_with_b(self):
        with tcpserver(self.RULES, "rblsmtpd", "-b", "-r", "list.example"):
            self.assert_refused("127.3.0.1", "553 You are listed")
            self.assert_serves("127.3.0.3")

    def test_a_rule_decides_before_any_list(self):
        with tcpserver(self.RULES, "rblsmtpd", "-r", "list.example"):
            self.assert_serves("127.3.0.9")  # listed
            self.assert_refused("127.4.0.1", "451 Come back later")
            self.assert_refused("127.4.0.2", "553 Never come back")


if __name__ == "__main__":
    unittest.main()
