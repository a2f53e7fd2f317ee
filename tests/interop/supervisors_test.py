"""The same service directories under each supervisor that qmail administrators use, and qmailctl
with every verb under each: Debian's daemontools, runit and s6, and a real inetd with tcp-env."""
# unpack: runit
# unpack: s6
# unpack: openbsd-inetd

import os
import pathlib
import signal
import subprocess
import unittest

from support import hosts, services, smtp
from support.case import WorldTest
from support.services import Service
from support.wait import wait_until

UNPACKED = hosts.REPOSITORY / "build/interop"
SERVICES = ("qmail-send", "qmail-smtpd", "qmail-submission", "qmail-pop3d", "qmail-qmtpd",
            "qmail-qmqpd")
PORTS = (25, 587, 110, 209, 628)


def setUpModule():
    """Every service that there is, not only those of a fresh installation."""
    hosts.on(hosts.MAIN, "tcprules", "/etc/tcp.qmqp.cdb", "/etc/tcp.qmqp.tmp", input="127.:allow\n:deny\n")
    for name in SERVICES:
        hosts.on(hosts.MAIN, "ln", "-sfn", f"/var/qmail/supervise/{name}", f"/etc/service/{name}")
    wait_for_services()


def library_path(package):
    """For programs that are unpacked, not installed."""
    return ":".join({str(path.parent) for path in (UNPACKED / package).rglob("*.so*")})


def listens(port):
    return subprocess.run(["ss", "-Hltn", f"sport = :{port}"], check=True,
                          stdout=subprocess.PIPE).stdout


def wait_for_services():
    wait_until(lambda: all(listens(port) for port in PORTS), "every port")
    wait_until(lambda: Service("qmail-send").serves(), "qmail-send")


def wait_for_silence():
    wait_until(lambda: not any(listens(port) for port in PORTS), "the ports to be free")
    wait_until(lambda: not Service("qmail-send").serves(), "qmail-send to end")


def start(supervisor, environment):
    child = subprocess.Popen(supervisor, env=environment, cwd="/", start_new_session=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    wait_for_services()
    return child


def end_daemontools():
    for svscan in services.processes("svscan", hosts.MAIN):
        os.kill(svscan, signal.SIGTERM)
    wait_until(lambda: not services.processes("svscan", hosts.MAIN), "svscan to end")
    everything = [f"/etc/service/{name}{log}" for name in SERVICES for log in ("", "/log")]
    hosts.on(hosts.MAIN, "svc", "-dx", *everything)
    wait_until(lambda: not services.processes("supervise", hosts.MAIN), "supervise to end")
    wait_for_silence()


class Supervisor(WorldTest):
    """Stops daemontools, lets another supervisor have the services, and puts daemontools back."""

    @classmethod
    def setUpClass(cls):
        cls.environment = dict(os.environ, PATH=f"{cls.path}:{os.environ['PATH']}",
                               LD_LIBRARY_PATH=library_path(cls.package))
        end_daemontools()
        cls.supervisor = start(cls.command, cls.environment)

    @classmethod
    def tearDownClass(cls):
        os.kill(cls.supervisor.pid, cls.ending)
        cls.supervisor.wait()
        wait_until(lambda: not services.processes(cls.watcher, hosts.MAIN), f"{cls.watcher} to end")
        wait_for_silence()
        start(["svscan", "/etc/service"], os.environ)


class Verbs:
    """What an administrator does, the same under each supervisor."""

    environment = os.environ

    def qmailctl(self, *words):
        return hosts.on(hosts.MAIN, "qmailctl", *words, env=self.environment).stdout

    def pid(self, program):
        found = services.processes(program, hosts.MAIN)
        return found[0] if len(found) == 1 else None

    def deliver_to_bob(self):
        services.empty_maildir("bob")
        smtp.inject("alice@example.org", ["bob@example.org"], "Subject: hello\n\nhello\n")
        services.wait_for_mail("bob")
        services.wait_for_empty_queue()

    def test_mail_flows_and_every_service_has_its_log(self):
        self.deliver_to_bob()
        self.log.wait_for(r"new msg \d+")
        self.assertEqual(len(services.processes("multilog", hosts.MAIN)), len(SERVICES))

    def test_a_service_that_dies_is_back(self):
        before = self.pid("qmail-send")
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: self.pid("qmail-send") not in (None, before), "another qmail-send")
        wait_until(Service("qmail-send").serves, "qmail-send")
        self.deliver_to_bob()

    def test_qmailctl_stops_starts_and_restarts(self):
        self.qmailctl("stop")
        wait_for_silence()
        self.assertRegex(self.qmailctl("stat"), r"qmail-send: down")
        self.qmailctl("start")
        wait_for_services()
        self.assertRegex(self.qmailctl("stat"), r"qmail-send: up \(pid \d+")
        before = self.pid("qmail-send")
        self.qmailctl("restart")
        wait_until(lambda: self.pid("qmail-send") not in (None, before), "another qmail-send")
        wait_for_services()
        self.deliver_to_bob()

    def test_qmailctl_pause_holds_mail_until_cont(self):
        self.qmailctl("pause")
        stopped = f"/proc/{self.pid('qmail-send')}/stat"
        wait_until(lambda: " T " in pathlib.Path(stopped).read_text(), "qmail-send to stand still")
        self.qmailctl("cont")
        self.deliver_to_bob()

    def test_qmailctl_hup_lets_qmail_send_read_virtualdomains_again(self):
        self.set_control("virtualdomains", "new.example:bob\n")
        path = hosts.files() / "var/qmail/control/virtualdomains"
        os.utime(path, ns=(0, path.stat().st_mtime_ns))
        self.qmailctl("hup")
        wait_until(lambda: path.stat().st_atime_ns, "qmail-send to read its files again")

    def test_qmailctl_doqueue_tries_what_was_deferred(self):
        self.write_file("/home/bob/.qmail", "|exit 111\n", user="bob")
        smtp.inject("alice@example.org", ["bob@example.org"], "Subject: later\n\nlater\n")
        self.log.wait_for(r"delivery \d+: deferral: .*")
        pathlib.Path("/home/bob/.qmail").unlink()
        for verb in ("doqueue", "flush", "alrm"):
            self.qmailctl(verb)
        services.wait_for_mail("bob")
        services.wait_for_empty_queue()


