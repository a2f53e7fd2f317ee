# qmail-send in an administrator's hands: signals, limits, restarts, what a crash leaves behind.
import os
import pathlib
import time

from support import hosts, services
from support.case import WorldTest
from support.queueing import path_of, queue
from support.services import Service, wait_for_mail
from support.wait import wait_until

SEND = Service("qmail-send")
HOUR = 3600


class OperationTest(WorldTest):
    def setUp(self):
        super().setUp()
        for user in ("alice", "bob"):
            services.empty_maildir(user)

    def dot_qmail(self, extension, text):
        self.write_file(f"/home/alice/.qmail-{extension}", text, user="alice")

    def message_of(self, qp):
        return self.log.wait_for(rf"info msg (\d+): .* qp {qp} .*").group(1)

    def gate(self):
        """A delivery to alice-wait ends only when the returned function is called."""
        gate = pathlib.Path("/home/alice/gate")
        gate.unlink(missing_ok=True)
        self.dot_qmail("wait", "|until [ -e gate ]; do sleep 0.05; done\n")
        self.addCleanup(gate.unlink, missing_ok=True)
        return gate.touch


class Signals(OperationTest):
    def test_alarm_tries_everything_again_at_once(self):
        self.dot_qmail("later", "|[ -e allowed ] || exit 111\n")
        message = self.message_of(queue("a@x.example", ["alice-later@example.org"]))
        self.log.wait_for(r"delivery \d+: deferral: .*")
        self.write_file("/home/alice/allowed", "")
        SEND.svc("a")
        self.log.wait_for(f"end msg {message}")

    def test_hangup_reads_locals_and_virtualdomains_again(self):
        self.addCleanup(SEND.restart)
        self.set_control("locals", "mail.example.org\nexample.org\nnew.example\n")
        self.set_control("virtualdomains", "virt.example:bob\n")
        self.write_file("/home/bob/.qmail-x", "./Maildir/\n", user="bob")
        SEND.svc("h")
        # The signal and the trigger may be seen in either order, so the first message may be early.
        def arrives(address, local):
            queue("a@x.example", [address])
            return self.log.find(rf"starting delivery \d+: msg \d+ to local {local}")
        wait_until(lambda: arrives("bob@new.example", r"bob@new\.example"), "locals to be read")
        wait_until(lambda: arrives("x@virt.example", r"bob-x@virt\.example"), "virtualdomains")
        services.clear_queue()

    def test_term_waits_for_deliveries_and_restart_delivers_the_rest(self):
        open_gate = self.gate()
        self.configure("qmail-send", concurrencylocal="1\n")
        self.log = services.Log()
        queue("a@x.example", ["alice-wait@example.org", "bob@example.org"])
        self.log.wait_for("status: local 1/1 remote 0/20")
        process = SEND.pid
        SEND.svc("d")
        self.log.wait_for("status: local 1/1 remote 0/20 exitasap")
        self.assertTrue(os.path.exists(f"/proc/{process}"))
        open_gate()
        self.log.wait_for("status: exiting")
        self.assertEqual(self.log.lines()[-3:], ["delivery 1: success: did_0+0+1/",
                                                 "status: local 0/1 remote 0/20 exitasap",
                                                 "status: exiting"])
        self.assertEqual(services.maildir("bob"), [])
        wait_until(lambda: SEND.pid is None, "qmail-send to stop")
        SEND.start()
        wait_for_mail("bob")
        services.wait_for_empty_queue()
        self.assertEqual(len(self.log.find_all(r"starting delivery .* alice-wait@example\.org")), 1)

    def test_killed_spawn_is_noticed_and_the_suite_starts_again(self):
        spawn = services.processes("qmail-lspawn", hosts.MAIN)[0]
        os.kill(spawn, 9)
        self.log.wait_for("alert: oh no! lost spawn connection! dying...")
        self.log.wait_for("status: exiting")
        self.log.wait_for("status: local 0/10 remote 0/20")
        queue("a@x.example", ["bob@example.org"])
        wait_for_mail("bob")

    def test_killed_clean_is_noticed_and_the_suite_starts_again(self):
        os.kill(services.processes("qmail-clean", hosts.MAIN)[0], 9)
        self.log.wait_for("alert: oh no! lost qmail-clean connection! dying...")
        self.log.wait_for("status: exiting")
        self.log.wait_for("status: local 0/10 remote 0/20")
        queue("a@x.example", ["bob@example.org"])
        wait_for_mail("bob")


