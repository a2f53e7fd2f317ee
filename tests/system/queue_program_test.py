# The real setuid qmail-queue: who may call it and how, what it makes, and each of its exit codes.
import contextlib
import errno
import os
import pathlib
import pwd
import re
import resource
import signal
import socket
import subprocess
import time
import unittest

from support import hosts, services
from support.case import WorldTest
from support.wait import PATIENCE, wait_until

PROGRAM = "/var/qmail/bin/qmail-queue"
FAULT_INJECT = os.environ.get("POSTERN_BUILD", "build/release") + "/bin/fault_inject"
HOME = pathlib.Path("/var/qmail")
QUEUE = HOME / "queue"
ENVELOPE = b"Falice@mail.example.org\0Tbob@mail.example.org\0\0"
NOWHERE = b"Fa@x\0Tb@y\0\0"


def start(message, envelope, user="alice", **options):
    """qmail-queue with descriptors to read its input from; None leaves one closed."""
    entry = pwd.getpwnam(user)
    closed = [fd for fd, source in ((0, message), (1, envelope)) if source is None]

    def prepare():
        for fd in closed:
            os.close(fd)
        options.get("prepare", lambda: None)()

    return subprocess.Popen(
        [PROGRAM], stdin=message, stdout=envelope, stderr=subprocess.PIPE, user=entry.pw_uid,
        group=entry.pw_gid, extra_groups=[], preexec_fn=prepare,
        **{key: value for key, value in options.items() if key != "prepare"})


@contextlib.contextmanager
def source(content):
    """A descriptor with this to read."""
    fd = os.memfd_create("input")
    try:
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def pipe():
    """Its two ends."""
    read, write = os.pipe()
    with os.fdopen(read, "rb", buffering=0) as reader, os.fdopen(write, "wb", buffering=0) as writer:
        yield reader, writer


def run(message=b"Subject: x\n\nhi\n", envelope=NOWHERE, **options):
    """Exit code of a qmail-queue given this."""
    with source(message) as text, source(envelope) as names:
        child = start(text, names, **options)
        child.communicate()
        return child.returncode


@contextlib.contextmanager
def mode(path, bits):
    """Another mode for a while."""
    before = path.stat().st_mode & 0o7777
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


def remount(option):
    subprocess.run(["mount", "-o", f"remount,{option}", str(HOME)], check=True)


