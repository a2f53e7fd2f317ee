# qmail-queue-fsck: a queue that was copied, cut off or split otherwise is mended, and delivered.
import itertools
import pathlib
import shutil
import subprocess
import unittest

from support import broken_queue, hosts, services
from support.broken_queue import add_message, place
from support.case import WorldTest
from support.queueing import queue
from support.services import Service, wait_for_empty_queue, wait_for_mail

FSCK = "/var/qmail/bin/qmail-queue-fsck"
QUEUE = pathlib.Path("/var/qmail/queue")
SEND = Service("qmail-send")
SOUND, MENDED, UNSOUND, USAGE, TEMPORARY = 0, 1, 4, 100, 111


def fsck(*arguments):
    return hosts.on(hosts.MAIN, FSCK, *arguments, check=False)


class Delivery(WorldTest):
    """With a queue in which messages wait in every state."""

    def setUp(self):
        super().setUp()
        for user in ("alice", "bob"):
            services.empty_maildir(user)
        SEND.stop()
        self.addCleanup(SEND.start)
        self.addCleanup(shutil.rmtree, QUEUE / "set-aside", ignore_errors=True)

    def fill(self, split=broken_queue.SPLIT):
        add = lambda text, **files: add_message(QUEUE, text, split, **files)
        add(b"Subject: to do\n\n", info=b"Falice@example.org\0", local=b"Tbob@example.org\0")
        add(b"Subject: partly done\n\n", info=b"Falice@example.org\0",
            local=b"Dcarol@example.org\0Tbob@example.org\0")
        add(b"Subject: bouncing\n\n", info=b"Falice@example.org\0", bounce=b"<x@y>:\nno\n\n")
        add(b"Subject: waiting\n\n",
            todo=b"u0\0p1\0Falice@example.org\0Tbob@example.org\0",
            intd=b"u0\0p1\0Falice@example.org\0Tbob@example.org\0")
        add(b"Subject: half written\n\n",
            todo=b"u0\0p1\0Falice@example.org\0Tbob@example.org\0", info=b"Fali", local=b"Tbo")

    def mend(self, *options):
        answer = fsck("--repair", *options)
        self.assertEqual((answer.returncode, answer.stderr), (MENDED, ""), answer.stdout)
        again = fsck()
        self.assertEqual(again.returncode, SOUND, again.stdout)
        return answer.stdout

    def everything_arrives(self):
        SEND.start()
        subjects = sorted(text.split(b"Subject: ")[1].split(b"\n")[0]
                          for text in wait_for_mail("bob", 4))
        self.assertEqual(subjects, [b"half written", b"partly done", b"to do", b"waiting"])
        self.assertIn(b"failure notice", wait_for_mail("alice")[0])
        wait_for_empty_queue()
        self.assertEqual(len(services.maildir("carol")), 0)

    def test_nothing_is_wrong_with_a_queue_of_our_own(self):
        queue("alice@example.org", ["bob@example.org"])
        answer = fsck()
        self.assertEqual((answer.returncode, answer.stdout), (SOUND, "messages: 1, nothing is wrong\n"))
        self.assertEqual(fsck("--repair").returncode, SOUND)
        SEND.start()
        wait_for_mail("bob")

    def test_a_restored_backup_is_delivered(self):
        self.fill()
        broken_queue.copy(QUEUE)
        answer = fsck()
        self.assertEqual(answer.returncode, UNSOUND)
        self.assertEqual(answer.stdout.count("the queue was copied"), 5, answer.stdout)
        self.mend()
        self.everything_arrives()

    def test_numbers_that_are_each_others_are_put_right(self):
        self.fill()
        broken_queue.rotate_numbers(QUEUE)
        self.mend()
        self.everything_arrives()

    def test_a_queue_of_another_split_with_big_todo_is_taken_over(self):
        for kind in broken_queue.SPLIT_KINDS:
            for part in range(23, 47):
                (QUEUE / kind / str(part)).mkdir()
        self.fill(split=47)
        for path in list((QUEUE / "todo").iterdir()):
            part = QUEUE / "todo" / str(int(path.name) % 47)
            part.mkdir(exist_ok=True)
            path.rename(part / path.name)
        said = self.mend()
        self.assertIn("mess: 24 directories more than the split of 23 has", said)
        self.assertEqual(len(list((QUEUE / "mess").iterdir())), 23)
        self.everything_arrives()

    def test_an_interrupted_copy_by_the_wrong_user_is_mended(self):
        self.fill()
        for path in [*QUEUE.rglob("*")]:
            shutil.chown(path, "root", "root")
            path.chmod(0o755 if path.is_dir() else 0o640)
        shutil.rmtree(QUEUE / "lock")
        shutil.rmtree(QUEUE / "pid")
        self.mend()
        self.assertIn("everything is as scripts/layout says", self.installation())
        self.everything_arrives()

    def installation(self):
        script = hosts.REPOSITORY / "scripts/install"
        return hosts.on(hosts.MAIN, script, "--check", "--partial", check=False).stdout

    def test_what_lacks_an_envelope_is_kept_beside_the_queue(self):
        number = add_message(QUEUE, b"Subject: whose?\n\n", local=b"Tbob@example.org\0")
        said = self.mend()
        self.assertEqual(said, f"message {number}: neither todo/{number} nor info/{number}: the sender "
                               f"is not known [set aside: set-aside/{number}]\n"
                               "messages: 1, in the queue: 0; mended\n")
        kept = QUEUE / "set-aside" / str(number)
        self.assertEqual((kept / "mess").read_bytes(), b"Subject: whose?\n\n")
        self.assertEqual((kept / "local").read_bytes(), b"Tbob@example.org\0")
        self.assertIn("the sender is not known", (kept / "why").read_text(encoding="utf-8"))

    def test_nothing_enters_and_nothing_starts_before_a_repair_has_ended(self):
        self.fill()
        (QUEUE / "fsck-gathering").mkdir(mode=0o700)
        for path in (QUEUE / "pid", QUEUE / "lock/sendmutex"):
            path.chmod(0)
        with self.assertRaisesRegex(AssertionError, "exit 63"):
            queue("alice@example.org", ["bob@example.org"])
        SEND.svc("u")
        self.log.wait_for("alert: cannot start: unable to open mutex")
        SEND.stop()
        self.assertEqual(fsck().returncode, UNSOUND)
        self.mend()
        self.everything_arrives()