class Limits(OperationTest):
    def test_concurrency_zero_holds_mail_back(self):
        self.configure("qmail-send", concurrencylocal="0\n")
        self.log.wait_for("status: local 0/0 remote 0/20")
        message = self.message_of(queue("a@x.example", ["bob@example.org"]))
        SEND.svc("a")
        queue("a@x.example", [])
        self.log.wait_for(rf"end msg (?!{message}$)\d+")
        self.assertIsNone(self.log.find(r"starting .*"))
        # Nothing to do, so nothing is done.
        self.assertLess(cpu_ticks_of(SEND.pid), 100)
        self.set_control("concurrencylocal", "1\n")
        SEND.restart()
        self.log.wait_for(f"end msg {message}")

    def test_concurrency_one_delivers_one_by_one(self):
        self.configure("qmail-send", concurrencylocal="1\n")
        for _ in range(5):
            queue("a@x.example", ["bob@example.org"] * 3)
        wait_for_mail("bob", 15)
        services.wait_for_empty_queue()
        for line in self.log.lines():
            self.assertNotRegex(line, r"status: local [2-9]")

    def test_four_hundred_deliveries_at_a_time(self):
        open_gate = self.gate()
        self.configure("qmail-send", concurrencylocal="400\n")
        queue("a@x.example", ["alice-wait@example.org"] * 410)
        self.log.wait_for("status: local 400/400 remote 0/20", seconds=60)
        open_gate()
        services.wait_for_empty_queue(seconds=60)
        self.assertEqual(len(self.log.find_all(r"delivery \d+: success: did_0\+0\+1/")), 410)


class Restart(OperationTest):
    def test_full_queue_is_delivered_once_each(self):
        SEND.stop()
        for number in range(60):
            queue("a@x.example", ["bob@example.org"], f"Subject: {number}\n\n")
        self.assertEqual(len(services.queue()["todo"]), 60)
        SEND.start()
        services.wait_for_empty_queue()
        self.assertEqual(len(services.maildir("bob")), 60)

    def test_times_of_retries_are_kept(self):
        self.dot_qmail("later", "|exit 111\n")
        message = self.message_of(queue("a@x.example", ["alice-later@example.org"]))
        self.log.wait_for(r"delivery \d+: deferral: .*")
        wait_until(lambda: not path_of("todo", message).exists(), "the message to have its files")
        birth = path_of("info", message).stat().st_mtime
        SEND.stop()
        saved = path_of("local", message).stat().st_mtime
        self.assertIn(saved - int(birth), range(100, 120))
        self.log = services.Log()
        SEND.start()
        self.log.wait_for("status: local 0/10 remote 0/20")
        queue("a@x.example", ["bob@example.org"])
        wait_for_mail("bob")
        self.assertIsNone(self.log.find(r"starting .* alice-later.*"))
        services.clear_queue()

    def test_kill_in_the_middle_loses_nothing(self):
        """SIGKILL again and again; every message still arrives."""
        for number in range(40):
            queue("a@x.example", ["bob@example.org"], f"Subject: number {number}.\n\n")
            if number % 8 == 7:
                os.kill(SEND.pid, 9)
        services.wait_for_empty_queue(seconds=60)
        mail = b"".join(services.maildir("bob"))
        for number in range(40):
            self.assertIn(b"Subject: number %d.\n" % number, mail)


class Leftovers(OperationTest):
    def test_debris_of_36_hours_is_swept_and_younger_is_not(self):
        SEND.stop()
        old, young, pid = make_debris(37 * HOUR), make_debris(35 * HOUR), make_pid_file(37 * HOUR)
        SEND.start()
        wait_until(lambda: not path_of("mess", old).exists(), "old debris to go")
        self.assertFalse(path_of("intd", old).exists())
        wait_until(lambda: not pid.exists(), "the old pid file to go")
        self.assertTrue(path_of("mess", young).exists())
        self.assertTrue(path_of("intd", young).exists())
        services.clear_queue()

    def test_rubbish_in_todo_stops_nobody(self):
        SEND.stop()
        rubbish = make_message(b"u0\0p1\0Fa@x\0?what\0")
        cut = make_message(b"u0\0p1\0Fa@")
        odd = hosts.files() / "var/qmail/queue/todo/not-a-number"
        odd.touch()
        self.addCleanup(odd.unlink, missing_ok=True)
        self.log = services.Log()
        SEND.start()
        queue("a@x.example", ["bob@example.org"])
        wait_for_mail("bob")
        self.log.wait_for(f"warning: unknown record type in todo/{rubbish}")
        self.log.wait_for(f"warning: trouble reading todo/{cut}")
        self.assertEqual(len(self.log.find_all(r"warning: .*")), 2)
        self.assertTrue(path_of("mess", rubbish).exists())
        services.clear_queue()


def cpu_ticks_of(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def make_file(path, content, age=0):
    """A file of qmailq in the queue, that was last touched `age` seconds ago."""
    path.write_bytes(content)
    os.chown(path, *(path.parent.stat().st_uid, path.parent.stat().st_gid))
    os.utime(path, (time.time() - age,) * 2)


def make_mess(age=0):
    """A message's first file, named by its inode number; returns that."""
    new = hosts.files() / "var/qmail/queue/mess/new"
    make_file(new, b"Subject: debris\n\n", age)
    number = new.stat().st_ino
    new.rename(path_of("mess", number))
    return number


def make_debris(age):
    number = make_mess(age)
    make_file(path_of("intd", number), b"u0\0p1\0Fa@", age)
    return number


def make_message(todo):
    number = make_mess()
    make_file(path_of("intd", number), todo)
    os.link(path_of("intd", number), path_of("todo", number))
    return number


def make_pid_file(age):
    path = hosts.files() / "var/qmail/queue/pid/1.2.3"
    make_file(path, b"", age)
    return path