class Accepted(WorldTest):
    def test_a_message_is_delivered_and_its_trace_line_names_caller_and_process(self):
        with source(b"Subject: hello\n\nhi\n") as text, source(ENVELOPE) as names:
            child = start(text, names)
            child.communicate()
        self.assertEqual(child.returncode, 0)
        mail = services.wait_for_mail("bob")[-1]
        uid = pwd.getpwnam("alice").pw_uid
        self.assertRegex(mail, rb"\nReceived: \(qmail %d invoked by uid %d\); \d{1,2} \w{3} \d{4} "
                               rb"\d\d:\d\d:\d\d -0000\nSubject: hello\n\nhi\n" % (child.pid, uid))
        self.log.wait_for(rf"info msg \d+: bytes \d+ from <alice@mail.example.org> "
                          rf"qp {child.pid} uid {uid}")
        services.empty_maildir("bob")

    def test_callers_of_the_suite_are_named_by_what_they_do(self):
        for user, words in (("alias", b"by alias"), ("qmaild", b"from network"),
                            ("qmails", b"for bounce")):
            self.assertEqual(run(envelope=ENVELOPE, user=user), 0)
            self.assertIn(b" invoked " + words + b");", services.wait_for_mail("bob")[-1])
            services.empty_maildir("bob")

    def test_anybody_may_call_it_from_anywhere(self):
        private = pathlib.Path("/root/private")
        private.mkdir(mode=0o700, exist_ok=True)
        with source(b"x\n") as text, source(ENVELOPE) as names:
            child = subprocess.run(["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups",
                                    PROGRAM], stdin=text, stdout=names, cwd=private, check=False)
        self.assertEqual(child.returncode, 0)
        self.assertIn(b" invoked by uid 54321);", services.wait_for_mail("bob")[-1])
        services.empty_maildir("bob")

    def test_pipes_are_taken_and_the_envelope_may_come_when_the_message_has_ended(self):
        message_read, message_write = os.pipe()
        names_read, names_write = os.pipe()
        child = start(message_read, names_read)
        os.close(message_read)
        os.close(names_read)
        os.write(message_write, b"x" * 50000)
        os.write(message_write, b"\n")
        os.close(message_write)
        os.write(names_write, ENVELOPE)
        child.wait()  # although the pipe is still open: the last NUL has come
        os.close(names_write)
        self.assertEqual(child.returncode, 0)
        self.assertIn(b"x" * 50000, services.wait_for_mail("bob")[-1])
        services.empty_maildir("bob")

    def test_it_lives_in_the_memory_that_qmail_smtpd_is_given(self):
        def softlimit():  # -m 2000000
            for limit in (resource.RLIMIT_DATA, resource.RLIMIT_STACK, resource.RLIMIT_AS):
                resource.setrlimit(limit, (2_000_000, 2_000_000))
        self.assertEqual(run(message=b"x" * 1_000_000, envelope=ENVELOPE, prepare=softlimit), 0)
        services.wait_for_mail("bob")
        services.empty_maildir("bob")

    def test_its_environment_has_no_say(self):
        elsewhere = pathlib.Path("/tmp/elsewhere")
        (elsewhere / "queue").mkdir(parents=True, exist_ok=True)
        self.assertEqual(run(envelope=ENVELOPE, env={"QMAILHOME": str(elsewhere)}), 0)
        services.wait_for_mail("bob")
        services.empty_maildir("bob")


