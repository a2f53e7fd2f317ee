# QMTP on port 209 and QMQP on port 628 as their run scripts start them, and a host without a queue
# whose qmail-queue is qmail-qmqpc.
# world: --host client.example.net
import os
import pathlib
import resource
import subprocess
import unittest

from support import hosts, services
from support.case import WorldTest
from support.netstrings import converse, netstring, netstrings, package
from support.services import Service
from support.wait import wait_until

BIN = "/var/qmail/bin"
CLIENT = "client.example.net"
RULES = ":allow\n"


def enable(name, host=hosts.MAIN):
    hosts.on(host, "ln", "-sf", f"/var/qmail/supervise/{name}", "/etc/service/")
    wait_until(Service(name, host).serves, f"{name} to listen on {host}")


def allow_everybody(host):
    hosts.on(host, "tcprules", "/etc/tcp.qmqp.cdb", "/etc/tcp.qmqp.tmp", input=RULES)


def setUpModule():
    allow_everybody(hosts.MAIN)
    enable("qmail-qmtpd")
    enable("qmail-qmqpd")


class Server(WorldTest):
    def setUp(self):
        super().setUp()
        for user in ("alice", "bob"):
            services.empty_maildir(user)


class Qmtp(Server):
    def test_mail_arrives_and_each_recipient_has_its_reply(self):
        said = converse(209, package("\rSubject: x\r\n\r\n.hello\r\n", "c@client.example.net",
                                     "alice@example.org", "x@elsewhere.example", "bob@example.org"))
        accepted = rb"(\d+:Kok \d+ qp \d+,)"
        refused = netstring("Dsorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")
        self.assertRegex(said, b"^" + accepted + refused.replace(b"(", rb"\(").replace(b")", rb"\)")
                         + rb"\1$")
        for user in ("alice", "bob"):
            (message,) = services.wait_for_mail(user)
            self.assertIn(b" with QMTP; ", message)
            self.assertTrue(message.endswith(b"\nSubject: x\n\n.hello\n"), message)

    def test_lengths_that_are_no_lengths_queue_nothing(self):
        for data in (b"4294967296:x", b"00001:x", b"-1:x", b"200000001:x"):
            self.assertEqual(b"", converse(209, data))
        self.assertEqual({}, services.queue())

    def test_exit_codes(self):
        for data, code in ((b"", 0), (b"4294967296:", 111), (b"200000001:", 111),
                           (b"00001:", 100), (b"-1:", 100), (b"1:x,", 100)):
            for program in ("qmail-qmtpd", "qmail-qmqpd"):
                result = hosts.as_user("qmaild", f"{BIN}/{program}", text=False, input=data,
                                       check=False, cwd="/")
                self.assertEqual((code, b"", b""),
                                 (result.returncode, result.stdout, result.stderr), data)

    def test_relay_client_and_databytes_come_from_the_environment(self):
        def say(data, **env):
            return hosts.as_user("qmaild", f"{BIN}/qmail-qmtpd", text=False, input=data, cwd="/",
                                 env=env).stdout

        self.assertRegex(say(package("\nx\n", "a@b", "alice"), RELAYCLIENT="@example.org"),
                         rb"^\d+:Kok ")
        services.wait_for_mail("alice")
        self.assertEqual(netstring("Dsorry, that message size exceeds my databytes limit (#5.3.4)"),
                         say(package("\nxx", "a@b", "alice@example.org"), DATABYTES="1"))

    def test_message_of_many_megabytes_takes_little_memory(self):
        message = b"\n" + b"x" * 79 + b"\n" + b"y" * (50 << 20)
        process = subprocess.Popen([f"{BIN}/qmail-qmtpd"], stdin=subprocess.PIPE, user="qmaild",
                                   stdout=subprocess.PIPE, env={"RELAYCLIENT": "",
                                                                "QMAILQUEUE": "/tmp/eat"},
                                   preexec_fn=lambda: resource.setrlimit(
                                       resource.RLIMIT_DATA, (2_000_000, 2_000_000)))
        self.write_file("/tmp/eat", "#!/bin/sh\ncat >/dev/null; cat <&1 >/dev/null\n", mode=0o755)
        said, _ = process.communicate(package(message, "a@b", "c@d"))
        self.assertRegex(said, rb"^\d+:Kok ")


