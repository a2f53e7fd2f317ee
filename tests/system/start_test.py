# qmail-start, splogger and tcp-env as an administrator uses them.
import os
import pathlib
import socket
import subprocess
import unittest

from support import hosts, services
from support.case import WorldTest
from support.wait import wait_until

BIN = pathlib.Path("/var/qmail/bin")
WIDE = "POSTERN_DELIVERY_NUMBER_BYTES=2"
SERVERS = ("qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean")


def environment(name):
    (pid,) = wait_until(lambda: services.processes(name), name)
    return pathlib.Path(f"/proc/{pid}/environ").read_text().split("\0")


def deliver_to_bob():
    hosts.as_user("alice", BIN / "qmail-inject", "bob", input="Subject: x\n\n")
    services.wait_for_mail("bob")
    services.wait_for_empty_queue()
    services.empty_maildir("bob")


class WideNumbers(WorldTest):
    """Delivery numbers have two bytes where that is asked for and everybody can."""

    def told(self):
        return [name for name in SERVERS if WIDE in environment(name)]

    def test_one_byte_unless_more_than_255_deliveries_are_configured(self):
        self.configure("qmail-send", concurrencylocal="255\n", concurrencyremote="255\n")
        self.assertEqual(self.told(), [])
        deliver_to_bob()

    def test_two_bytes_for_qmail_send_and_both_spawns_beyond_that(self):
        self.configure("qmail-send", concurrencylocal="300\n")
        self.assertEqual(self.told(), ["qmail-send", "qmail-lspawn", "qmail-rspawn"])
        self.log.wait_for("status: local 0/300 remote 0/20")
        deliver_to_bob()

    def test_one_byte_when_one_of_them_is_not_known_to_understand(self):
        # Any program but ours would do, such as qmail's own; this one is ours behind a script.
        program, real = BIN / "qmail-rspawn", BIN / "real/qmail-rspawn"
        real.parent.mkdir()
        program.rename(real)
        self.addCleanup(real.parent.rmdir)
        self.addCleanup(lambda: real.rename(program))
        program.write_text(f"#!/bin/sh\nexec {real}\n")
        program.chmod(0o755)
        self.configure("qmail-send", concurrencylocal="300\n")
        self.assertEqual(self.told(), [])
        self.log.wait_for("qmail-start: warning: more than 255 deliveries .* staying at 255")
        deliver_to_bob()


