"""qmail-smtp-server: which client is served by which process, what the rules say of him, where his
messages go, and what becomes of all that when a process dies. Clients are addresses of the loopback
network."""

import base64
import contextlib
import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import unittest

from support import hosts, services, smtp
from support.case import WorldTest
from support.wait import PATIENCE, wait_until

PORT = 2525
PROGRAM = "/var/qmail/bin/qmail-smtp-server"
AUTH = hosts.MAIN, "/var/qmail/bin/checkmailuser", "/bin/true"
QUEUE = pathlib.Path("/var/qmail/bin/qmail-queue")
SMTPD = pathlib.Path("/var/qmail/bin/qmail-smtpd")
RULES = pathlib.Path("/etc/test.cdb")
DAEMON = pwd.getpwnam("qmaild")
USER = ["-u", str(DAEMON.pw_uid), "-g", str(DAEMON.pw_gid)]
NOT_HERE = "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"
# In qmail-queue's place: writes down who asks, and hands the message on.
NOTE = """#!/bin/sh
env > /tmp/noted.$$ && mv /tmp/noted.$$ /tmp/noted
{ echo 'X-Noted: yes'; exec cat; } | /var/qmail/bin/%s
"""


def write_rules(text):
    hosts.on(hosts.MAIN, "tcprules", RULES, f"{RULES}.tmp", input=text)


def connect(source="127.0.0.1"):
    return smtp.connect(address="127.0.0.1", port=PORT, source=source)


def send(client, subject="hi"):
    """To bob; the qp."""
    return int(client.send_mail("ann@example.net", ["bob@example.org"], f"Subject: {subject}\n\n")
               .split()[-1])


def quit_(client):
    client.command("QUIT", "221 *")
    client.expect_close()
    client.socket.close()


def is_running(pid):
    """Not even a zombie is left of one that is not."""
    return os.path.exists(f"/proc/{pid}")


class Server:
    """One of our own, beside that of port 25."""

    def __init__(self, options, session):
        self._log = pathlib.Path("/tmp/smtp-server.log")
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "-v", "-l", hosts.MAIN, *USER, *options, "127.0.0.1", str(PORT), *session],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        self.wait_for_log("status: 0/")

    def log(self):
        return self._log.read_text(encoding="utf-8")

    def wait_for_log(self, text):
        wait_until(lambda: text in self.log(), f"{text!r} in the server's log: {self.log()}")

    def pid_for(self, client):
        """The process that serves the client."""
        ip, port = client.socket.getsockname()
        end = f" {hosts.MAIN}:127.0.0.1:{PORT} :{ip}::{port}\n"
        self.wait_for_log(end)
        return int(re.search(rf"tcpserver: ok (\d+){re.escape(end)}", self.log()).group(1))

    def children(self):
        task = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        return [int(pid) for pid in pathlib.Path(task).read_text(encoding="ascii").split()]

    def queues(self):
        """Those of our children that are qmail-queue, and wait or work."""
        return [pid for pid in self.children() if name_of(pid) == "qmail-queue"]


