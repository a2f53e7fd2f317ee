"""A suite that can be broken at will: qmail-start and its four, started here without a supervisor,
with mailboxes and a sink that are read and emptied after every message.

Runs in a world (scripts/world), whose own services are stopped first.
"""

import os
import pathlib
import pwd
import re
import signal
import socket
import subprocess
import threading
import time

from support import ledger, services

HOME = pathlib.Path("/var/qmail")
QUEUE = HOME / "queue"
INJECT = [os.environ.get("POSTERN_BUILD", "build/release") + "/bin/fault_inject"]
LONG_LIVED = ("qmail-send", "qmail-lspawn", "qmail-rspawn", "qmail-clean")
SHORT_LIVED = ("qmail-queue", "qmail-local", "qmail-remote", "qmail-getpw", "qmail-smtpd",
               "qmail-smtp-serv", "qmail-inject", "forward")
MAILDIRS = ("/home/alice/Maildir", "/home/carol/Maildir")
MBOX = "/home/bob/Mailbox"
LOG = pathlib.Path("/run/send.log")
SINK_PORT = 2500
PATIENCE = 30
_RECVMSG = {"x86_64": 47, "aarch64": 212}[os.uname().machine]  # the number of that system call


class Stuck(Exception):
    """Something did not end although nothing was in its way; the text says what."""


