"""Clients that offer messages to the suite and write into a ledger what they were told."""

import itertools
import os
import pathlib
import pwd
import random
import shutil
import socket
import subprocess
import tempfile
import time

from support import hosts, ledger

SINK = "sink.foreign.example"
# For a message's number: the log tells, too, which message a delivery was of.
_SENDER = "alice-{}@example.org"  # bounces come back to a Maildir, too
_MAILDIR, _MBOX, _NOBODY = ("alice-{}@example.org", "bob-{}@example.org", "nobody-{}@example.org")
_REMOTE, _REMOTE_TOO = "one-{}@" + SINK, "two-{}@" + SINK
_RECIPIENTS = ([_MAILDIR], [_MBOX], [_REMOTE], [_MAILDIR, _MBOX], [_NOBODY],
               [_MBOX, _REMOTE, _REMOTE_TOO], [_MAILDIR], [_REMOTE_TOO, _MAILDIR])
NUMBERS_EACH = 10_000  # for one client's messages
_PATIENCE = 60
_MESSAGES_A_CONNECTION = 5
_PAUSE_AFTER_TROUBLE = 0.02


def prepare_files():
    """What there must be for such messages to be taken and delivered."""
    with open("/var/qmail/control/rcpthosts", "a", encoding="utf-8") as rcpthosts:
        rcpthosts.write(f"{SINK}\n")
    for user, delivery in (("alice", "./Maildir/\n"), ("bob", "./Mailbox\n")):
        path = pathlib.Path(f"/home/{user}/.qmail-default")
        path.write_text(delivery, encoding="utf-8")
        shutil.chown(path, user, user)


def start_sink(directory, *options):
    """Starts the program that takes the messages for other hosts; `directory` is on its host."""
    sink = subprocess.Popen(["on", SINK, hosts.REPOSITORY / "tests/fault/sink", directory, *options],
                            stdout=subprocess.PIPE, text=True)
    if sink.stdout.readline() != "ready\n":
        raise AssertionError("the sink does not start")
    return sink


def start(path, clients, first_number, prepare=lambda: None, wrapper=(), pause=0.0):
    """Starts client processes and returns their process ids. Every third sends through sendmail,
    the others through port 25. They go on until they are killed.

    `prepare` is called in each of them; `wrapper` is the beginning of sendmail's command line;
    `pause` is the longest time between two messages, in seconds.
    """
    return [_start_one(path, first_number + place * NUMBERS_EACH,
                       _Sendmail(wrapper) if place % 3 == 2 else _Smtp(), prepare, pause)
            for place in range(clients)]


def _start_one(path, first_number, way, prepare, pause):
    pid = os.fork()
    if pid:
        return pid
    try:
        prepare()
        book = ledger.Ledger(path)
        chance = random.Random(first_number)
        for number in itertools.count(first_number):
            message = ledger.make_message(number)
            recipients = [name.format(number) for name in chance.choice(_RECIPIENTS)]
            sender = _SENDER.format(number)
            book.offer(number, message, sender, recipients)
            try:
                way.send(book, number, message, sender, recipients)
            except OSError:  # without an answer; whoever is told nothing does not know
                time.sleep(_PAUSE_AFTER_TROUBLE)
            time.sleep(chance.uniform(0, pause))
    finally:
        os._exit(1)


def end(pids):
    """Kills clients, and waits for them."""
    for pid in pids:
        os.kill(pid, 9)
    for pid in pids:
        os.waitpid(pid, 0)


class _Sendmail:
    """A program of alice's that calls sendmail."""

    def __init__(self, wrapper):
        self._command = [*wrapper, "/usr/sbin/sendmail", "-f"]

    def send(self, book, number, message, sender, recipients):
        alice = pwd.getpwnam("alice")
        with tempfile.TemporaryFile() as file:
            # No pipe: when this client is killed, half a message would look like a whole one.
            file.write(message)
            file.seek(0)
            result = subprocess.run([*self._command, sender, *recipients], stdin=file, cwd="/",
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
                                    user=alice.pw_uid, group=alice.pw_gid, extra_groups=[])
        if result.returncode == 0:
            book.accept(number, "exit 0")
        elif result.returncode > 0:  # else it was killed
            book.refuse(number, result.returncode == 100, result.stderr.decode(errors="replace"))


class _Refused(Exception):
    """The server's reply, which was not the one hoped for."""


class _Smtp:
    """A client on port 25 that sends a few messages over each connection."""

    def __init__(self):
        self._socket = None
        self._left = 0

    def send(self, book, number, message, sender, recipients):
        try:
            self._connect()
            self._command(f"MAIL FROM:<{sender}>", "2")
            for recipient in recipients:
                self._command(f"RCPT TO:<{recipient}>", "2")
            self._command("DATA", "3")
            lines = message.removesuffix(b"\n").split(b"\n")
            self._socket.sendall(b"".join(
                b"%s%s\r\n" % (b"." if line.startswith(b".") else b"", line) for line in lines))
            book.accept(number, self._command(".", "2"))
        except _Refused as refused:
            self._close()
            book.refuse(number, str(refused).startswith("5"), str(refused))
        except OSError:
            self._close()
            raise

    def _connect(self):
        if self._socket and self._left > 0:
            self._left -= 1
            return
        if self._socket:
            self._command("QUIT", "2")
            self._close()
        self._socket = socket.create_connection((hosts.MAIN, 25), timeout=_PATIENCE)
        self._left = _MESSAGES_A_CONNECTION
        self._replies = self._socket.makefile("rb")
        self._expect("2")
        self._command("EHLO client.example", "2")

    def _command(self, line, hoped):
        self._socket.sendall(line.encode() + b"\r\n")
        return self._expect(hoped)

    def _expect(self, hoped):
        line = self._replies.readline()
        while line[3:4] == b"-":
            line = self._replies.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the server closed the connection")
        text = line.decode(errors="replace").strip()
        if text[:1] != hoped:
            raise _Refused(text)
        return text

    def _close(self):
        if self._socket:
            self._replies.close()
            self._socket.close()
        self._socket = None