def name_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def stack_of(pid):
    """Where a program's stack lies: elsewhere for each one that is started, the same in its copies."""
    return re.search(r"(\S+) .*\[stack\]",
                     pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")).group(1)[-12:]


class ServerTest(WorldTest):
    def setUp(self):
        super().setUp()
        services.empty_maildir("bob")
        self.addCleanup(services.empty_maildir, "bob")

    @contextlib.contextmanager
    def server(self, *options, rules=None, session=()):
        if rules is not None:
            write_rules(rules)
            options = (*options, "-x", str(RULES))
        server = Server(options, session)
        try:
            yield server
        finally:
            server.process.kill()
            server.process.wait()

    def note_messages(self, path, queue):
        path.write_text(NOTE % queue)
        path.chmod(0o755)
        self.addCleanup(pathlib.Path("/tmp/noted").unlink, missing_ok=True)

    @staticmethod
    def noted():
        lines = pathlib.Path("/tmp/noted").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


class Processes(ServerTest):
    def serve(self, server, source="127.0.0.1"):
        """The process that serves a client who says QUIT."""
        client = connect(source)
        pid = server.pid_for(client)
        end = f"tcpserver: end {pid} status 0\n"
        before = server.log().count(end)
        quit_(client)
        wait_until(lambda: server.log().count(end) > before, f"{end!r} once more in the log")
        return pid

    def test_serve_one_address_each_until_they_are_idle(self):
        with self.server() as server:
            first, other = self.serve(server), self.serve(server, "127.0.0.2")
            self.assertNotEqual(first, other)
            self.assertEqual([self.serve(server), self.serve(server, "127.0.0.2")], [first, other])
            with connect() as here, connect() as there:
                self.assertEqual(server.pid_for(here), first)
                self.assertNotIn(server.pid_for(there), (first, other))
            wait_until(lambda: not server.children(), "those without work to go")

    def test_serve_nobody_after_a_password_or_a_client_that_leaves_without_quit(self):
        login = base64.b64encode(b"\0bob@example.org\0bob-password").decode()
        with self.server("-m", "100", session=AUTH) as server:
            for words in ((f"AUTH PLAIN {login}", "235 *"), ("AUTH PLAIN =", "5*"),
                          ("AUTH NONSENSE", "504 *")):
                client = connect()
                pid = server.pid_for(client)
                client.command(*words)
                quit_(client)
                wait_until(lambda pid=pid: not is_running(pid), f"its end after {words}")
            client = connect()
            pid = server.pid_for(client)
            client.socket.close()
            wait_until(lambda: not is_running(pid), "its end with the connection's")
            self.assertIn(f"tcpserver: end {pid} status 256\n", server.log())

    def test_serve_one_client_each_where_there_are_logins(self):
        with self.server(session=AUTH) as server:
            pids = [self.serve(server) for _ in range(3)]
            self.assertEqual(len(set(pids)), 3)
            wait_until(lambda: not server.children(), "the end of each")

    def test_end_after_a_hundred_clients_and_sixteen_wait(self):
        with self.server() as server:
            pids = [self.serve(server) for _ in range(101)]
            self.assertEqual((len(set(pids[:100])), len(set(pids))), (1, 2))
            last = [self.serve(server, f"127.0.1.{number}") for number in range(1, 18)]
            wait_until(lambda: set(server.children()) == set(last[1:]), "the oldest two to go")

    def test_begin_with_the_servers_environment_for_each_client(self):
        note = pathlib.Path("/tmp/note")
        self.note_messages(note, "qmail-queue")
        with self.server(rules=f':allow,QMAILQUEUE="{note}",RELAYCLIENT=""\n') as server:
            client = connect()
            pid, port = server.pid_for(client), client.socket.getsockname()[1]
            client.send_mail("ann@example.net", ["bob@elsewhere.example", "bob@example.org"], "\n")
            self.assertEqual(self.noted()["TCPREMOTEPORT"], str(port))
            self.assertEqual(self.noted()["RELAYCLIENT"], "")
            quit_(client)
            write_rules(f':allow,QMAILQUEUE="{note}",SMTPGREETING="x"\n')
            client = connect()
            self.assertEqual(server.pid_for(client), pid)
            client.command("MAIL FROM:<ann@example.net>", "250 *")
            client.command("RCPT TO:<bob@elsewhere.example>", NOT_HERE)
            client.command("RSET", "250 *")
            send(client)
            self.assertEqual(self.noted()["TCPREMOTEPORT"], str(client.socket.getsockname()[1]))
            self.assertNotIn("RELAYCLIENT", self.noted())
            self.assertFalse({"POSTERN_KEPT_WORKER", "POSTERN_QUEUE_ORDERS"} & set(self.noted()))
            quit_(client)
        for text in services.wait_for_mail("bob", count=2):
            self.assertIn(b"X-Noted: yes\n", text)

    def test_are_no_more_than_the_limit(self):
        with self.server("-c", "1") as server:
            first = connect()
            second = smtp.Client(address="127.0.0.1", port=PORT, source="127.0.0.2", seconds=0.3)
            with self.assertRaisesRegex(AssertionError, "no answer"):
                second.expect("220 *")
            quit_(first)
            second.socket.settimeout(PATIENCE)
            second.expect("220 *")
            self.assertNotIn("status: 2/1", server.log())
            second.socket.close()


class AnotherSmtpd(ServerTest):
    """In qmail-smtpd's place: it is run as tcpserver runs it."""

    def setUp(self):
        super().setUp()
        self.aside = SMTPD.with_name("qmail-smtpd.real")
        SMTPD.rename(self.aside)
        self.addCleanup(self.aside.rename, SMTPD)

    def put(self, script):
        SMTPD.write_text(f"#!/bin/sh\n{script}\n")
        SMTPD.chmod(0o755)

    def test_has_the_client_and_his_environment_and_nothing_of_ours(self):
        self.put('echo "$TCPREMOTEIP $GREETING $# $2"; env | grep -E "POSTERN_(KEPT|QUEUE)"; ls /proc/$$/fd | xargs')
        with self.server(rules=':allow,GREETING="hello"\n', session=("x", "y z")) as server:
            for _ in range(2):
                client = smtp.Client(address="127.0.0.1", port=PORT, source="127.0.0.1")
                self.assertEqual(client.socket.makefile("rb").read(),
                                 b"127.0.0.1 hello 2 y z\n0 1 10 2\n")
                client.socket.close()
            wait_until(lambda: server.log().count(" status 0\n") == 2, "the end of both")

    def test_may_run_the_real_one(self):
        self.put(f"exec {self.aside}")
        with self.server() as server:
            for _ in range(2):
                client = connect()
                send(client)
                quit_(client)
            self.assertFalse(server.queues())
        services.wait_for_mail("bob", count=2)

    def test_that_cannot_be_run_drops_the_client(self):
        with self.server() as server:
            client = smtp.Client(address="127.0.0.1", port=PORT, source="127.0.0.1")
            client.expect_close()
            server.wait_for_log("tcpserver: drop: unable to run bin/qmail-smtpd: "
                                "No such file or directory\n")


class Rules(ServerTest):
    def test_a_denied_client_gets_no_greeting(self):
        with self.server(rules="127.0.0.3:deny\n:allow\n") as server:
            client = smtp.Client(address="127.0.0.1", port=PORT, source="127.0.0.3")
            client.expect_close()
            port = client.socket.getsockname()[1]
            server.wait_for_log(f" {hosts.MAIN}:127.0.0.1:{PORT} :127.0.0.3::{port}\n")
            self.assertRegex(server.log(), r"tcpserver: pid (\d+) from 127\.0\.0\.3\n"
                                           r"tcpserver: deny \1 ")
            connect().socket.close()

    def test_without_rules_that_can_be_read_nobody_is_served(self):
        with self.server(rules=":allow\n") as server:
            for spoil, reason in ((lambda: RULES.write_bytes(b"\xff" * 3000), "damaged"),
                                  (RULES.unlink, "No such file or directory")):
                spoil()
                client = smtp.Client(address="127.0.0.1", port=PORT)
                client.expect_close()
                server.wait_for_log(reason)
                self.assertRegex(server.log().splitlines()[-1],
                                 rf"tcpserver: drop: .*{RULES}.*{reason}")
            write_rules(":allow\n")
            connect().socket.close()


class Messages(ServerTest):
    def test_come_from_the_network_by_one_qmail_queue_where_one_follows_another(self):
        with self.server() as server, connect() as here, connect("127.0.0.2") as there:
            qps = [send(client) for client in (here, there) * 10]
            self.assertEqual(server.queues(), [qps[0]])
            self.assertEqual(set(qps), {qps[0]})
            for text in services.wait_for_mail("bob", count=len(qps)):
                found = re.search(rb"\nReceived: \(qmail (\d+) invoked from network\); ", text)
                self.assertIn(int(found.group(1)), qps)

    def test_are_refused_for_now_if_their_qmail_queue_is_killed_and_the_next_is_taken(self):
        with self.server() as server, connect() as client:
            send(client, "first")
            services.wait_for_empty_queue()
            client.command("MAIL FROM:<ann@example.net>", "250 *")
            client.command("RCPT TO:<bob@example.org>", "250 *")
            client.command("DATA", "354 *")
            client.send(b"Subject: lost\r\n" + b"x" * 60 * 1000 + b"\r\n" * 9000)
            wait_until(lambda: set(services.queue()) == {"mess"}, "the text to have its name")
            for queue in server.queues():
                os.kill(queue, signal.SIGKILL)
            client.send(b".\r\n")
            client.expect("451 qq *")
            send(client, "second")
            mail = services.wait_for_mail("bob", count=2)
            self.assertEqual({re.search(rb"\nSubject: (\w+)", text)[1] for text in mail},
                             {b"first", b"second"})
        wait_until(lambda: set(services.queue()) == {"mess"}, "debris alone, which stays for 36 hours")
        for debris in pathlib.Path("/var/qmail/queue/mess").glob("*/*"):
            debris.unlink()

    def test_are_seen_each_by_a_program_that_comes_into_qmail_queues_place(self):
        aside = QUEUE.with_name("qmail-queue.real")
        with self.server() as server, connect() as client:
            send(client)
            QUEUE.rename(aside)
            try:
                self.note_messages(QUEUE, aside.name)
                with connect("127.0.0.2") as other:
                    for who in (client, client, other):
                        send(who, "seen")
            finally:
                aside.rename(QUEUE)
            with connect("127.0.0.3") as later:
                self.assertIn(send(later), server.queues())
            mail = services.wait_for_mail("bob", count=5)
            for text in mail:
                self.assertEqual(b"X-Noted: yes\n" in text, b"Subject: seen\n" in text)


class Deaths(ServerTest):
    def test_of_a_process_is_its_clients_alone(self):
        with self.server() as server:
            killed, other = connect(), connect("127.0.0.2")
            pid, waiting = server.pid_for(killed), server.pid_for(other)
            os.kill(pid, signal.SIGKILL)
            killed.expect_close()
            server.wait_for_log(f"end {pid} status 9\n")
            send(other)
            quit_(other)
            server.wait_for_log(f"end {waiting} status 0\n")
            os.kill(waiting, signal.SIGKILL)
            wait_until(lambda: not is_running(waiting), "its end")
            with connect("127.0.0.2") as again:
                self.assertNotEqual(server.pid_for(again), waiting)
        services.wait_for_mail("bob")

    def test_by_a_fault_of_ours_tells_nothing_about_the_others(self):
        with self.server() as server:
            crashing, running = connect(), connect("127.0.0.2")
            pid = server.pid_for(crashing)
            stacks = {stack_of(pid), stack_of(server.pid_for(running)), stack_of(server.process.pid)}
            os.kill(pid, signal.SIGSEGV)
            crashing.expect_close()
            wait_until(lambda: re.search(rf"end {pid} status (11|139)\n", server.log()), "its end")
            with connect() as again:
                stacks.add(stack_of(server.pid_for(again)))
            self.assertEqual(len(stacks), 4)
            send(running)
            quit_(running)
        services.wait_for_mail("bob")

    def test_of_the_server_is_no_sessions(self):
        with self.server() as server, connect() as client:
            pid = server.pid_for(client)
            client.command("MAIL FROM:<ann@example.net>", "250 *")
            client.command("RCPT TO:<bob@example.org>", "250 *")
            client.command("DATA", "354 *")
            server.process.kill()
            server.process.wait()
            client.send(b"Subject: first\r\n\r\n.\r\n")
            client.expect("250 ok *")
            send(client, "second")
            with self.server() as successor:
                self.assertNotEqual(successor.process.pid, server.process.pid)
                quit_(client)
                wait_until(lambda: not is_running(pid), "the session's end")
            services.wait_for_mail("bob", count=2)


class Start(WorldTest):
    def refusal(self, *words, status):
        result = hosts.on(hosts.MAIN, PROGRAM, *words, check=False)
        self.assertEqual((result.returncode, result.stdout), (status, ""), result.stderr)
        return result.stderr

    def test_of_what_makes_no_sense_is_refused(self):
        for words in ([], ["0"], ["-c", "0", "0", "25"], ["-c", "x", "0", "25"], ["-u"],
                      ["-Z", "0", "25"], ["-", "0", "25"], ["-x", "", "0", "25"], ["0", "smtp"],
                      ["0", "65536"], ["-u", "-1", "0", "25"], ["-p", "0", "25"]):
            self.assertTrue(self.refusal(*words, status=100).startswith(
                "qmail-smtp-server: fatal: usage: qmail-smtp-server [-"), words)

    def test_where_it_cannot_listen_is_refused(self):
        said = "qmail-smtp-server: fatal: "
        self.assertEqual(self.refusal(*USER, "mail.example.org", "25", status=111),
                         f"{said}unable to listen on mail.example.org: not an address\n")
        with socket.create_server(("127.0.0.1", PORT)):
            self.assertEqual(
                self.refusal(*USER, "127.0.0.1", str(PORT), status=111),
                f"{said}unable to bind to 127.0.0.1 port {PORT}: Address already in use\n")
        self.assertEqual(self.refusal("127.0.0.1", str(PORT), status=100),
                         f"{said}it does not serve as root: give it -u and -g of qmaild\n")


if __name__ == "__main__":
    unittest.main()