class Qmqp(Server):
    def test_package_is_taken_for_anybody(self):
        self.assertRegex(converse(628, netstring(netstrings(
            "Subject: x\n\nhello\n", "c@client.example.net", "alice@example.org"))),
            rb"^\d+:Kok \d+ qp \d+,$")
        (message,) = services.wait_for_mail("alice")
        self.assertIn(b" with QMQP; ", message)
        self.assertTrue(message.endswith(b"\nSubject: x\n\nhello\n"), message)

    def test_does_not_serve_without_rules(self):
        rules = pathlib.Path("/etc/tcp.qmqp.cdb")
        rules.unlink()
        self.addCleanup(allow_everybody, hosts.MAIN)
        result = hosts.on(hosts.MAIN, "/var/qmail/supervise/qmail-qmqpd/run", check=False)
        self.assertEqual(1, result.returncode)
        self.assertIn("there is no /etc/tcp.qmqp.cdb", result.stdout)


class NullClient(Server):
    """client.example.net has no queue; its programs hand their mail to mail.example.org."""

    def setUp(self):
        super().setUp()
        self.set_control("qmqpservers", f"{hosts.address_of(hosts.MAIN)}\n", CLIENT)

    def inject(self, to="alice@example.org", status=0):
        result = hosts.on(CLIENT, "env", f"QMAILQUEUE={BIN}/qmail-qmqpc", f"{BIN}/qmail-inject",
                          "-f", "root@client.example.net", to, check=False,
                          input="Subject: from afar\n\nhello\n")
        self.assertEqual(status, result.returncode, result.stderr)
        return result.stderr

    def test_mail_of_a_host_without_a_queue_arrives(self):
        self.inject()
        (message,) = services.wait_for_mail("alice")
        self.assertIn(b"Subject: from afar\n", message)
        self.assertIn(b" with QMQP; ", message)
        self.assertEqual({}, services.queue(CLIENT))

    def test_next_server_is_asked_when_one_is_down(self):
        # Nothing listens on the client's own port 628, and nobody has the other address.
        self.set_control("qmqpservers", f"127.0.0.1\n{hosts.address_of(hosts.MAIN)}\n", CLIENT)
        self.assertIn("QMQP server 127.0.0.1: ", self.inject())
        services.wait_for_mail("alice")

    def test_exit_codes_tell_what_was_wrong(self):
        for servers, text in (("127.0.0.1\n", "connection to mail server rejected (#4.4.1)"),
                              (None, "unable to read configuration (#4.3.0)"),
                              ("nonsense\n", "unable to read configuration (#4.3.0)")):
            self.set_control("qmqpservers", servers, CLIENT)
            self.assertIn(text, self.inject(status=111))

    def test_server_that_refuses_is_obeyed(self):
        refusal = netstring("Dno")
        self.write_file("/tmp/answer", "#!/bin/sh\nprintf %s '" + refusal.decode()
                        + "'; cat >/dev/null\n", mode=0o755, host=CLIENT)
        server = subprocess.Popen(["on", CLIENT, "tcpserver", "127.0.0.1", "628", "/tmp/answer"])
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        wait_until(lambda: hosts.on(CLIENT, "ss", "-Hltn", "sport = :628").stdout, "a server")
        self.set_control("qmqpservers", f"127.0.0.1\n{hosts.address_of(hosts.MAIN)}\n", CLIENT)
        self.assertIn("permanently rejected", self.inject(status=100))
        self.assertEqual([], services.maildir("alice"))


if __name__ == "__main__":
    unittest.main()