class ByHand(WorldTest):
    """qmail-start without a supervisor."""

    def setUp(self):
        super().setUp()
        services.Service("qmail-send").stop()
        self.addCleanup(services.Service("qmail-send").start)

    def start(self, *arguments, **options):
        path = options.pop("path", f"{BIN}:/usr/bin:/bin")
        return subprocess.Popen([str(BIN / "qmail-start"), *arguments], env={"PATH": path},
                                cwd="/root", text=True, **options)

    def end(self, child):
        child.terminate()
        child.wait(timeout=20)
        for name in SERVERS:
            wait_until(lambda name=name: not services.processes(name), f"{name} to go")

    def test_turns_into_qmail_send_and_ends_everything_with_it(self):
        child = self.start("./Maildir/", stdout=subprocess.PIPE)
        wait_until(lambda: services.processes("qmail-send") == [child.pid], "qmail-send")
        deliver_to_bob()
        self.end(child)
        self.assertEqual(child.returncode, 0)
        self.assertIn("delivery 1: success: did_1+0+0/\n", child.stdout.read())
        child.stdout.close()

    def test_what_every_message_passes_goes_before_the_rest(self):
        child = self.start("./Maildir/", stdout=subprocess.DEVNULL)
        ours = os.getpriority(os.PRIO_PROCESS, 0)
        for name, gained in (("qmail-clean", 10), ("qmail-send", 10), ("qmail-lspawn", 0),
                             ("qmail-rspawn", 0)):
            (pid,) = wait_until(lambda name=name: services.processes(name), name)
            self.assertEqual(os.getpriority(os.PRIO_PROCESS, pid), ours - gained, name)
        self.end(child)

    def test_delivers_to_mailbox_by_default(self):
        child = self.start(stdout=subprocess.DEVNULL)
        hosts.as_user("alice", BIN / "qmail-inject", "bob", input="Subject: x\n\n")
        mailbox = pathlib.Path("/home/bob/Mailbox")
        wait_until(mailbox.exists, "bob's Mailbox")
        services.wait_for_empty_queue()
        self.end(child)
        mailbox.unlink()

    def test_hands_down_none_of_its_callers_files(self):
        read, write = os.pipe()
        os.set_inheritable(write, True)
        child = self.start(stdout=subprocess.DEVNULL, close_fds=False)
        os.close(write)
        # All of them run by now or the end of the pipe would not have come, or never comes.
        wait_until(lambda: services.processes("qmail-clean"), "qmail-clean")
        os.set_blocking(read, False)
        wait_until(lambda: os.read(read, 1) == b"", "the pipe's other end to be closed")
        os.close(read)
        self.end(child)

    def test_says_which_program_is_missing_and_leaves_none_behind(self):
        for name in ("qmail-lspawn", "qmail-rspawn", "qmail-clean", "qmail-send"):
            path = BIN / name
            path.rename(BIN / "away")
            try:
                child = self.start("./Maildir/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                output = child.communicate(timeout=20)[0]
            finally:
                (BIN / "away").rename(path)
            self.assertEqual(child.returncode, 111)
            self.assertIn(f"qmail-start: fatal: unable to run {name}: No such file or directory",
                          output)
            for other in SERVERS:
                wait_until(lambda other=other: not services.processes(other), f"{other} to go")

    def test_is_for_root(self):
        copy = self.write_file("/tmp/qmail-start", "", mode=0o755)
        copy.write_bytes((BIN / "qmail-start").read_bytes())
        answer = hosts.as_user("alice", copy, check=False)
        self.assertEqual(answer.returncode, 111)
        self.assertIn("only root can", answer.stderr)

    def test_with_splogger_the_log_goes_to_syslog_as_mail(self):
        syslog = self.listen_as_syslog()
        child = self.start("./Maildir/", "splogger", "qmail", stdout=subprocess.DEVNULL)
        (logger,) = wait_until(lambda: services.processes("splogger"), "splogger")
        status = pathlib.Path(f"/proc/{logger}/status").read_text()
        self.assertRegex(status, rf"Uid:\t{hosts.on(hosts.MAIN, 'id', '-u', 'qmaill').stdout.strip()}\t")
        self.assertRegex(syslog.recv(4096).decode(),  # facility 2, severity 6
                         r"^<22>\w{3} [ \d]\d \d\d:\d\d:\d\d qmail: \d+\.\d{6} "
                         r"status: local 0/10 remote 0/20$")
        deliver_to_bob()
        self.end(child)
        wait_until(lambda: not services.processes("splogger"), "splogger to see the end")


class Splogger(unittest.TestCase):
    def test_wants_a_facility_that_is_a_number(self):
        answer = hosts.on(hosts.MAIN, BIN / "splogger", "tag", "mail", check=False)
        self.assertEqual(answer.returncode, 100)
        self.assertIn("facility must be a number", answer.stderr)


class TcpEnv(WorldTest):
    """As inetd starts it: the connection on descriptors 0 and 1."""

    def run_under_inetd(self, *command, address="192.0.2.1", env=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.create_server((address, 0), family=family) as server:
            client = socket.create_connection(server.getsockname()[:2], timeout=20)
            connection, _ = server.accept()
            with connection:
                child = subprocess.Popen(
                    [BIN / "tcp-env", *command], stdin=connection, stdout=connection,
                    env={"PATH": f"{BIN}:/usr/bin:/bin"} | (env or {}))
        return child, client

    def environment(self, *options, **where):
        child, client = self.run_under_inetd(*options, "env", **where)
        with client:
            lines = client.makefile("r").read().splitlines()
            port = client.getsockname()[1]
        self.assertEqual(child.wait(), 0)
        return dict(line.split("=", 1) for line in lines), str(port)

    def test_tells_both_ends_of_a_connection(self):
        found, port = self.environment()
        self.assertEqual(found["PROTO"], "TCP")
        self.assertEqual(found["TCPLOCALIP"], "192.0.2.1")
        self.assertEqual(found["TCPREMOTEIP"], "192.0.2.1")
        self.assertEqual(found["TCPREMOTEPORT"], port)
        self.assertEqual(found["TCPREMOTEHOST"], "mail.example.org")
        self.assertNotIn("TCPREMOTEINFO", found)

    def test_knows_ipv6(self):
        found, port = self.environment(address="2001:db8::1")
        self.assertEqual(found["PROTO"], "TCP6")
        self.assertEqual(found["TCP6REMOTEIP"], "2001:db8::1")
        self.assertEqual(found["TCPREMOTEPORT"], port)

    def test_says_when_a_name_is_not_to_be_had_for_now(self):
        self.add_dns('77.0.0.127.in-addr.arpa. TXT "world: servfail"')
        found, _ = self.environment(address="127.0.0.77")
        self.assertEqual((found["TCPLOCALIP"], found["TCPLOCALHOST"]),
                         ("127.0.0.77", "softdnserror"))

    def test_asks_for_the_remote_user_only_with_r(self):
        with socket.create_server(("192.0.2.1", 113)) as ident:
            child, client = self.run_under_inetd("-r", "-t", "20", "env")
            asking, _ = ident.accept()
            with asking:
                query = asking.makefile("rb").readline()
                asking.sendall(query.strip() + b" : USERID : UNIX : joe\r\n")
            with client:
                self.assertIn("TCPREMOTEINFO=joe\n", client.makefile("r").read())
                ours, theirs = client.getsockname()[1], client.getpeername()[1]
            self.assertEqual(child.wait(), 0)
            self.assertEqual(query, b"%d , %d\r\n" % (ours, theirs))

    def test_leaves_what_tcpserver_has_said_alone(self):
        found, _ = self.environment(env={"PROTO": "TCP", "TCPREMOTEIP": "198.51.100.7"})
        self.assertEqual(found["TCPREMOTEIP"], "198.51.100.7")
        self.assertNotIn("TCPLOCALIP", found)

    def test_runs_qmail_smtpd_from_inetd(self):
        child, client = self.run_under_inetd(str(BIN / "qmail-smtpd"))
        with client:
            client.sendall(b"QUIT\r\n")
            self.assertEqual(client.makefile("rb").read(),
                             b"220 mail.example.org ESMTP\r\n221 mail.example.org\r\n")
        self.assertEqual(child.wait(), 0)

    def test_without_a_connection_the_variables_are_unset(self):
        answer = hosts.on(hosts.MAIN, BIN / "tcp-env", "env",
                          env={"PATH": "/usr/bin", "TCPREMOTEIP": "198.51.100.7"})
        self.assertEqual(answer.stdout, "PATH=/usr/bin\nPROTO=TCP\n")

    def test_says_how_it_is_used_and_what_it_cannot_run(self):
        answer = hosts.on(hosts.MAIN, BIN / "tcp-env", check=False)
        self.assertEqual((answer.returncode, answer.stderr),
                         (100, "tcp-env: fatal: usage: tcp-env [-rR] [-t seconds] program "
                               "[argument...]\n"))
        answer = hosts.on(hosts.MAIN, BIN / "tcp-env", "-t", "soon", "env", check=False)
        self.assertEqual(answer.returncode, 100)
        answer = hosts.on(hosts.MAIN, BIN / "tcp-env", "/nonexistent", check=False)
        self.assertEqual(answer.returncode, 111)
        self.assertIn("unable to run /nonexistent: No such file or directory", answer.stderr)


if __name__ == "__main__":
    unittest.main()