class Files(WorldTest):
    """With qmail-send down what is in the queue stays there."""

    def setUp(self):
        super().setUp()
        self.addCleanup(services.Service("qmail-send").start)
        services.Service("qmail-send").stop()
        self.addCleanup(self.empty_queue)

    @staticmethod
    def empty_queue():
        for kind in ("todo", "intd", "mess"):
            for path in (QUEUE / kind).rglob("*"):
                if path.is_file():
                    path.unlink()

    def tearDown(self):
        self.empty_queue()
        super().tearDown()

    def test_belong_to_qmailq_with_the_modes_their_readers_need(self):
        self.assertEqual(run(prepare=lambda: os.umask(0o077)), 0)
        (number,) = services.queue()["mess"]
        owner = pwd.getpwnam("qmailq").pw_uid
        for path in (QUEUE / "mess" / str(int(number) % 23) / number, QUEUE / "intd" / number,
                     QUEUE / "todo" / number):
            status = path.stat()
            self.assertEqual((status.st_uid, oct(status.st_mode)), (owner, oct(0o100644)))
        self.assertEqual(str((QUEUE / "mess" / str(int(number) % 23) / number).stat().st_ino), number)
        self.assertEqual((QUEUE / "intd" / number).stat().st_ino,
                         (QUEUE / "todo" / number).stat().st_ino)

    def test_hold_any_number_of_recipients_in_little_memory(self):
        recipients = b"".join(b"Tuser%d@example.net\0" % i for i in range(200_000))
        limit = 8 << 20
        code = run(message=b"x" * 40_000_000, envelope=b"Fa@x\0" + recipients + b"\0",
                   prepare=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        self.assertEqual(code, 0)
        (number,) = services.queue()["todo"]
        self.assertTrue((QUEUE / "todo" / number).read_bytes().endswith(recipients))
        size = (QUEUE / "mess" / str(int(number) % 23) / number).stat().st_size
        self.assertGreater(size, 40_000_000)

    def test_are_swept_from_pid_once_they_are_36_hours_old(self):
        stale = QUEUE / "pid" / "1.1.1"
        stale.touch()
        os.utime(stale, (time.time() - 36 * 3600 - 60,) * 2)
        self.addCleanup(lambda: stale.unlink(missing_ok=True))
        services.Service("qmail-send").start()
        self.assertEqual(run(envelope=ENVELOPE), 0)
        services.wait_for_mail("bob")
        services.empty_maildir("bob")
        wait_until(lambda: not stale.exists(), "qmail-clean to sweep")


class Refused(WorldTest):
    """Each exit code; after each the queue is as it was."""

    def expect(self, code, **arguments):
        self.assertEqual(run(**arguments), code)
        self.assertEqual(services.queue(), {})

    def test_11_for_an_address_that_is_too_long(self):
        self.expect(11, envelope=b"F" + b"a" * 1003 + b"\0\0")
        self.expect(11, envelope=b"Fa@x\0T" + b"a" * 1_000_000)

    def test_51_without_memory(self):
        # From a limit it can live with to one it cannot even be started with, where the C library
        # (127) or the kernel (a signal) has given up.
        codes = set()
        for kilobytes in range(2048, 256, -16):
            limit = (kilobytes << 10,) * 2
            codes.add(run(envelope=b"",
                          prepare=lambda: resource.setrlimit(resource.RLIMIT_AS, limit)))
        self.assertIn(51, codes)
        self.assertLessEqual(codes, {51, 54, 127, -signal.SIGKILL, -signal.SIGSEGV})
        self.assertEqual(services.queue(), {})

    def test_52_when_its_time_is_up(self):
        # Its real user id is the caller's, who may therefore send it the alarm a day early.
        self.interrupt(signal.SIGALRM, 52)

    def test_52_even_if_the_caller_ignored_and_blocked_the_alarm(self):
        def prepare():
            signal.signal(signal.SIGALRM, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        self.interrupt(signal.SIGALRM, 52, prepare)

    def test_81_for_a_bug(self):
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            self.interrupt(number, 81)

    def interrupt(self, number, code, prepare=lambda: None):
        read, write = os.pipe()
        with source(NOWHERE) as names:
            child = start(read, names, prepare=prepare)
            wait_until(lambda: services.queue().get("mess"), "qmail-queue to begin")
            hosts.as_user("alice", "kill", f"-{int(number)}", child.pid)
            child.communicate()
        os.close(read)
        os.close(write)
        self.assertEqual(child.returncode, code)
        self.assertNotIn("todo", services.queue())
        for path in (QUEUE / "mess").rglob("*"):  # debris, which a test need not wait 36 hours for
            if path.is_file():
                path.unlink()

    def test_hangups_and_interrupts_do_not_end_it(self):
        read, write = os.pipe()
        with source(ENVELOPE) as names:
            child = start(read, names)
            os.close(read)
            wait_until(lambda: services.queue().get("mess"), "qmail-queue to begin")
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
                child.send_signal(number)
            os.close(write)
            child.communicate()
        self.assertEqual(child.returncode, 0)
        services.wait_for_mail("bob")
        services.empty_maildir("bob")

    def test_53_when_the_disk_is_full(self):
        used = os.statvfs(HOME)
        size = (used.f_blocks - used.f_bfree) * used.f_frsize + (2 << 20)
        remount(f"size={size}")
        self.addCleanup(remount, f"size={used.f_blocks * used.f_frsize}")
        self.expect(53, message=b"x" * (3 << 20))
        recipients = b"".join(b"Tuser%d@example.net\0" % i for i in range(200_000))
        self.expect(53, envelope=b"Fa@x\0" + recipients + b"\0")

    def test_53_when_no_more_files_can_be_made(self):
        used = os.statvfs(HOME)
        inodes = used.f_files - used.f_ffree
        for spare in (0, 1):  # none for the message; one for it and none for the envelope
            remount(f"nr_inodes={inodes + spare}")
            try:
                self.expect(53)
            finally:
                remount(f"nr_inodes={used.f_files}")

    def test_53_when_the_caller_limits_the_size_of_files(self):
        self.expect(53, message=b"x" * 10000,
                    prepare=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)))

    def test_53_when_the_data_cannot_be_written_out(self):
        for number in (1, 2):  # the message's, the envelope's
            rule = f"qmail-queue,sync_file_range,{number},{errno.EIO}"
            with source(b"Subject: x\n\nhi\n") as text, source(NOWHERE) as names:
                ended = subprocess.run([FAULT_INJECT, rule, "--", PROGRAM], stdin=text, stdout=names,
                                       stderr=subprocess.PIPE, check=False)
            self.assertEqual(ended.returncode, 53, ended.stderr)
            self.assertEqual(services.queue(), {})

    def test_54_when_the_input_ends_early_or_cannot_be_read(self):
        self.expect(54, envelope=b"")
        self.expect(54, envelope=b"Fa@x\0Tb@y\0")
        directory = os.open("/", os.O_RDONLY)
        with source(NOWHERE) as names:
            for message, envelope in ((directory, names), (names, directory), (None, names),
                                      (names, None), (None, None)):
                os.lseek(names, 0, os.SEEK_SET)
                child = start(message, envelope)
                child.communicate()
                self.assertEqual(child.returncode, 54)
        os.close(directory)
        self.assertEqual(services.queue(), {})

    def test_54_when_all_standard_descriptors_are_closed(self):
        command = f"exec {PROGRAM} 0<&- 1<&- 2<&-"
        self.assertEqual(hosts.as_user("alice", "sh", "-c", command, check=False).returncode, 54)
        self.assertEqual(services.queue(), {})

    def test_61_without_a_home(self):
        # A copy, because nobody could start the one below a home that is shut.
        copy = pathlib.Path("/tmp/qmail-queue")
        copy.write_bytes(pathlib.Path(PROGRAM).read_bytes())
        owner = pwd.getpwnam("qmailq").pw_uid
        os.chown(copy, owner, -1)
        copy.chmod(0o4711)
        self.addCleanup(copy.unlink)
        with mode(HOME, 0o700), source(b"x") as text, source(NOWHERE) as names:
            alice = pwd.getpwnam("alice").pw_uid
            child = subprocess.Popen([str(copy)], stdin=text, stdout=names, user=alice,
                                     stderr=subprocess.PIPE)
            said = child.communicate()[1]
        self.assertEqual(child.returncode, 61)
        self.assertIn(b"unable to switch to /var/qmail: Permission denied", said)

    def test_62_to_66_when_a_directory_is_in_the_way(self):
        for name, code in (("", 62), ("pid", 63), ("intd", 65), ("todo", 66)):
            with mode(QUEUE / name, 0o000):
                self.assertEqual(run(), code, name)
        with contextlib.ExitStack() as stack:
            for part in range(23):
                stack.enter_context(mode(QUEUE / "mess" / str(part), 0o000))
            self.assertEqual(run(), 64)
        self.assertEqual(services.queue(), {})

    def test_91_for_a_malformed_envelope(self):
        for envelope in (b"Tb@y\0\0", b"Fa@x\0Xb@y\0\0", b"\0"):
            self.expect(91, envelope=envelope)

    def test_the_reason_stands_on_descriptor_2(self):
        with mode(QUEUE / "pid", 0o500), source(b"x") as text, source(NOWHERE) as names:
            said = start(text, names).communicate()[1]
        self.assertRegex(said, rb"qmail-queue: warning: unable to create pid/\S+: Permission denied")


