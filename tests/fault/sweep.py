"""Breaks the suite at one system call after another, a message each time, and checks the promise
after each (tests/support/ledger.py). What is broken in which program, while what is done, is a
scenario; the rules are those of tests/fault/inject.cc."""

import contextlib
import dataclasses
import errno
import os
import pathlib
import re
import signal
import subprocess

from fault import clients, suite
from support import ledger

ALICE, BOB, ON = "alice@example.org", "bob@example.org", "alice-on@example.org"
FAR, NOBODY = "far@far.example", "nobody@example.org"
ALL = (ALICE, BOB, ON, FAR, NOBODY)
# What the log says when a second copy is possible: a reply, a mark or a report was lost.
EXPLAINED = re.compile(r"Possible_duplicate!|will be delivered twice!|crashed|produced_no_output|"
                       r"Unable_to_run|unable to unlink (local|remote)/|oh no! lost")
REPORT = pathlib.Path("/run/inject.report")


@dataclasses.dataclass
class Scenario:
    """`program` is broken. `follow`: the long-lived process that is it, or that starts it; "client":
    the client's command is followed; "start": the whole suite from its start, with the message
    waiting for it."""
    program: str
    follow: str
    client: object = clients.qmail_queue
    recipients: tuple = ALL
    size: int = 5000


SCENARIOS = {
    "qmail-queue": Scenario("qmail-queue", "client", recipients=(ALICE, FAR)),
    "qmail-queue-large": Scenario("qmail-queue", "client", recipients=(ALICE,), size=300_000),
    "qmail-smtpd": Scenario("qmail-smtpd", "client", clients.smtp, (ALICE, FAR)),
    "qmail-smtp-server": Scenario("qmail-smtp-serv", "client", clients.smtp_server, (ALICE, FAR)),
    "qmail-smtpd-served": Scenario("qmail-smtpd", "client", clients.smtp_server, (ALICE, FAR)),
    "qmail-queue-served": Scenario("qmail-queue", "client", clients.smtp_server, (ALICE, FAR)),
    "qmail-inject": Scenario("qmail-inject", "client", clients.qmail_inject, (ALICE, FAR)),
    "qmail-send": Scenario("qmail-send", "qmail-send"),
    "qmail-send-first-try": Scenario("qmail-send", "qmail-send", recipients=(ALICE,)),
    "qmail-send-first-failure": Scenario("qmail-send", "qmail-send", recipients=(NOBODY,)),
    "qmail-queue-bounce": Scenario("qmail-queue", "qmail-send", recipients=(NOBODY,)),
    "qmail-queue-forward": Scenario("qmail-queue", "qmail-lspawn", recipients=(ON,)),
    "qmail-clean": Scenario("qmail-clean", "qmail-clean"),
    "qmail-clean-first-try": Scenario("qmail-clean", "qmail-clean", recipients=(ALICE,)),
    "qmail-lspawn": Scenario("qmail-lspawn", "qmail-lspawn", recipients=(ALICE, BOB)),
    "qmail-getpw": Scenario("qmail-getpw", "qmail-lspawn", recipients=(ALICE,)),
    "qmail-getpw-stays": Scenario("qmail-getpw", "qmail-lspawn", clients.one_after_another,
                                  (ALICE, BOB)),
    "qmail-rspawn": Scenario("qmail-rspawn", "qmail-rspawn", recipients=(FAR,)),
    "qmail-local-maildir": Scenario("qmail-local", "qmail-lspawn", recipients=(ALICE,)),
    "qmail-local-mbox": Scenario("qmail-local", "qmail-lspawn", recipients=(BOB,)),
    "qmail-local-forward": Scenario("qmail-local", "qmail-lspawn", recipients=(ON,)),
    "qmail-remote": Scenario("qmail-remote", "qmail-rspawn", recipients=(FAR,)),
    "start-qmail-send": Scenario("qmail-send", "start"),
    "start-qmail-lspawn": Scenario("qmail-lspawn", "start", recipients=(ALICE, BOB)),
    "start-qmail-rspawn": Scenario("qmail-rspawn", "start", recipients=(FAR,)),
    "start-qmail-clean": Scenario("qmail-clean", "start", recipients=(ALICE,)),
}


@dataclasses.dataclass
class Round:
    """What came of one message."""
    fired: list  # the report's lines: "PROGRAM CALL COUNT WHAT"
    answer: tuple
    violations: list
    duplicates: int
    log: str


