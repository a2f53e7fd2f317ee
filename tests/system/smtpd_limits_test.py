# qmail-smtpd within its memory, and clients that want more of it than is right.
import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess

from support import hosts, services, smtp
from support.case import WorldTest
from support.services import Service
from support.wait import wait_until

HOME = pathlib.Path("/var/qmail")
PORT = 2525


@contextlib.contextmanager
def smtpd(*arguments, memory=2_000_000, **environment):
    """qmail-smtpd on a port of its own, under tcpserver and softlimit like the real one."""
    daemon = pwd.getpwnam("qmaild")
    server = subprocess.Popen(
        ["tcpserver", "-H", "-R", "-l0", "-u", str(daemon.pw_uid), "-g", str(daemon.pw_gid),
         "0", str(PORT), "softlimit", "-m", str(memory), HOME / "bin/qmail-smtpd", *arguments],
        env={"PATH": os.environ["PATH"], **environment})
    try:
        wait_until(listens, "tcpserver to listen")
        yield server
    finally:
        server.terminate()
        server.wait()


def listens():
    return hosts.on(hosts.MAIN, "ss", "-Hltn", f"sport = :{PORT}").stdout


def sessions():
    """Process ids of the qmail-smtpd that serve clients."""
    return services.processes("qmail-smtpd")