class Serving(WorldTest):
    """For callers that have more messages: "--serve", and a socket as descriptor 3."""

    def start(self, name="bin/qmail-queue", argument="--serve", envelope=b""):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(PATIENCE)

        def prepare():
            os.dup2(theirs.fileno(), 3)

        with source(b"x\n") as text, source(envelope) as names, theirs:
            child = subprocess.Popen([name, argument], executable=PROGRAM, stdin=text, stdout=names,
                                     stderr=subprocess.PIPE, preexec_fn=prepare, pass_fds=[3],
                                     user=pwd.getpwnam("alice").pw_uid)
        self.addCleanup(child.communicate)
        self.addCleanup(ours.close)  # before that, or it would wait
        return child, ours

    @staticmethod
    def order(orders, message, envelope=ENVELOPE):
        """Gives it. Where the answer comes, as a file."""
        read, write = os.pipe()
        with source(message) as text, source(envelope) as names:
            socket.send_fds(orders, [b"\0"], [text, names, write])
        os.close(write)
        return os.fdopen(read, "rb")

    def answer(self, child, orders, message=b"x\n", envelope=ENVELOPE):
        """The code of what it has taken."""
        self.assertEqual(orders.recv(10), b"\0")
        with self.order(orders, message, envelope) as answer:
            self.assertEqual(answer.readline(), b"%d\n" % child.pid)
            (code,) = answer.read()
            return code

    def test_it_takes_one_message_after_another_whatever_becomes_of_one(self):
        services.empty_maildir("bob")
        child, orders = self.start()
        for number, envelope, code in ((1, ENVELOPE, 0), (2, b"nonsense\0\0", 91), (3, b"Fa@x\0", 54),
                                       (4, b"F" + b"a" * 1003 + b"\0\0", 11), (5, ENVELOPE, 0)):
            self.assertEqual(self.answer(child, orders, b"Subject: %d\n\n" % number, envelope), code)
        services.wait_for_empty_queue()  # qmail-send and qmail-clean need the directories too
        with mode(QUEUE / "intd", 0o000):
            self.assertEqual(self.answer(child, orders), 65)
        with mode(QUEUE, 0o000):
            self.assertEqual(self.answer(child, orders), 62)
        self.assertEqual(self.answer(child, orders, b"Subject: 6\n\n"), 0)
        self.assertEqual(orders.recv(10), b"\0")
        self.assertEqual(len(os.listdir(f"/proc/{child.pid}/fd")), 4)
        orders.close()
        self.assertEqual(child.wait(), 0)
        mail = services.wait_for_mail("bob", count=3)
        self.assertEqual(sorted(re.search(rb"Subject: (\d)", text)[1] for text in mail),
                         [b"1", b"5", b"6"])
        for text in mail:
            self.assertIn(b"(qmail %d invoked by uid %d)" % (child.pid, pwd.getpwnam("alice").pw_uid),
                          text)
        services.empty_maildir("bob")

    def test_it_waits_again_before_its_caller_learns_that_it_is_done(self):
        child, orders = self.start()
        self.assertEqual(orders.recv(10), b"\0")
        with pipe() as (text, end_of_text), pipe() as (answer, full), source(b"Fa@x\0") as names:
            socket.send_fds(orders, [b"\0"], [text.fileno(), names, full.fileno()])
            self.assertEqual(answer.readline(), b"%d\n" % child.pid)
            os.set_blocking(full.fileno(), False)
            room = full.write(b"x" * (1 << 20))
            os.set_blocking(full.fileno(), True)
            end_of_text.close()
            self.assertEqual(orders.recv(10), b"\0")
            full.close()
            self.assertEqual(answer.read(), b"x" * room + bytes([54]))

    def test_what_is_no_order_is_dropped(self):
        child, orders = self.start()
        with source(b"x") as one:
            for packet, descriptors in ((b"\0", []), (b"\0", [one]), (b"\0", [one, one]),
                                        (b"\0", [one] * 9), (b"x" * 1000, [one] * 3)):
                self.assertEqual(orders.recv(10), b"\0")
                socket.send_fds(orders, [packet], descriptors)
        self.assertEqual(self.answer(child, orders, envelope=b"Fa@x\0"), 54)
        self.assertEqual(orders.recv(10), b"\0")
        self.assertEqual(len(os.listdir(f"/proc/{child.pid}/fd")), 4)

    def test_an_order_that_nobody_waits_for_is_not_read(self):
        child, orders = self.start()
        self.assertEqual(orders.recv(10), b"\0")
        read, write = os.pipe()
        os.close(read)
        with source(b"x\n") as text, source(ENVELOPE) as names:
            socket.send_fds(orders, [b"\0"], [text, names, write])
            self.assertEqual(orders.recv(10), b"\0")
            self.assertEqual([os.lseek(fd, 0, os.SEEK_CUR) for fd in (text, names)], [0, 0])
        os.close(write)
        self.assertEqual(services.queue(), {})

    def test_under_another_name_or_with_another_argument_it_works_once(self):
        for options in ({"name": "bin/qmail-queue.real"}, {"argument": "--stay"}):
            child, orders = self.start(**options, envelope=ENVELOPE)
            self.assertEqual(orders.recv(10), b"")
            self.assertEqual(child.wait(), 0)
        services.wait_for_mail("bob", count=2)
        services.empty_maildir("bob")

    def test_without_a_socket_it_says_so(self):
        with open("/dev/null", "rb") as nothing:
            child = subprocess.run(["bin/qmail-queue", "--serve"], executable=PROGRAM, check=False,
                                   stdin=nothing, stdout=nothing, stderr=subprocess.PIPE)
        self.assertEqual((child.returncode, child.stderr),
                         (54, b"qmail-queue: warning: unable to send a packet: Bad file descriptor\n"))


