# scripts/install on a machine that has never seen Postern, and on one that runs it. The programs
# are stand-ins: what is tested is where they go, with which owner and mode.
# world: --no-suite
import grp
import os
import pathlib
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
import unittest

from support import hosts
from support.case import WorldTest

SCRIPTS = hosts.REPOSITORY / "scripts"
QMAIL = pathlib.Path("/var/qmail")


def layout():
    """The rows of scripts/layout: type, owner, group, mode, path, more."""
    for line in (SCRIPTS / "layout").read_text().splitlines():
        if line and not line.startswith("#"):
            kind, owner, group, mode, path, *more = line.split()
            yield kind, owner, group, mode, QMAIL / path, more[0] if more else ""


class Installing(WorldTest):
    @classmethod
    def setUpClass(cls):
        cls.build = pathlib.Path(tempfile.mkdtemp(dir="/root"))
        (cls.build / "bin").mkdir()
        for kind, _, _, _, path, more in layout():
            if kind == "program" and more != "later":
                shutil.copy("/bin/true", cls.build / "bin" / path.name)

    def tearDown(self):
        """As if it had never been."""
        for name in ("alias", "qmaild", "qmaill", "qmailp", "qmailq", "qmailr", "qmails"):
            subprocess.run(["userdel", name], stderr=subprocess.DEVNULL, check=False)
        for name in ("qmail", "nofiles"):
            subprocess.run(["groupdel", name], stderr=subprocess.DEVNULL, check=False)
        rest = ["/var/log/qmail", "/etc/service", "/etc/tcp.smtp", "/etc/tcp.smtp.cdb",
                "/usr/sbin/sendmail.before-postern", *QMAIL.iterdir(),
                *(row[4] for row in layout() if row[0] == "link")]
        subprocess.run(["rm", "-rf", *map(str, rest)], check=True)

    def install(self, *options, status=0):
        result = subprocess.run([SCRIPTS / "install", "--build", self.build, *options], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(result.returncode, status, result.stdout)
        return result.stdout

    def assert_is(self, path, owner, group, mode):
        found = path.stat()
        self.assertEqual((path, path.owner(), path.group(), oct(stat.S_IMODE(found.st_mode))),
                         (path, owner, group, oct(int(mode, 8))))

    def test_makes_everything_as_the_layout_says(self):
        self.install()
        for kind, owner, group, mode, path, more in layout():
            if kind == "maybe" or (kind == "program" and more == "later"):
                self.assertFalse(path.exists())
            elif kind == "link":
                self.assertEqual(os.readlink(path), more)
            else:
                self.assert_is(path, owner, group, mode)
            if kind == "split":
                self.assertEqual(sorted(p.name for p in path.iterdir()),
                                 sorted(map(str, range(int(more)))))
                for part in path.iterdir():
                    self.assert_is(part, owner, group, mode)
            if kind == "fifo":
                self.assertTrue(path.is_fifo())
        self.assertEqual((QMAIL / "queue/lock/tcpto").read_bytes(), bytes(1024))
        self.assertEqual((QMAIL / "queue/lock/tcpto6").read_bytes(), bytes(2048))
        self.assertIn("everything is as", self.install("--check"))

    def test_the_one_setuid_program_is_qmail_queue(self):
        self.install()
        privileged = [path.name for path in QMAIL.rglob("*")
                      if path.is_file() and path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID)]
        self.assertEqual(privileged, ["qmail-queue"])

    def test_makes_the_users(self):
        self.install()
        groups = {"alias": "nofiles", "qmaild": "nofiles", "qmaill": "nofiles",
                  "qmailp": "nofiles", "qmailq": "qmail", "qmailr": "qmail", "qmails": "qmail"}
        for name, group in groups.items():
            entry = pwd.getpwnam(name)
            self.assertEqual(grp.getgrgid(entry.pw_gid).gr_name, group)
            self.assertEqual(entry.pw_dir, "/var/qmail/alias" if name == "alias" else "/var/qmail")
            self.assertLess(entry.pw_uid, 1000)
            locked = hosts.on(hosts.MAIN, "passwd", "--status", name).stdout.split()[1]
            self.assertEqual(locked, "L")

    def test_configures_a_new_machine_by_its_name(self):
        self.assertIn("called mail.example.org", self.install())
        expected = {"me": "mail.example.org", "defaultdomain": "example.org",
                    "plusdomain": "example.org", "locals": "mail.example.org",
                    "rcpthosts": "mail.example.org", "defaultdelivery": "./Maildir/",
                    "concurrencyincoming": "20"}
        found = {path.name: path.read_text().rstrip("\n")
                 for path in (QMAIL / "control").iterdir()}
        self.assertEqual(found, expected)

    def test_repeated_keeps_control_files_mail_and_rules(self):
        self.install()
        kept = {QMAIL / "control/me": "other.example\n", QMAIL / "control/locals": "",
                QMAIL / "queue/mess/3/3": "mail", QMAIL / "alias/.qmail-root": "&alice\n",
                pathlib.Path("/etc/tcp.smtp"): ":deny\n"}
        for path, text in kept.items():
            path.write_text(text)
        (QMAIL / "control/rcpthosts").unlink()
        self.install()
        for path, text in kept.items():
            self.assertEqual(path.read_text(), text)
        self.assertFalse((QMAIL / "control/rcpthosts").exists())

    def test_repeated_mends_owners_and_modes(self):
        self.install()
        os.chmod(QMAIL / "queue/lock/trigger", 0o666)
        os.chown(QMAIL / "queue/info/5", 0, 0)
        (QMAIL / "users/mailusers").write_text("a@b:{PLAIN}c:alice:/home/alice\n")
        self.assertEqual(self.install("--check", status=1).splitlines(), [
            "/var/qmail/queue/info/5: is root:root 700, should be qmails:qmail 700",
            "/var/qmail/queue/lock/trigger: is qmails:qmail 666, should be qmails:qmail 622",
            "/var/qmail/users/mailusers: is root:root 644, should be root:root 600"])
        self.install()
        self.install("--check")

    def test_an_upgrade_never_writes_into_a_running_program(self):
        self.install()
        program = QMAIL / "bin/qmail-queue"
        os.link(program, "/var/qmail/old")
        self.install()
        self.assertNotEqual(program.stat().st_ino, os.stat("/var/qmail/old").st_ino)
        self.assert_is(program, "qmailq", "qmail", "4711")
        self.assertFalse((QMAIL / "bin/.new").exists())

    def test_a_sendmail_that_was_there_is_kept(self):
        original = pathlib.Path("/usr/sbin/sendmail")
        original.write_text("another's")
        self.assertIn("kept /usr/sbin/sendmail as", self.install())
        self.assertEqual(pathlib.Path("/usr/sbin/sendmail.before-postern").read_text(), "another's")
        self.install()
        self.assertEqual(pathlib.Path("/usr/sbin/sendmail.before-postern").read_text(), "another's")

    def test_removed_leaves_mail_and_configuration_and_nothing_else(self):
        sendmail = pathlib.Path("/usr/sbin/sendmail")
        sendmail.write_text("another's")
        self.install("--enable")
        kept = {QMAIL / "queue/mess/3/3": "mail", QMAIL / "alias/Maildir/new/1": "mail",
                QMAIL / "control/locals": "here.example\n", QMAIL / "alias/.qmail-root": "&alice\n",
                QMAIL / "users/assign": ".\n", pathlib.Path("/etc/tcp.smtp"): ":allow\n"}
        for path, text in kept.items():
            path.write_text(text)
        self.assertIn("scripts/install goes on", self.install("--remove"))
        for path, text in kept.items():
            self.assertEqual(path.read_text(), text)
        self.assertEqual(sorted(path.name for path in QMAIL.iterdir()),
                         ["alias", "control", "queue", "users"])
        self.assertEqual(sendmail.read_text(), "another's")
        self.assertEqual(os.listdir("/etc/service"), [])
        self.assertFalse(os.path.lexists("/usr/bin/qmailctl"))
        self.install()
        self.assertEqual((QMAIL / "queue/mess/3/3").read_text(), "mail")

    def test_is_not_removed_while_it_runs(self):
        self.install()
        running = subprocess.Popen([shutil.copy("/bin/cat", "/tmp/qmail-send")], stdin=subprocess.PIPE)
        self.addCleanup(running.wait)
        self.addCleanup(running.stdin.close)
        self.assertIn("qmail-send runs: stop it first", self.install("--remove", status=1))
        self.assertTrue((QMAIL / "bin/qmail-send").exists())

    def test_is_handed_to_systemd_or_to_a_supervisor_and_not_to_both(self):
        self.assertIn("systemctl enable --now qmail-send.service qmail-smtpd.socket "
                      "qmail-submission.socket\n", self.install("--systemd"))
        for name in ("qmail-send.service", "qmail-smtpd.socket", "qmail-smtpd@.service"):
            self.assertEqual(os.readlink(f"/etc/systemd/system/{name}"), f"/var/qmail/systemd/{name}")
        self.install("--remove")
        self.assertFalse(os.path.lexists("/etc/systemd/system/qmail-send.service"))
        self.install("--enable")
        self.assertIn("/etc/service has the services already", self.install("--systemd", status=1))

    def test_enabled_services_are_linked_once(self):
        self.install("--enable")
        self.install("--enable")
        names = ("qmail-send", "qmail-smtpd", "qmail-submission")
        self.assertEqual(sorted(os.listdir("/etc/service")), sorted(names))
        for name in names:
            self.assertEqual(os.readlink(f"/etc/service/{name}"), f"/var/qmail/supervise/{name}")

    def test_says_what_is_left_to_do(self):
        self.assertTrue(self.install().endswith("installed; to start it: "
                                                "scripts/install --enable\n"))
        self.assertEqual("installed; nothing watches /etc/service yet: "
                         "apt-get install daemontools-run\n", self.install("--enable"))
        svscan = subprocess.Popen(["svscan", "/var/log"], stderr=subprocess.DEVNULL)
        self.addCleanup(svscan.wait)
        self.addCleanup(svscan.kill)
        self.assertIn("installed; qmailctl stat shows the services\n", self.install("--enable"))
        self.assertIn("what was there before: qmailctl restart\n", self.install())

    def test_names_the_program_that_holds_a_port(self):
        self.install("--enable")
        with socket.create_server(("", 25)):
            self.assertRegex(self.install(), r"port 25 is held by python3\S*: qmail-smtpd can listen")
        self.assertNotIn("port", self.install())

    def test_a_queue_that_is_split_otherwise_is_left_alone(self):
        for count, file, accepted in ((211, None, False), (11, "3/3", False), (11, None, True)):
            with self.subTest(count=count, file=file):
                for number in range(count):
                    (QMAIL / f"queue/mess/{number}").mkdir(parents=True)
                if file:
                    (QMAIL / "queue/mess" / file).write_text("mail")
                if accepted:
                    self.install()
                else:
                    self.assertRegex(self.install(status=1),
                                     f"queue is split into {count} directories, Postern's into 23: ")
                    self.assertFalse((QMAIL / "bin").exists())
                shutil.rmtree(QMAIL / "queue")

    def test_local_addresses_may_relay_and_others_may_connect(self):
        self.install()
        for address, relays in (("127.0.0.1", True), ("::1", True), ("192.0.2.9", False),
                                ("2001:db8::9", False)):
            rule = hosts.on(hosts.MAIN, "tcprulescheck", "/etc/tcp.smtp.cdb",
                            env=os.environ | {"TCPREMOTEIP": address}).stdout
            self.assertEqual("RELAYCLIENT" in rule, relays, rule)
            self.assertIn("allow connection", rule)

    def test_a_program_that_is_not_built_is_an_error_before_any_is_replaced(self):
        (self.build / "bin/qmail-send").rename(self.build / "elsewhere")
        self.addCleanup((self.build / "elsewhere").rename, self.build / "bin/qmail-send")
        self.assertRegex(self.install(status=1), "not in .*: qmail-send; build first")
        self.assertEqual(list((QMAIL / "bin").iterdir()), [])
        self.install("--partial")
        self.assertTrue((QMAIL / "bin/qmail-queue").exists())

    def test_wrong_use_is_explained(self):
        self.assertIn("unknown option --biuld", self.install("--biuld", status=1))
        # The repository may stand where alice cannot go, such as /root.
        scripts = shutil.copytree(SCRIPTS, "/tmp/scripts")
        self.addCleanup(shutil.rmtree, scripts)
        result = hosts.as_user("alice", f"{scripts}/install", "--partial", check=False)
        self.assertEqual((result.returncode, result.stderr), (1, "install: must be run as root\n"))


class ConfigFast(WorldTest):
    def setUp(self):
        super().setUp()
        (QMAIL / "control").mkdir(exist_ok=True)
        self.addCleanup(shutil.rmtree, QMAIL / "control")

    def written(self, name):
        hosts.on(hosts.MAIN, SCRIPTS / "config-fast", name)
        return [(QMAIL / "control" / file).read_text().strip()
                for file in ("me", "defaultdomain", "plusdomain", "locals", "rcpthosts")]

    def test_cuts_the_first_name_off_while_two_are_left(self):
        self.assertEqual(self.written("Mail.Dept.Example.ORG"),
                         ["mail.dept.example.org", "dept.example.org", "example.org",
                          "mail.dept.example.org", "mail.dept.example.org"])
        self.assertEqual(self.written("example.org"), ["example.org"] * 5)

    def test_refuses_what_is_not_a_name(self):
        for name in ("", "a b", ".example", "$(id)"):
            result = hosts.on(hosts.MAIN, SCRIPTS / "config-fast", name, check=False)
            self.assertEqual(result.returncode, 100)
        self.assertEqual(os.listdir(QMAIL / "control"), [])


if __name__ == "__main__":
    unittest.main()