def peak_memory(pid):
    """The most a process has had in memory, in bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {pid} has ended")


def in_batches(client, lines, reply, size=500):
    """Many commands with the same reply, pipelined."""
    for start in range(0, len(lines), size):
        batch = lines[start:start + size]
        client.send("".join(f"{line}\r\n" for line in batch).encode())
        client.expect(*[reply] * len(batch))


class Memory(WorldTest):
    def test_two_megabytes_are_enough_without_auth(self):
        with smtpd():
            smtp.inject("alice@example.org", ["bob@example.org"], "Subject: small\n\nhi\n",
                        port=PORT)
        services.wait_for_mail("bob")
        services.empty_maildir("bob")

    def test_eight_megabytes_are_enough_with_auth(self):
        checker = [HOME / "bin/checkmailuser", "/bin/true"]
        for arguments in (["mail.example.org", *checker], checker):
            with smtpd(*arguments, memory=8_000_000), smtp.connect(port=PORT) as client:
                client.command("AUTH PLAIN AGFsaWNlQGV4YW1wbGUub3JnAGFsaWNlLXBhc3N3b3Jk", "235 *")
                client.send_mail("alice@example.org", ["bob@example.org"], "Subject: in\n\n")
                client.command("QUIT", "221 *")
            self.assertIn(b"(alice@example.org@", services.wait_for_mail("bob")[-1])
            self.assertIn(b" with ESMTPA; ", services.wait_for_mail("bob")[-1])
            services.empty_maildir("bob")

    def test_ten_thousand_recipients_fit_into_two_megabytes(self):
        recipients = [f"some.user.{number}@example.org" for number in range(10_000)]
        Service("qmail-send").stop()
        try:
            self.send_to(recipients)
            [todo] = (HOME / "queue/todo").rglob("[0-9]*")
            records = todo.read_bytes().split(b"\0")
        finally:
            self.empty_queue()
            Service("qmail-send").start()
        self.assertEqual([record[1:].decode() for record in records if record.startswith(b"T")],
                         recipients)

    def send_to(self, recipients):
        with smtpd(), smtp.connect(port=PORT) as client:
            client.command("MAIL FROM:<alice@example.org>", "250 ok")
            in_batches(client, [f"RCPT TO:<{recipient}>" for recipient in recipients], "250 ok")
            client.command("DATA", "354 *")
            client.send(b"Subject: to everybody\r\n\r\n.\r\n")
            client.expect("250 ok * qp *")

    def empty_queue(self):
        for kind in ("mess", "intd", "todo"):
            for path in (HOME / "queue" / kind).rglob("*"):
                if path.is_file():
                    path.unlink()

    def test_without_memory_the_client_is_told_and_nothing_is_queued(self):
        with smtpd(), smtp.connect(port=PORT) as client:
            client.command("MAIL FROM:<alice@example.org>", "250 ok")
            address = "a" * 880 + "@example.org"
            replies = []
            while not replies or replies == ["250 ok"]:
                client.line(f"RCPT TO:<{address}>")
                replies = client.reply()
            self.assertEqual(replies, ["421 out of memory (#4.3.0)"])
            client.expect_close()
        self.assertEqual(services.queue(), {})

    def test_a_gigabyte_takes_neither_memory_nor_room(self):
        with smtpd(DATABYTES="1000000"), smtp.connect(port=PORT, seconds=120) as client:
            client.command("MAIL FROM:<alice@example.org>", "250 ok")
            client.command("RCPT TO:<bob@example.org>", "250 ok")
            client.command("DATA", "354 *")
            [pid] = self.children()
            block = (b"x" * 78 + b"\r\n") * 13_000
            for _ in range(2**30 // len(block) + 1):
                client.socket.sendall(block)
            wait_until(lambda: not services.queue(), "the message to be given up")
            self.assertLess(peak_memory(pid), 2_000_000)
            client.send(b".\r\n")
            client.expect("552 sorry, that message size exceeds my databytes limit (#5.3.4)")
            client.command("QUIT", "221 *")
        self.assertEqual(services.queue(), {})

    def test_a_line_without_end_takes_no_memory(self):
        with smtpd(), smtp.connect(port=PORT, seconds=120) as client:
            [pid] = self.children()
            for _ in range(100):
                client.socket.sendall(b"x" * 1_000_000)
            self.assertLess(peak_memory(pid), 2_000_000)
            client.send(b"\r\n")
            client.expect("500 line too long (#5.5.2)")
            client.command("QUIT", "221 *")

    @staticmethod
    def children():
        found = hosts.on(hosts.MAIN, "ss", "-Htnp", f"sport = :{PORT}").stdout
        return {int(part.split(",")[0]) for part in found.split("pid=")[1:]} & set(sessions())

    def test_a_large_morercpthosts_fits_into_two_megabytes(self):
        hosts_file = HOME / "control/morercpthosts.cdb"
        records = "".join(f"+{len(name)},0:{name}->\n" for name in
                          (f"domain-number-{number}.example" for number in range(100_000)))
        subprocess.run(["cdb", "-c", hosts_file], input=f"{records}\n".encode(), check=True)
        self.addCleanup(hosts_file.unlink)
        hosts_file.chmod(0o644)
        self.assertGreater(hosts_file.stat().st_size, 4_000_000)
        with smtpd(), smtp.connect(port=PORT) as client:
            client.command("MAIL FROM:<alice@example.org>", "250 ok")
            client.command("RCPT TO:<a@domain-number-99999.example>", "250 ok")
            client.command("RCPT TO:<a@domain-number-100000.example>", "553 *")
            client.command("QUIT", "221 *")


class Trouble(WorldTest):
    def remount(self, option):
        subprocess.run(["mount", "-o", f"remount,{option}", HOME], check=True)

    def test_a_full_disk_is_answered_452_and_leaves_nothing(self):
        used = os.statvfs(HOME)
        size = (used.f_blocks - used.f_bfree) * used.f_frsize + (1 << 20)
        self.remount(f"size={size}")
        self.addCleanup(self.remount, f"size={used.f_blocks * used.f_frsize}")
        with smtp.connect() as client:
            client.command("MAIL FROM:<alice@example.org>", "250 ok")
            client.command("RCPT TO:<bob@example.org>", "250 ok")
            client.command("DATA", "354 *")
            client.send(b"x\r\n" * 1_000_000 + b".\r\n")
            client.expect("452 qq write error or disk full (#4.3.0)")
            client.command("QUIT", "221 *")
        self.assertEqual(services.queue(), {})

    def test_a_client_lost_in_data_leaves_nothing(self):
        for goodbye in (b"", b"Subject: half\r\n\r\nhalf a li", b"x\r\n" * 100_000 + b".\r"):
            before = set(sessions())  # of other tests, perhaps still ending
            with smtp.connect() as client:
                client.command("MAIL FROM:<alice@example.org>", "250 ok")
                client.command("RCPT TO:<bob@example.org>", "250 ok")
                client.command("DATA", "354 *")
                client.send(goodbye)
            wait_until(lambda: before.issuperset(sessions()), "the session to end")
            services.wait_for_empty_queue()
        self.assertEqual(services.maildir("bob"), [])

    def test_a_checker_that_is_missing_is_temporary_trouble(self):
        with smtpd("mail.example.org", "/nonexistent/checkpassword", "/bin/true"), \
             smtp.connect(port=PORT) as client:
            client.command("AUTH PLAIN AGFsaWNlAGFsaWNlLXBhc3N3b3Jk",
                           "454 oops, child won't start and I can't auth (#4.3.0)")
            client.command("QUIT", "221 *")

    def test_under_inetd_the_log_does_not_go_to_the_client(self):
        """inetd connects descriptor 2 too."""
        self.set_control("databytes", "lots\n")
        ours, theirs = socket.socketpair()
        with ours, theirs:
            child = subprocess.Popen([shutil.which("tcp-env"), HOME / "bin/qmail-smtpd"],
                                     stdin=theirs, stdout=theirs, stderr=theirs)
            theirs.close()
            self.assertEqual(child.wait(), 1)
            self.assertEqual(ours.recv(65536), b"421 unable to read controls (#4.3.0)\r\n")
            self.assertEqual(ours.recv(65536), b"")