class Harness:
    def __init__(self):
        self.suite = suite.Suite()
        self.number = 0
        self.first_files = {}  # open ones by process id, after its first message

    def play(self, scenario, rules, killed, then=()):
        """One message with these rules in force, then everything as it should be, or violations.
        `then`: rules for the start that follows, when the first have killed qmail-send."""
        self.number += 1
        REPORT.unlink(missing_ok=True)
        self.suite.ensure_running()
        if not killed:
            self._warm_up()
        before, starts = self.suite.costs(), self.suite.starts
        message = ledger.make_message(self.number, scenario.size)
        try:
            answer = self._send(scenario, message, rules, then)
        except (suite.Stuck, subprocess.TimeoutExpired, TimeoutError) as trouble:
            return self._stuck(trouble)
        fired = REPORT.read_text().splitlines() if REPORT.exists() else []
        violations, duplicates = self._check(scenario, message, answer, killed)
        log = self.suite.log.read_text(errors="replace")
        restarted = starts != self.suite.starts
        if not killed and not restarted:
            violations += self._compare_costs(before)
        if duplicates and not (killed or restarted or EXPLAINED.search(log)):
            violations.append(f"delivered {duplicates} times too often, and the log does not say why")
        self.suite.forget()
        return Round(fired, answer, violations, duplicates, log)

    def _warm_up(self):
        """What the processes open for their first message, they keep."""
        if all(pid in self.first_files for pid in self.suite.daemons.values()):
            return
        clients.qmail_queue(ledger.make_message(0, 100), ALL)
        self.suite.drain()
        self.suite.forget()
        costs = self.suite.costs()
        self.first_files.update((pid, costs[name][0]) for name, pid in self.suite.daemons.items())

    def _send(self, scenario, message, rules, then):
        inject = [*suite.INJECT, "-r", str(REPORT), *rules]
        if scenario.follow == "client":
            answer = scenario.client(message, scenario.recipients, under=[*inject, "--"])
            self.suite.drain()
            return answer
        if scenario.follow == "start":
            self.suite.stop()
            answer = scenario.client(message, scenario.recipients)
            self.suite.start(under=[*inject, "--"])
            self.suite.drain()
            if rules:
                self.suite.stop()  # and with it the tracer
            return answer
        pids = [word for name in scenario.follow.split("+")
                for word in ("-p", str(self.suite.daemons[name]))]
        with subprocess.Popen([*inject, *pids], stdout=subprocess.PIPE) as tracer:
            tracer.stdout.read(1)
            try:
                answer = scenario.client(message, scenario.recipients)
                if then:
                    self._start_again(then)
                self.suite.drain()
            finally:
                tracer.send_signal(signal.SIGTERM)
        return answer

    def full_disk(self, top, pages, client):
        """One message while the small disk at `top` has room for so many pages, until all has been
        tried that can be; then the disk is freed."""
        self.number += 1
        scenario = Scenario("", "", client, ALL, 30_000)
        message = ledger.make_message(self.number, scenario.size)
        filler = pathlib.Path(top, "filler")
        room = os.statvfs(top)
        filler.write_bytes(b"x" * (max(0, room.f_bavail - pages) * room.f_frsize))
        try:
            answer = client(message, scenario.recipients)
            for _ in range(2):
                self.suite.nudge()
                suite.wait_for(suite.nothing_is_done,
                               "something goes on for ever on a full disk")
            filler.unlink()
            self.suite.drain()
        except (suite.Stuck, TimeoutError) as trouble:
            filler.unlink(missing_ok=True)
            return self._stuck(trouble)
        violations, duplicates = self._check(scenario, message, answer, killed=False)
        log = self.suite.log.read_text(errors="replace")
        if duplicates and not EXPLAINED.search(log):
            violations.append(f"delivered {duplicates} times too often, and the log does not say why")
        self.suite.forget()
        return Round([], answer, violations, duplicates, log)

    @contextlib.contextmanager
    def small_disk(self, top):
        """A file system of two megabytes in a directory's place, with a copy of what is there."""
        self.suite.ensure_running()  # only what runs can be stopped
        self.suite.stop()
        subprocess.run(["sh", "-ec", 'mount -t tmpfs -o size=2m,mode=755 small /mnt; '
                        'cp -a "$1/." /mnt; chown --reference="$1" /mnt; mount --move /mnt "$1"',
                        "sh", top], check=True)
        self.suite.start()
        self.suite.ensure_running()
        yield
        self.suite.stop()
        subprocess.run(["umount", top], check=True)
        self.suite.start()
        self.suite.ensure_running()

    def _start_again(self, rules):
        suite.wait_for(lambda: REPORT.exists() or self.suite.is_drained(), "no end of the first kill")
        self.suite.stop()
        self.suite.start(under=[*suite.INJECT, "-r", str(REPORT), *rules, "--"])

    def _check(self, scenario, message, answer, killed):
        offers = {self.number: ledger.Offer.of(message, scenario.recipients, answer[0])}
        # A second copy is held against the log instead: it must say why.
        check = ledger.Check(offers, killed=True)
        bounced = set()
        for found in self._all_found():
            check.add(found)
            if found.bounce:
                bounced.update(found.recipients)
        violations = check.finish() + list(ledger.check_queue(suite.QUEUE))
        if not killed and check.counts["fragments"]:
            violations.append("a message stands cut off in an mbox although nothing was killed")
        if answer[0] == "permanent":
            violations.append(f"a passing trouble was told to the client as a final one: {answer[1]}")
        if wrongly := bounced - {NOBODY}:
            violations.append(f"a passing trouble has bounced {' '.join(wrongly)}")
        return violations, check.counts["duplicates"]

    def _all_found(self):
        for top in suite.MAILDIRS:
            yield from ledger.read_maildir(top)
        yield from ledger.read_mbox(suite.MBOX)
        yield from ledger.read_sink(self.suite.sink)

    def _compare_costs(self, before):
        """A failing call leaves no descriptor open and starts no spinning. Opening its trigger again,
        qmail-send has one more or less for a moment; one lost for each error soon makes two."""
        first = {name: self.first_files[pid] for name, pid in self.suite.daemons.items()}

        def leaking():
            return [f"{name} had {first[name]} descriptors and has {files}"
                    for name, (files, _) in self.suite.costs().items() if files > first[name] + 1]
        try:
            suite.wait_for(lambda: not leaking(), "", 5)
        except suite.Stuck:
            yield from leaking()
        for name, (_, seconds) in self.suite.costs().items():
            if seconds - before[name][1] > 0.5:
                yield f"{name} used {seconds - before[name][1]:.1f} s of processor time"

    def _stuck(self, trouble):
        fired = REPORT.read_text().splitlines() if REPORT.exists() else []
        log = self.suite.log_tail()
        self.suite.kill_all()
        return Round(fired, ("none", ""), [f"stuck: {trouble}"], 0, log)


