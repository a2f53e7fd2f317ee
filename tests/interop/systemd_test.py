"""The units in scripts/systemd: well-formed, and confined better than most; and with systemd really
in charge, inside those confines, mail comes in, is delivered and goes out with logins."""

import os
import pathlib
import poplib
import re
import smtplib
import subprocess
import unittest

from support import hosts, services, smtp
from support.case import WorldTest
from support.netstrings import converse, package
from support.services import Service
from support.wait import wait_until

UNITS = sorted((hosts.REPOSITORY / "scripts/systemd").iterdir())
WORST_EXPOSURE = 3.0  # as systemd-analyze counts it, from 0 (confined) to 10
TARGET = """[Unit]
DefaultDependencies=no
Requires=systemd-journald.service
"""


class Files(unittest.TestCase):
    def test_each_unit_is_well_formed(self):
        environment = dict(os.environ, MANPATH="/var/qmail/man")
        for unit in UNITS:
            with self.subTest(unit=unit.name):
                result = subprocess.run(["systemd-analyze", "verify", unit], text=True, check=False,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        env=environment)
                self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_each_service_is_confined(self):
        for unit in (unit for unit in UNITS if unit.suffix == ".service"):
            with self.subTest(unit=unit.name):
                shown = hosts.on(hosts.MAIN, "systemd-analyze", "security", "--offline=yes", unit).stdout
                exposure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", shown).group(1))
                self.assertLess(exposure, WORST_EXPOSURE)