def processes():
    """Process ids by program name."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                name = pathlib.Path(f"/proc/{entry}/comm").read_text(encoding="utf-8").strip()
                state = pathlib.Path(f"/proc/{entry}/stat").read_text(encoding="utf-8")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if state.rpartition(")")[2].split()[0] not in "ZX":
                found.setdefault(name, []).append(int(entry))
    return found


def wait_for(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    pause = 0.0005
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Stuck(what)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.01)
    return value


class Sink(threading.Thread):
    """Accepts all mail on a port of 127.0.0.1, and files it before it says so."""

    def __init__(self, directory):
        super().__init__(daemon=True)
        self.directory = directory
        self.listener = socket.create_server(("127.0.0.1", SINK_PORT), backlog=64)
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(PATIENCE)
        try:
            with connection, connection.makefile("rb") as lines:
                self._talk(connection, lines)
        except OSError:
            pass  # the client was killed

    def _talk(self, connection, lines):
        sender, recipients = "", []
        connection.sendall(b"220 sink.example ESMTP\r\n")
        while line := lines.readline():
            verb = line[:4].upper()
            if verb == b"MAIL":
                sender, recipients = _path(line), []
            elif verb == b"RCPT":
                recipients.append(_path(line))
            elif verb == b"DATA":
                connection.sendall(b"354 go on\r\n")
                message = self._data(lines)
                if message is None:
                    return
                ledger.write_to_sink(self.directory, sender, recipients, message)
            connection.sendall(b"221 bye\r\n" if verb == b"QUIT" else b"250 yes\r\n")

    @staticmethod
    def _data(lines):
        message = []
        while line := lines.readline():
            if line == b".\r\n":
                return b"".join(message)
            message.append(line.removeprefix(b".").removesuffix(b"\r\n") + b"\n")
        return None  # cut off: not taken


def _path(line):
    return line.partition(b"<")[2].partition(b">")[0].decode()


def _end_if_it_waits(pid):
    """A worker that has stayed for more work is killed: it would be there for some seconds, and nobody
    misses it."""
    try:
        number = pathlib.Path(f"/proc/{pid}/syscall").read_text(encoding="ascii").split()[0]
        if number == str(_RECVMSG):
            os.kill(pid, signal.SIGKILL)
    except (OSError, IndexError):
        pass  # it has gone


def nothing_is_done():
    """No program runs that lives for a message."""
    found = processes()
    for name in ("qmail-local", "qmail-remote", "qmail-getpw"):
        for pid in found.get(name, ()):
            _end_if_it_waits(pid)
    return not any(name in SHORT_LIVED for name in found)


def deliveries_ended():
    """How many, since what came of the last message was forgotten."""
    return len(re.findall(r"(?m)^delivery \d+: (?:success|failure|deferral)",
                          LOG.read_text(errors="replace")))


class Suite:
    def __init__(self):
        for name in ("qmail-send", "qmail-smtpd", "qmail-submission"):
            services.Service(name).stop()
        (HOME / "control/smtproutes").write_text(f"far.example:[127.0.0.1]:{SINK_PORT}\n")
        self._dot_qmail("bob", ".qmail", "./Mailbox\n")
        self._dot_qmail("alice", ".qmail-on", "&beyond@far.example\n")
        self.sink = pathlib.Path("/run/sink")
        self.sink.mkdir()
        Sink(self.sink)
        self.log = LOG
        self.starts = 0
        self.daemons = {}
        self.start()

    @staticmethod
    def _dot_qmail(user, name, text):
        entry = pwd.getpwnam(user)
        path = pathlib.Path(entry.pw_dir, name)
        path.write_text(text, encoding="utf-8")
        os.chown(path, entry.pw_uid, entry.pw_gid)

    def start(self, under=()):
        """Starts the suite, under a tracer if wanted; returns the Popen."""
        with open(self.log, "ab") as log:
            process = subprocess.Popen(
                [*under, f"{HOME}/bin/qmail-start", "./Maildir/"], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env={"PATH": f"{HOME}/bin:/usr/bin:/bin"}, cwd="/")
        self._process = process
        self.starts += 1
        return process

    def ensure_running(self):
        """Starts it again if something has ended it, as a supervisor would."""
        found = processes()
        if all(len(found.get(name, ())) == 1 for name in LONG_LIVED) and self.heeds_signals(
                found["qmail-send"][0]):
            self.daemons = {name: found[name][0] for name in LONG_LIVED}
            return
        self._wait_for_start_or_end()

    def _wait_for_start_or_end(self):
        """A suite that is starting gets there; one that is ending ends, and is started again."""
        def settled():
            found = processes()
            up = [name for name in LONG_LIVED if found.get(name)]
            if len(up) == len(LONG_LIVED) and self.heeds_signals(found["qmail-send"][0]):
                self.daemons = {name: found[name][0] for name in LONG_LIVED}
                return True
            self._process.poll()
            if not up and "qmail-start" not in found:
                self.start()
            return False
        wait_for(settled, "the suite neither runs nor ends")

    @staticmethod
    def heeds_signals(pid):
        """qmail-send reads its signals from a descriptor; before that SIGALRM would end it."""
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            return False
        blocked = int(status.partition("SigBlk:")[2].split()[0], 16)
        return bool(blocked >> (signal.SIGALRM - 1) & 1)

    def stop(self):
        """As an administrator would; returns when all have gone."""
        for pid in processes().get("qmail-send", ()):
            os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not set(LONG_LIVED) & set(processes()), "the suite does not stop")
        self._process.wait()

    def kill_all(self):
        """After a round that has stuck: whatever runs, and all mail."""
        for name, pids in processes().items():
            for pid in pids:
                if name in (*LONG_LIVED, *SHORT_LIVED, "qmail-start", "fault_inject"):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
        self._process.wait()
        wait_for(lambda: not {*LONG_LIVED, *SHORT_LIVED} & set(processes()), "the killed do not die")
        for kind in services.QUEUE_KINDS:
            for path in (QUEUE / kind).rglob("*"):
                if path.is_file():
                    path.unlink()
        self.forget()
        self.start()
        self.ensure_running()

    def drain(self):
        """Returns when every message has been delivered or bounced, however often the suite has to
        be started again for it. What failed for a moment is tried again at SIGALRM."""
        deadline = time.monotonic() + PATIENCE
        nudge = time.monotonic() + 0.03
        pause = 0.001
        while not self.is_drained():
            if time.monotonic() > deadline:
                raise Stuck(f"the queue is not empty: {services.queue()}\n{self.log_tail()}")
            if time.monotonic() > nudge:
                self.ensure_running()
                self.nudge()
                nudge = time.monotonic() + 0.1
            time.sleep(pause)
            pause = min(pause * 1.3, 0.01)
        self.ensure_running()

    def nudge(self):
        try:
            os.kill(self.daemons["qmail-send"], signal.SIGALRM)
        except (KeyError, ProcessLookupError):
            pass

    def is_drained(self):
        """Looked at twice: what goes from a program into the queue, or out of it, between the looks at
        the two is seen in neither, but it does not stay unseen."""
        return self._looks_drained() and self._looks_drained()

    @staticmethod
    def _looks_drained():
        if any(next(os.scandir(QUEUE / kind), None) for kind in ("todo", "bounce")):
            return False
        if any(next(os.scandir(QUEUE / f"info/{split}"), None) for split in range(23)):
            return False
        return nothing_is_done()

    def log_tail(self):
        return self.log.read_text(errors="replace")[-3000:]

    def forget(self):
        """Empties mailboxes, sink and log, and takes away what the sweep would. What the next message
        does must not depend on how long ago this one was."""
        for place in [*(f"{top}/{part}" for top in MAILDIRS for part in ("new", "cur", "tmp")),
                      self.sink, QUEUE / "pid", QUEUE / "intd",
                      *(QUEUE / f"mess/{split}" for split in range(23))]:
            for entry in os.scandir(place):
                os.unlink(entry.path)
        pathlib.Path(MBOX).unlink(missing_ok=True)
        os.truncate(self.log, 0)
        os.utime("/etc/passwd")  # qmail-lspawn asks again who the recipients are

    def costs(self):
        """Open files, and seconds of processor time, of each long-lived process."""
        return {name: (len(os.listdir(f"/proc/{pid}/fd")), _cpu_seconds(pid))
                for name, pid in self.daemons.items()}


def _cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