class AsItsCallersSeeIt(WorldTest):
    def inject(self, program):
        return hosts.as_user("alice", "/var/qmail/bin/qmail-inject", "bob", input="Subject: x\n\n",
                             env={"QMAILQUEUE": program}, check=False)

    def script(self, body):
        path = self.write_file("/tmp/queue-program", f"#!/bin/sh\ncat > /dev/null\n{body}\n",
                               mode=0o755)
        return str(path)

    def test_120_when_it_cannot_be_run(self):
        result = self.inject("/nonexistent")
        self.assertEqual(result.returncode, 111)
        self.assertIn("unable to exec qq (#4.3.0)", result.stderr)

    def test_every_other_code_comes_with_its_text(self):
        for code, text, result in ((11, "envelope address too long for qq (#5.1.3)", 100),
                                   (31, "mail server permanently rejected message (#5.3.0)", 100),
                                   (51, "qq out of memory (#4.3.0)", 111),
                                   (53, "qq write error or disk full (#4.3.0)", 111),
                                   (71, "mail server temporarily rejected message (#4.3.0)", 111),
                                   (91, "qq internal bug (#4.3.0)", 111),
                                   (115, "envelope address too long for qq (#5.1.3)", 100),
                                   (29, "qq permanent problem (#5.3.0)", 100),
                                   (99, "qq temporary problem (#4.3.0)", 111)):
            answer = self.inject(self.script(f"exit {code}"))
            self.assertIn(text, answer.stderr)
            self.assertEqual(answer.returncode, result, code)

    def test_82_with_a_text_of_its_own(self):
        for descriptor in (6, 4):  # simscan writes to 4
            answer = self.inject(self.script(f"printf 'Dnot today (#5.7.1)' >&{descriptor}; exit 82"))
            self.assertIn("not today (#5.7.1)", answer.stderr, descriptor)
            self.assertEqual(answer.returncode, 100)

    def test_a_crash_is_temporary(self):
        answer = self.inject(self.script("kill -9 $$"))
        self.assertIn("qq crashed (#4.3.0)", answer.stderr)
        self.assertEqual(answer.returncode, 111)


if __name__ == "__main__":
    unittest.main()