class Refusal(WorldTest):
    def test_of_a_queue_that_is_in_use(self):
        for options in ([], ["--repair"]):
            answer = fsck(*options)
            self.assertEqual((answer.returncode, answer.stdout), (TEMPORARY, ""))
            self.assertEqual(answer.stderr, "qmail-queue-fsck: fatal: qmail-send is running: stop it "
                                            "first (qmailctl stop), start it afterwards\n")

    def test_of_anybody_but_root(self):
        answer = hosts.as_user("alice", FSCK, check=False)
        self.assertEqual(answer.returncode, TEMPORARY)
        self.assertIn("must be run as root", answer.stderr)

    def test_of_arguments_that_make_no_sense(self):
        for arguments in (["--fix"], ["--split", "0"], ["--split"], ["a", "b"]):
            answer = fsck(*arguments)
            self.assertEqual((answer.returncode, answer.stderr),
                             (USAGE, "qmail-queue-fsck: fatal: usage: qmail-queue-fsck [--repair] "
                                     "[--split NUMBER] [QUEUE]\n"))
        self.assertEqual(fsck("/nowhere").returncode, TEMPORARY)


class Killed(WorldTest):
    """A repair that is killed before any of its steps, and its repair before another, is ended by a
    third and has lost nothing.
    """

    steps = ("renameat2", "rename", "mkdir", "rmdir", "syncfs", "fsync")

    def setUp(self):
        super().setUp()
        self.queue = pathlib.Path("/dev/shm/queue")  # syncs cost nothing there
        self.addCleanup(shutil.rmtree, self.queue, ignore_errors=True)

    def fill(self):
        shutil.rmtree(self.queue, ignore_errors=True)
        shutil.copytree(QUEUE, self.queue, copy_function=broken_queue.copy_file,
                        ignore=shutil.ignore_patterns("set-aside"))
        for i in range(2):
            add_message(self.queue, b"S5 %d" % i, info=b"Fa%d@x\0" % i, local=b"Tb%d@y\0" % i)
        add_message(self.queue, b"S4", todo=b"u0\0p1\0Fa@x\0Tb@y\0")
        add_message(self.queue, b"lost", local=b"Tb@y\0")
        (self.queue / "mess/3/core").touch()
        expected = broken_queue.messages_in(self.queue)
        broken_queue.rotate_numbers(self.queue)
        return expected

    def repair(self, call=None, count=0):
        """Whether it came to its end; it is killed before the count-th of these system calls."""
        command = [FSCK, "--repair", str(self.queue)]
        if call:
            command = ["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                       "-e", f"inject={call}:signal=KILL:when={count}", *command]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode in (-9, 137):
            return False
        self.assertIn(result.returncode, (SOUND, MENDED), result.stdout + result.stderr)
        return True

    def is_closed(self):
        return all((self.queue / name).stat().st_mode & 0o777 == 0
                   for name in ("pid", "lock/sendmutex"))

    def is_in_pieces(self):
        return any((self.queue / name).exists() for name in ("fsck-gathering", "fsck-placing"))

    def test_before_every_step(self):
        killed = {call: self.count_kills(call) for call in self.steps}
        self.assertGreater(killed["renameat2"], 20, killed)
        self.assertGreater(min(killed.values()), 0, killed)

    def count_kills(self, call):
        for count in itertools.count(1):
            expected = self.fill()
            if self.repair(call, count):
                return count - 1
            with self.subTest(call=call, count=count):
                self.assertTrue(self.is_closed() or not self.is_in_pieces())
                self.repair("renameat2", count % 7 + 1)
                self.repair()
                self.check(expected)

    def check(self, expected):
        kept = {path.read_bytes(): {"local": (path.parent / "local").read_bytes()}
                for path in (self.queue / "set-aside").glob("*/mess")}
        self.assertEqual(broken_queue.messages_in(self.queue) | kept, expected)
        self.assertEqual(list(kept), [b"lost"])
        for number in broken_queue.numbers_in(self.queue):
            self.assertEqual(place(self.queue, "mess", number).stat().st_ino, number)
        self.assertEqual(fsck(self.queue).returncode, SOUND)


if __name__ == "__main__":
    unittest.main()
