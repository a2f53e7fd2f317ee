"""What the bench wants of every server."""

import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import time

from bench import mailbox

HOST, DOMAIN = "mail.example.org", "example.org"
RELAYED, SINK_PORT = "sink.example", 2525
DEAD = "refused.test"  # the world's host that refuses every connection
LOGIN = "alice", "alice-password"
QMAIL_QUEUE = "pid", "mess", "intd", "todo", "info", "local", "remote", "bounce"
SESSIONS = 20  # of the load, at a time
_START_SECONDS = 30


class Unable(Exception):
    """The server does not do this; the text says why."""


class Server:
    """Set up by install() and start(), inside a world. `package` is the Debian package it is in."""

    name = ""
    title = ""
    package = None
    queue = ()  # directories with all that belongs to the messages in its queue
    no_logins = None  # why not
    login_port = 25
    supervision = frozenset()  # names of processes of its own that start it again and write its logs
    group = None  # the counters.Group of its processes; set before anything is asked
    sendmail = "/usr/sbin/sendmail"
    most_recipients = float("inf")  # of a message
    most_messages = None  # that one session may bring, if it has a limit
    separator = "+"  # between a person's name and an extension of it

    def world_options(self, place):
        """Options of scripts/world; `place` is the server's directory on the disk."""
        del place
        return ["--no-suite"]

    def install(self, place):
        raise NotImplementedError

    def start(self):
        """Returns when port 25 answers."""
        raise NotImplementedError

    def stop(self):
        """Returns when it has ended, or is sure to end before another is started."""
        raise NotImplementedError

    def configure_connections(self, count):
        """Has it take so many connections at a time once it starts again; None: as many as it did.
        Nothing to do where there is no limit."""

    @contextlib.contextmanager
    def taking_logins(self):
        """People can log in on `login_port` between `with` and its end."""
        yield

    def run(self, *command):
        """Has its processes, and what they start, counted as the server's."""
        subprocess.run([str(word) for word in command], check=True, stderr=subprocess.DEVNULL,
                       preexec_fn=self.group.enter)

    def forget_queue(self):
        """Empties the queue of a stopped server, who may have processes that end their deliveries."""
        for directory in self.queue:
            subprocess.run(["find", directory, "-ignore_readdir_race", "-type", "f", "-delete"],
                           check=True)

    def addresses(self, count):
        """So many different addresses of the people here."""
        return [f"{mailbox.PEOPLE[number % len(mailbox.PEOPLE)]}{self.separator}{number}@{DOMAIN}"
                for number in range(count)]

    def version(self):
        return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", self.package],
                              stdout=subprocess.PIPE, text=True, check=False).stdout

    def log_tail(self):
        """The end of its log, for the person who must find out what is wrong."""
        log = pathlib.Path("/var/log/mail.log")
        return log.read_text(errors="replace")[-2000:] if log.exists() else ""


def put_on_disk(place, directory):
    """Has a directory of the world, with what is in it, lie on the bench's disk."""
    there = place / directory.strip("/").replace("/", "-")
    pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", directory, there], check=True)
    subprocess.run(["mount", "--bind", there, directory], check=True)


def deliver_extensions():
    """What a person of qmail's writes to get mail for alice-anything."""
    for person in mailbox.PEOPLE:
        rules = pathlib.Path("/home", person, ".qmail-default")
        write(rules, "./Maildir/\n")
        shutil.chown(rules, person, person)


def add_system_user(name, *further_groups, group=None, home="/nonexistent"):
    """A system user, with a group of the same name or of the given one."""
    if group is None:
        group = name
        subprocess.run(["groupadd", "--system", "--force", group], check=True)
    for further in further_groups:
        subprocess.run(["groupadd", "--system", "--force", further], check=True)
    subprocess.run(["useradd", "--system", "--gid", group, "--home-dir", home, "--no-create-home",
                    "--shell", "/usr/sbin/nologin", name], check=True, stderr=subprocess.DEVNULL)


def wait_for_greeting(port=25):
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=_START_SECONDS) as client:
                if client.recv(3) == b"220":
                    client.sendall(b"QUIT\r\n")
                    return
        except OSError:
            pass
        time.sleep(0.02)
    raise OSError(f"nothing answers on port {port} after {_START_SECONDS} s")


def wait_for_silence(port=25):
    """Returns when nobody listens any more."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=_START_SECONDS).close()
        except ConnectionRefusedError:
            return
        except OSError:
            pass  # it was ending while we asked
        time.sleep(0.02)
    raise OSError(f"port {port} still answers after {_START_SECONDS} s")


def write(path, text, mode=0o644):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(text, encoding="utf-8")
    os.chmod(path, mode)
