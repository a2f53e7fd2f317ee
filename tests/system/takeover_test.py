# An installation of qmail is taken over as it stands, with mail in every state in its queue; and what
# Postern leaves, qmail can take back.
import math
import mailbox
import os
import pathlib
import shutil
import subprocess
import time
import unittest

from support import hosts, machine, qmail_site, services, smtp
from support.case import WorldTest
from support.queueing import queue
from support.services import Service, wait_for_mail
from support.wait import wait_until

QMAIL = pathlib.Path("/var/qmail")
INSTALL = hosts.REPOSITORY / "scripts/install"
BUILD = os.environ.get("POSTERN_BUILD", "")
DAY = 86400
ASSIGN = ["=sales:alice:1000:1000:/home/alice:::", "+shop.example-:bob:1001:1001:/home/bob:-:shop-:"]
CONTROL = {"me": "mail.example.org\n", "locals": "mail.example.org\nexample.org\n",
           "rcpthosts": "mail.example.org\nexample.org\n", "virtualdomains": "shop.example:shop.example\n",
           "morercpthosts": "shop.example\n", "queuelifetime": "604800\n", "concurrencyincoming": "20\n"}
SENDER = b"Falice@example.org\0"
LATER = "|[ -e /home/alice/go ] || exit 111\n./Mailbox\n"


def write(path, text, user=None):
    path = pathlib.Path(path)
    path.write_text(text)
    if user:
        shutil.chown(path, user, user)


def install(*options, check=True):
    return hosts.on(hosts.MAIN, INSTALL, "--build", BUILD, *options, check=check)


def forget_postern():
    """A machine that has never seen it."""
    subprocess.run(["pkill", "-x", "svscan"], check=False)
    machine.stop_world_services()
    links = [line.split()[4] for line in (INSTALL.parent / "layout").read_text().splitlines()
             if line.startswith("link ")]
    subprocess.run(["rm", "-rf", "/etc/service", "/var/log/qmail", "/etc/tcp.smtp", "/etc/tcp.smtp.cdb",
                    *links, *QMAIL.iterdir()], check=True)


def make_site(**layout):
    qmail_site.make_users()
    qmail_site.make_tree(**layout)
    for name, text in CONTROL.items():
        write(QMAIL / "control" / name, text)
    (QMAIL / "control/morercpthosts.cdb").write_bytes(qmail_site.cdb([(b"shop.example", b"")]))
    write(QMAIL / "users/assign", "".join(f"{line}\n" for line in [*ASSIGN, "."]))
    (QMAIL / "users/cdb").write_bytes(qmail_site.users_cdb(ASSIGN))
    write(QMAIL / "alias/.qmail-team", "&bob@example.org\n&sales@example.org\n")
    write(QMAIL / "alias/.qmail-postmaster", "&carol@example.org\n")
    write("/home/bob/.qmail-shop-default", "./Mailbox\n", "bob")
    write("/home/alice/.qmail-later", LATER, "alice")


def fill(site):
    """Messages in every state; the numbers of those that a test looks at again."""
    now = int(time.time())
    past, future = now - 1000, now + 3000
    info = {"info": now - 3600}
    site.add_todo(b"Subject: new\n\n", b"alice@example.org",
                  [b"bob@example.org", b"team@example.org", b"Info@shop.example"])
    site.add_todo(b"Subject: half preprocessed\n\n", b"alice@example.org", [b"bob@example.org"],
                  info=b"Falice@exa", local=b"Tbob@")
    site.add(b"Subject: partly done\n\n", info | {"local": past}, info=SENDER,
             local=b"Dcarol@example.org\0Tbob@example.org\0Dsales@example.org\0")
    site.add(b"Subject: all done\n\n", info, info=SENDER)
    site.add(b"Subject: all failed\n\n", info, info=SENDER, bounce=b"<x@far.example>:\nNo such user.\n\n")
    site.add(b"Subject: one failed\n\n", info | {"local": past}, info=SENDER,
             local=b"Dnobody@example.org\0Tbob@example.org\0",
             bounce=b"<nobody@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n")
    site.add(b"Subject: bounced bounce\n\n", info, info=b"F\0", bounce=b"<y@far.example>:\nNo.\n\n")
    site.add(b"Subject: list\n\n", info | {"local": past}, info=b"Flist-@example.org-@[]\0",
             local=b"Tbob@example.org\0")
    site.add(b"Subject: too old\n\n", {"info": now - 8 * DAY, "local": past}, info=SENDER,
             local=b"Talice-later@example.org\0")
    site.add(b"Subject: never accepted\n\n")
    site.add(b"Subject: never accepted either\n\n", intd=b"u1000\0p4711\0Fa@b\0")
    return {"not due": (site.add(b"Subject: not due\n\n", info | {"local": future, "remote": future},
                                 info=SENDER, local=b"Tbob@example.org\0Dcarol@example.org\0",
                                 remote=b"Dx@far.example\0"), future)}