class Daemontools(Verbs, WorldTest):
    pass


class Runit(Verbs, Supervisor):
    package = "runit"
    path = f"{UNPACKED}/runit/usr/bin"
    command = [f"{path}/runsvdir", "/etc/service"]
    ending = signal.SIGHUP  # ends the services too
    watcher = "runsv"

    def test_sv_shows_a_service(self):
        shown = hosts.on(hosts.MAIN, f"{self.path}/sv", "status", "/etc/service/qmail-send")
        self.assertRegex(shown.stdout, r"^run: .*; run: log: ")


class S6(Verbs, Supervisor):
    package = "s6"
    path = f"{UNPACKED}/s6/usr/bin"
    command = [f"{path}/s6-svscan", "/etc/service"]
    ending = signal.SIGTERM
    watcher = "s6-supervise"

    @classmethod
    def setUpClass(cls):
        for program in pathlib.Path(cls.path).iterdir():  # that is where it is looked for
            os.symlink(program, f"/usr/bin/{program.name}")
        super().setUpClass()

    def test_s6_svstat_shows_a_service(self):
        shown = hosts.on(hosts.MAIN, f"{self.path}/s6-svstat", "/etc/service/qmail-send",
                         env=self.environment)
        self.assertRegex(shown.stdout, r"^up \(pid \d+")


class Inetd(WorldTest):
    def test_the_line_of_the_guides_serves_smtp(self):
        Service("qmail-smtpd").stop()
        self.addCleanup(Service("qmail-smtpd").start)
        self.write_file("/etc/inetd.conf", "smtp stream tcp nowait qmaild /var/qmail/bin/tcp-env "
                        "tcp-env /var/qmail/bin/qmail-smtpd\n")
        inetd = subprocess.Popen(
            [UNPACKED / "openbsd-inetd/usr/sbin/inetd", "-i", "/etc/inetd.conf"],
            env=dict(os.environ, LD_LIBRARY_PATH=library_path("openbsd-inetd")))
        self.addCleanup(inetd.wait)
        self.addCleanup(inetd.terminate)
        wait_until(lambda: listens(25), "port 25")
        services.empty_maildir("bob")
        smtp.inject("alice@example.org", ["bob@example.org"], "Subject: hello\n\nhello\n")
        (message,) = services.wait_for_mail("bob")
        self.assertRegex(message, rb"Received: from mail.example.org \(HELO client.example\) "
                         rb"\(192.0.2.1\)\n  by mail.example.org with ")


if __name__ == "__main__":
    unittest.main()