# What each call can return on Linux: errors by call. ENOSPC and its like only come from files, EAGAIN
# only from what does not block, EINTR only from what waits.
_FULL = ("ENOSPC", "EDQUOT", "EIO")
_NO_FILES = ("EMFILE", "ENFILE", "ENOMEM")
ERRORS = {
    "open": (*_FULL, *_NO_FILES), "openat": (*_FULL, *_NO_FILES),
    "read": ("EIO", "EINTR", "EAGAIN", "short"), "pread64": ("EIO", "EINTR", "short"),
    "write": (*_FULL, "EINTR", "EAGAIN", "short"), "pwrite64": (*_FULL, "short"),
    "fsync": (*_FULL, "EINTR"), "fdatasync": (*_FULL, "EINTR"), "syncfs": (*_FULL,),
    "sync_file_range": (*_FULL,), "ftruncate": ("EIO", "EINTR"), "truncate": ("EIO", "EINTR"),
    "link": (*_FULL, "ENOMEM"), "linkat": (*_FULL, "ENOMEM"), "rename": (*_FULL, "ENOMEM"),
    "renameat2": (*_FULL, "ENOMEM"), "unlink": ("EIO", "ENOMEM"), "unlinkat": ("EIO", "ENOMEM"),
    "stat": ("EIO", "ENOMEM"), "fstat": ("EIO", "ENOMEM"), "newfstatat": ("EIO", "ENOMEM"),
    "getdents64": ("EIO", "ENOMEM"), "chdir": ("EIO", "ENOMEM"), "utimensat": ("EIO",),
    "pipe2": _NO_FILES, "pipe": _NO_FILES, "socket": _NO_FILES, "eventfd2": _NO_FILES,
    "signalfd4": _NO_FILES, "fcntl": ("EMFILE", "EINTR", "EAGAIN"), "dup2": ("EMFILE", "EINTR"),
    "flock": ("EINTR", "ENOMEM"), "close": ("EIO", "ENOSPC", "EINTR"),
    "clone": ("EAGAIN", "ENOMEM"), "clone3": ("EAGAIN", "ENOMEM"), "fork": ("EAGAIN", "ENOMEM"),
    "vfork": ("EAGAIN", "ENOMEM"), "execve": ("ENOMEM", "EIO", "EMFILE", "ENFILE", "EAGAIN"),
    "wait4": ("EINTR",), "poll": ("EINTR", "ENOMEM"), "ppoll": ("EINTR", "ENOMEM"),
    "mmap": ("ENOMEM",), "brk": ("ENOMEM",), "mprotect": ("ENOMEM",),
    "accept4": ("EINTR", *_NO_FILES), "connect": ("EINTR", "ENOMEM"), "sendto": ("EINTR", "ENOMEM", "short"),
    "recvfrom": ("EINTR", "ENOMEM", "short"), "sendmsg": ("EINTR", "ENOMEM"),
    "recvmsg": ("EINTR", "ENOMEM"), "socketpair": _NO_FILES,
    "setresuid": ("EAGAIN", "ENOMEM"), "setgroups": ("ENOMEM",),
}


