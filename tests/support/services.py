"""Services, logs, control files, queues and mailboxes of a host in a world."""

import os
import re
import signal
import subprocess

from support import hosts
from support.wait import PATIENCE, wait_until

HOME = "var/qmail"
QUEUE_KINDS = ("pid", "mess", "intd", "todo", "info", "local", "remote", "bounce")


class Service:
    """A supervised service, by its name: qmail-send, or one that listens on a port."""

    PORTS = {"qmail-smtpd": 25, "qmail-submission": 587, "qmail-pop3d": 110,
             "qmail-qmtpd": 209, "qmail-qmqpd": 628}

    def __init__(self, name, host=hosts.MAIN):
        self.name = name
        self._host = host

    def svc(self, letters):
        """Passes svc(8) its letters: d down, u up, t TERM, h HUP, a ALRM, p pause, c cont."""
        hosts.on(self._host, "svc", f"-{letters}", self._directory)

    @property
    def pid(self):
        """The process id, or None when it is down."""
        state = hosts.on(self._host, "svstat", self._directory).stdout
        found = re.search(r": up \(pid (\d+)\)", state)
        return int(found.group(1)) if found else None

    def signal(self, number):
        """A signal for the process itself. svc is slower: supervise heeds nobody in the first
        second after it has started something.
        """
        os.kill(self.pid, number)

    def stop(self, seconds=PATIENCE):
        """Returns when it has ended; qmail-send waits for the deliveries that run."""
        self.svc("d")
        wait_until(lambda: self.pid is None, f"{self.name} to stop", seconds)

    def start(self):
        """Returns when it serves."""
        self.svc("u")
        wait_until(self.serves, f"{self.name} to start")

    def restart(self, seconds=PATIENCE):
        self.stop(seconds)
        self.start()

    def serves(self):
        """Whether it listens: on its port, or for new mail."""
        if self.name != "qmail-send":
            found = hosts.on(self._host, "ss", "-Hltn", f"sport = :{self.PORTS[self.name]}").stdout
            return self.pid is not None and bool(found)
        trigger = hosts.files(self._host) / HOME / "queue/lock/trigger"
        try:  # its reader is qmail-send
            os.close(os.open(trigger, os.O_WRONLY | os.O_NONBLOCK))
            return True
        except OSError:
            return False

    @property
    def _directory(self):
        return f"/etc/service/{self.name}"


class Log:
    """What a service has logged since this object was made, without the time stamps."""

    def __init__(self, service="qmail-send", host=hosts.MAIN):
        self._directory = hosts.files(host) / f"var/log/qmail/{service}"
        self._service = service
        self._skipped = 0
        self._skipped = len(self.lines())

    def lines(self):
        paths = sorted(self._directory.glob("@*")) + [self._directory / "current"]
        text = b"".join(path.read_bytes() for path in paths if path.exists())
        lines = text.decode("utf-8", "surrogateescape").split("\n")[:-1]
        return [line.split(" ", 1)[-1] for line in lines[self._skipped:]]

    def wait_for(self, pattern, seconds=PATIENCE):
        """The match of a regular expression with a whole line, once there is one."""
        try:
            return wait_until(lambda: self.find(pattern), f"the log line {pattern!r}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; {self._service} logged:\n"
                                 + "\n".join(self.lines())) from None

    def find(self, pattern):
        """The first match so far, or None."""
        return next(filter(None, (re.fullmatch(pattern, line) for line in self.lines())), None)

    def find_all(self, pattern):
        return list(filter(None, (re.fullmatch(pattern, line) for line in self.lines())))


def set_control(name, text, host=hosts.MAIN):
    """Writes a control file, or removes it (None). Returns the text it had, or None."""
    path = hosts.files(host) / HOME / "control" / name
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(text, encoding="utf-8")
    return before


def reload(host=hosts.MAIN):
    """Returns when qmail-send has read locals and virtualdomains again."""
    control = hosts.files(host) / HOME / "control"
    read_last = next(path for name in ("virtualdomains", "locals", "me")
                     if (path := control / name).exists())
    os.utime(read_last, ns=(0, read_last.stat().st_mtime_ns))
    Service("qmail-send", host).signal(signal.SIGHUP)
    wait_until(lambda: read_last.stat().st_atime_ns, "qmail-send to read its files again")


def queue(host=hosts.MAIN):
    """The message files by kind: {"mess": ["123"], "info": [...], ...}, without empty kinds."""
    top = hosts.files(host) / HOME / "queue"
    found = {kind: sorted(path.name for path in (top / kind).rglob("*") if path.is_file())
             for kind in QUEUE_KINDS}
    return {kind: names for kind, names in found.items() if names}


def wait_for_empty_queue(host=hosts.MAIN, seconds=PATIENCE):
    """Returns when every message has been delivered or bounced and nothing is left behind."""
    try:
        wait_until(lambda: not queue(host), "an empty queue", seconds)
    except AssertionError as error:
        raise AssertionError(f"{error}: {queue(host)}") from None


def clear_queue(host=hosts.MAIN):
    """Forgets all mail in the queue: for the next test's sake, after one that failed."""
    service = Service("qmail-send", host)
    was_up = service.pid is not None
    service.stop()
    for kind in QUEUE_KINDS:
        for path in (hosts.files(host) / HOME / "queue" / kind).rglob("*"):
            if path.is_file():
                path.unlink()
    if was_up:
        service.start()


def maildir(user, host=hosts.MAIN, directory="Maildir"):
    """The messages in a user's Maildir as bytes, oldest first."""
    home = "var/qmail/alias" if user == "alias" else f"home/{user}"
    top = hosts.files(host) / home / directory
    paths = [path for part in ("new", "cur") for path in (top / part).iterdir()]
    return [path.read_bytes() for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns)]


def wait_for_mail(user, count=1, host=hosts.MAIN, directory="Maildir", seconds=PATIENCE):
    """Returns a user's messages once there are at least `count`."""
    wait_until(lambda: len(maildir(user, host, directory)) >= count,
               f"{count} messages for {user} on {host}", seconds)
    return maildir(user, host, directory)


def empty_maildir(user, host=hosts.MAIN):
    for part in ("tmp", "new", "cur"):
        for path in (hosts.files(host) / f"home/{user}/Maildir" / part).iterdir():
            path.unlink()


def processes(name, host=None):
    """Process ids whose program is called `name`, in the whole world or on one host."""
    found = subprocess.run(["pgrep", "-x", name[:15]], stdout=subprocess.PIPE, text=True,
                           check=False).stdout.split()
    pids = [int(pid) for pid in found]
    if host is None:
        return pids
    there = os.readlink(f"/proc/{hosts.pid(host)}/ns/mnt")
    return [pid for pid in pids if _mounts_of(pid) == there]


def _mounts_of(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt")
    except FileNotFoundError:  # it has ended
        return None