class Systemd(WorldTest):
    @classmethod
    def setUpClass(cls):
        for svscan in services.processes("svscan", hosts.MAIN):
            os.kill(svscan, 15)
        everything = [path for top in pathlib.Path("/etc/service").iterdir() for path in (top, top / "log")]
        hosts.on(hosts.MAIN, "svc", "-dx", *everything)
        wait_until(lambda: not services.processes("supervise", hosts.MAIN), "the services to end")
        for link in pathlib.Path("/etc/service").iterdir():
            link.unlink()
        hosts.on(hosts.MAIN, hosts.REPOSITORY / "scripts/install", "--quiet", "--systemd", "--build",
                 os.environ["POSTERN_BUILD"])
        pathlib.Path("/etc/systemd/system/world.target").write_text(TARGET)
        # There is no network to be brought up by systemd; the world's is there.
        os.symlink("/dev/null", "/etc/systemd/system/network-online.target")
        cls.boot = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "--mount", "--cgroup",
                                     hosts.REPOSITORY / "tests/interop/boot-systemd"])
        cls.addClassCleanup(cls.boot.wait)
        cls.addClassCleanup(cls.boot.kill)
        (cls.pid,) = wait_until(lambda: services.processes("systemd"), "systemd")
        wait_until(lambda: pathlib.Path(f"/proc/{cls.pid}/root/run/systemd/private").exists(),
                   "systemd to listen")
        cls.inside("systemctl", "start", "qmail-send.service", *(unit.name for unit in UNITS
                                                                 if unit.suffix == ".socket"))
        wait_until(Service("qmail-send").serves, "qmail-send")

    @classmethod
    def inside(cls, *command, **options):
        return hosts.on(hosts.MAIN, "nsenter", "--target", cls.pid, "--all", *command, **options).stdout

    def setUp(self):
        super().setUp()
        services.empty_maildir("bob")

    def journal(self, unit):
        return self.inside("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def wait_until_done(self):
        """Without the help of daemontools, which other tests use to steer the services."""
        services.wait_for_empty_queue()

    def test_mail_comes_in_through_a_socket_and_is_delivered(self):
        smtp.inject("alice@example.org", ["bob@example.org"], "Subject: hello\n\nhello\n")
        (message,) = services.wait_for_mail("bob")
        self.assertRegex(message, rb"Received: from \S+ \(HELO client.example\) \(192.0.2.1\)\n"
                         rb"  by mail.example.org with ESMTP; ")
        self.wait_until_done()
        self.assertRegex(self.journal("qmail-send"), r"delivery \d+: success: did_1\+0\+0/\n")

    def test_a_delivery_may_do_what_a_user_may(self):
        self.write_file("/home/bob/.qmail", "|cat > out; id -un > who; ulimit -n > limit\n&carol\n",
                        user="bob")
        smtp.inject("alice@example.org", ["bob@example.org"], "Subject: hello\n\nhello\n")
        services.wait_for_mail("carol")
        self.wait_until_done()
        self.assertEqual(pathlib.Path("/home/bob/who").read_text(), "bob\n")
        self.assertIn("Subject: hello\n", pathlib.Path("/home/bob/out").read_text())

    def test_submission_wants_and_takes_a_login(self):
        with smtplib.SMTP("mail.example.org", 587) as client:
            with self.assertRaises(smtplib.SMTPSenderRefused):
                client.sendmail("alice@example.org", ["bob@example.org"], "Subject: no\n\nno\n")
        with smtplib.SMTP("mail.example.org", 587) as client:
            client.login("alice@example.org", "alice-password")
            client.sendmail("alice@example.org", ["bob@example.org"], "Subject: yes\n\nyes\n")
        (message,) = services.wait_for_mail("bob")
        self.assertIn(b"Subject: yes", message)
        self.wait_until_done()

    def test_mail_comes_in_by_qmtp_and_is_fetched_by_pop3(self):
        said = converse(209, package("\nSubject: packed\n\nhello\n", "alice@example.org",
                                     "bob@example.org"))
        self.assertRegex(said, rb"^\d+:Kok \d+ qp \d+,$")
        services.wait_for_mail("bob")
        self.wait_until_done()
        # POP3 shows nothing of the second that it is asked in.
        wait_until(lambda: self.fetched("bob"), "the message by POP3")
        self.assertEqual(os.listdir("/home/bob/Maildir/new"), [])

    def fetched(self, user):
        """Whether POP3 had a message; takes it away."""
        client = poplib.POP3("mail.example.org")
        client.user(user)
        client.pass_(f"{user}-password")
        count, _ = client.stat()
        for number in range(1, count + 1):
            self.assertIn(b"Subject: packed", client.retr(number)[1])
            client.dele(number)
        client.quit()
        return count > 0

    def test_what_every_message_passes_goes_before_the_rest(self):
        for name in ("qmail-send", "qmail-clean"):
            (pid,) = services.processes(name)
            self.assertEqual(os.getpriority(os.PRIO_PROCESS, pid), -10, name)

    def test_reload_rereads_virtualdomains_and_a_dead_qmail_send_is_back(self):
        self.set_control("virtualdomains", "new.example:bob\n")
        path = hosts.files() / "var/qmail/control/virtualdomains"
        os.utime(path, ns=(0, path.stat().st_mtime_ns))
        self.inside("systemctl", "reload", "qmail-send")
        wait_until(lambda: path.stat().st_atime_ns, "qmail-send to read its files again")
        (before,) = services.processes("qmail-send")
        self.inside("systemctl", "kill", "--signal=KILL", "--kill-whom=main", "qmail-send")
        wait_until(lambda: services.processes("qmail-send") not in ([], [before]), "another qmail-send")
        wait_until(Service("qmail-send").serves, "qmail-send")

    def test_stop_waits_for_a_running_delivery(self):
        self.write_file("/home/bob/.qmail", "|echo > started; cat go; cat > out2\n", user="bob")
        os.mkfifo("/home/bob/go", 0o666)
        os.chmod("/home/bob/go", 0o666)
        smtp.inject("alice@example.org", ["bob@example.org"], "Subject: slow\n\nslow\n")
        wait_until(pathlib.Path("/home/bob/started").exists, "the delivery to start")
        self.inside("systemctl", "stop", "--no-block", "qmail-send")
        wait_until(lambda: "exitasap" in self.journal("qmail-send"), "qmail-send to heed SIGTERM")
        pathlib.Path("/home/bob/go").write_text("go\n")
        wait_until(lambda: "status: exiting" in self.journal("qmail-send"), "qmail-send to end")
        self.assertIn("Subject: slow\n", pathlib.Path("/home/bob/out2").read_text())
        self.inside("systemctl", "start", "qmail-send")
        self.wait_until_done()


if __name__ == "__main__":
    unittest.main()