def is_possible(line, error):
    """Whether the call of a report's line can return it."""
    call, what = line.split(" ", 3)[1::2]
    is_file = what.startswith("/") and not what.startswith("/dev/")
    if call in ("read", "write", "pread64", "pwrite64", "close", "fsync", "fdatasync"):
        if error in ("ENOSPC", "EDQUOT") and not is_file:
            return False
        # A pipe is memory, with no device behind it that could fail.
        if error == "EIO" and what.startswith("pipe:"):
            return False
        if error == "EINTR" and call in ("read", "write", "pread64", "pwrite64") and is_file:
            return False
        if error == "EAGAIN":
            return "nonblocking" in what and not is_file
    return True


def error_jobs(lines):
    """(line, rule, error) for each call of a listing that can fail."""
    counts = {}
    for line in lines:
        program, call = line.split(" ", 2)[:2]
        counts[call] = counts.get(call, 0) + 1
        for error in ERRORS.get(call, ()):
            if is_possible(line, error):
                action = error if error == "short" else str(getattr(errno, error))
                yield line, f"{program},{call},{counts[call]},{action}", error


# Calls that change what is on the disk: killed at and failed in every run.
_CHANGES = {"link", "linkat", "rename", "renameat2", "unlink", "unlinkat", "fsync", "fdatasync",
            "syncfs", "ftruncate", "truncate"}


def changes_files(line):
    call, what = line.split(" ", 3)[1::2]
    return call in _CHANGES or (call in ("write", "pwrite64") and
                                what.startswith((str(suite.QUEUE), "/home/")))


def kill_jobs(lines, wanted):
    """A rule for each call of a listing that changes files, and for those others that `wanted`
    picks."""
    counts = {}
    for line in lines:
        program, call = line.split(" ", 2)[:2]
        counts[call] = counts.get(call, 0) + 1
        rule = f"{program},{call},{counts[call]},kill"
        if changes_files(line) or wanted(rule):
            yield rule


EVERYWHERE = Scenario("", "qmail-send+qmail-lspawn+qmail-rspawn+qmail-clean")
# How many calls each makes for such a message, about.
CALLS = {"qmail-send": 400, "qmail-lspawn": 200, "qmail-local": 150, "qmail-queue": 140,
         "qmail-rspawn": 60, "qmail-remote": 150, "qmail-clean": 25}


def pairs(chance, count):
    """(rules, rules for the start after them): two programs killed in one run, or one killed again
    while it recovers."""
    for number in range(count):
        if number % 2:
            yield [f"qmail-send,*,{chance.randrange(1, 400)},kill"], [
                f"qmail-send,*,{chance.randrange(1, 400)},kill"]
        else:
            names = chance.sample(sorted(CALLS), 2)
            yield [f"{name},*,{chance.randrange(1, CALLS[name])},kill" for name in names], []