def subjects(user):
    """Of what is in a user's mbox, sorted."""
    box = f"/home/{user}/Mailbox"
    return sorted(m["Subject"] for m in mailbox.mbox(box)) if os.path.exists(box) else []


def body_of(user, subject, text):
    return next(m for m in mailbox.mbox(f"/home/{user}/Mailbox")
                if m["Subject"] == subject and text in m.get_payload())


def wait_for_subjects(user, wanted):
    try:
        wait_until(lambda: len(subjects(user)) >= len(wanted), f"mail for {user}")
    except AssertionError as error:
        log = pathlib.Path("/var/log/qmail/qmail-send/current").read_text(errors="replace")
        raise AssertionError(f"{error}: {subjects(user)}; qmail-send logged:\n{log}") from None
    return subjects(user)


class AsItStands(WorldTest):
    """qmail's own split: scripts/install, and start."""

    leaves_mail = True  # some of it is not due

    @classmethod
    def setUpClass(cls):
        forget_postern()
        make_site()
        cls.site = qmail_site.Queue()
        cls.marked = fill(cls.site)
        hosts.on(hosts.MAIN, "cp", "-a", QMAIL / "bin", QMAIL / "bin.qmail")
        cls.kept = {path: path.read_bytes() for part in ("control", "users", "alias")
                    for path in (QMAIL / part).iterdir()}
        cls.said = install("--enable").stdout
        cls.start_services()
        cls.log = services.Log()

    @classmethod
    def start_services(cls):
        with open("/var/log/svscan", "ab") as log:
            cls.addClassCleanup(subprocess.Popen(["svscan", "/etc/service"], stdin=subprocess.DEVNULL,
                                                 stdout=log, stderr=log, cwd="/",
                                                 start_new_session=True).kill)
        wait_until(lambda: os.path.exists("/etc/service/qmail-smtpd/supervise/ok"), "supervise")
        for service in ("qmail-send", "qmail-smtpd"):
            wait_until(Service(service).serves, service)

    def assert_scripts_are_the_sites_own(self):
        self.assertEqual((QMAIL / "rc").read_text(), qmail_site.RC)
        self.assertEqual((QMAIL / "supervise/qmail-smtpd/run").read_text(), qmail_site.SMTPD_RUN)

    def assert_mail(self, user, *wanted):
        self.assertEqual(wait_for_subjects(user, wanted), sorted(wanted))

    def test_1_everything_is_delivered_or_returned_and_nobody_gets_it_twice(self):
        self.assert_mail("bob", "new", "new", "new", "half preprocessed", "partly done", "one failed",
                         "list")  # new: as himself, of the team, and for the shop
        self.assert_mail("alice", "new", *["failure notice"] * 3)
        self.assert_mail("carol", "failure notice")
        shop = [m["Delivered-To"] for m in mailbox.mbox("/home/bob/Mailbox") if m["Subject"] == "new"]
        self.assertIn("shop.example-Info@shop.example", shop)
        body_of("alice", "failure notice", "<x@far.example>:\nNo such user.\n\n--- Below")
        body_of("alice", "failure notice", "<nobody@example.org>:\nSorry, no mailbox here by that name.")
        body_of("alice", "failure notice", "<alice-later@example.org>:\nI'm not going to try again")
        body_of("carol", "failure notice", "the bounce bounced!\n\n<y@far.example>:")
        self.assertEqual(body_of("bob", "list", "")["Return-Path"],
                         "<list-bob=example.org@example.org>")
        wait_until(lambda: {kind: len(names) for kind, names in services.queue().items()} ==
                   {"mess": 3, "info": 1, "local": 1, "remote": 1, "intd": 1},
                   "all to end but one that is not due and two that were never accepted")

    def test_2_times_of_retries_are_kept(self):
        number, due = self.marked["not due"]
        self.assertEqual(int(self.site.path("local", number).stat().st_mtime), due)
        text = b"".join(path.read_bytes() for path in
                        pathlib.Path("/var/log/qmail/qmail-send").iterdir() if path.is_file())
        self.assertNotIn(f"msg {number} to local".encode(), text)

    def test_3_what_was_there_is_as_it_was(self):
        for path, content in self.kept.items():
            self.assertEqual(path.read_bytes(), content)
        for name, (number, _) in qmail_site.USERS.items():
            self.assertEqual(hosts.on(hosts.MAIN, "id", "-u", name).stdout, f"{number}\n")
        self.assert_scripts_are_the_sites_own()
        self.assertTrue((QMAIL / "rc.postern").exists())
        self.assertEqual((QMAIL / "control/defaultdelivery").read_text(), "./Mailbox\n")
        self.assertIn("kept /var/qmail/rc as it is; ours is /var/qmail/rc.postern\n", self.said)
        # Made below a setgid directory, and not one itself.
        self.assertEqual((QMAIL / "alias/Maildir").stat().st_mode & 0o7777, 0o700)
        tcpserver = services.processes("tcpserver", hosts.MAIN)
        lines = [pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in tcpserver]
        self.assertTrue(any(b"\0smtp.example.org\0" in line for line in lines), lines)
        with smtp.connect() as client:  # qmail-newmrh's file serves as it is
            client.command("MAIL FROM:<a@far.example>", "250 *")
            client.command("RCPT TO:<x@shop.example>", "250 *")
            client.command("RCPT TO:<x@other.example>", "553 *")

    def test_4_what_postern_leaves_qmail_takes_back(self):
        send = Service("qmail-send")
        qp = queue("alice@example.org", ["bob@example.org", "alice-later@example.org", "x@far.example"],
                   "Subject: deferred\n\n")
        deferred = int(self.log.wait_for(rf"info msg (\d+): .* qp {qp} .*").group(1))
        paths = {kind: self.site.path(kind, deferred) for kind in ("info", "local", "remote", "bounce")}
        wait_until(lambda: not paths["remote"].exists() and paths["local"].read_bytes() ==
                   b"Dbob@example.org\0Talice-later@example.org\0", "one deferral to be left")
        send.stop()
        queue("alice@example.org", ["bob@example.org"], "Subject: to do\n\n")
        self.assertEqual(qmail_site.faults_of_queue(), [])
        number, due = self.marked["not due"]
        self.assertEqual(int(self.site.path("local", number).stat().st_mtime), due)
        birth = paths["info"].stat().st_mtime
        age = int(time.time() - birth)
        self.assertIn(paths["local"].stat().st_mtime - int(birth),
                      [(math.isqrt(a) + 10) ** 2 for a in range(age + 1)])
        self.assertEqual(paths["info"].read_bytes(), b"Falice@example.org\0")
        self.assertTrue(paths["bounce"].read_bytes().startswith(b"<x@far.example>:\n"))
        hosts.on(hosts.MAIN, "pkill", "-x", "svscan")
        self.assertIn("removed;", install("--remove").stdout)
        self.assert_scripts_are_the_sites_own()
        self.assertFalse((QMAIL / "rc.postern").exists())
        hosts.on(hosts.MAIN, "cp", "-a", QMAIL / "bin.qmail/.", QMAIL / "bin")
        setuid = (QMAIL / "bin/qmail-queue").stat()
        self.assertEqual((setuid.st_uid, setuid.st_mode & 0o7777), (7794, 0o4711))
        self.assertEqual(qmail_site.faults_of_queue(), [])
        for path, content in self.kept.items():
            self.assertEqual(path.read_bytes(), content)

    def test_5_and_back_again_and_an_upgrade_with_mail_in_the_queue(self):
        install("--enable")
        self.start_services()
        wait_until(lambda: "to do" in subjects("bob"), "what qmail-queue has left")
        wait_until(lambda: len(services.queue()["mess"]) == 4, "that one to end")
        before = services.queue()
        install("--enable")
        self.assertEqual(services.queue(), before)
        self.assert_scripts_are_the_sites_own()
        Service("qmail-send").restart()
        pathlib.Path("/home/alice/go").touch()
        hosts.on(hosts.MAIN, "qmailctl", "doqueue")
        wait_until(lambda: {"deferred", "to do", "not due"} <= set(subjects("bob")), "the rest")
        wait_until(lambda: "deferred" in subjects("alice"), "what was deferred")
        self.assertNotIn("not due", subjects("carol"))
        for subject in ("deferred", "to do", "not due"):
            self.assertEqual(subjects("bob").count(subject), 1, subject)


class OfAnotherSplit(WorldTest):
    """conf-split 101 with the big-todo patch: qmail-queue-fsck moves the files first."""

    leaves_mail = True

    @classmethod
    def setUpClass(cls):
        forget_postern()
        make_site(split=101, big_todo=True)
        cls.site = qmail_site.Queue(split=101, big_todo=True)
        fill(cls.site)

    def test_is_told_what_to_do_and_loses_nothing_by_it(self):
        before = self.site.messages()
        refused = install(check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("qmail-queue-fsck --repair", refused.stderr)
        self.assertEqual((QMAIL / "bin/qmail-queue").read_text(), "qmail's qmail-queue\n")
        mended = hosts.on(hosts.MAIN, f"{BUILD}/bin/qmail-queue-fsck", "--repair", check=False)
        self.assertEqual(mended.returncode, 1, mended.stdout + mended.stderr)
        self.assertEqual(qmail_site.faults_of_queue(), [])
        after = qmail_site.Queue().messages()
        # What has no recipient left, or was not accepted yet, is set aside or waits to be swept.
        for subject in ("all done", "never accepted", "never accepted either"):
            before.pop(subject)
            after.pop(subject, None)
        self.assertEqual(after, before)


if __name__ == "__main__":
    unittest.main()
