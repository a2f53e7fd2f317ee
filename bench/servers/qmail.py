"""Somebody's qmail (--qmail-home): a copy of an installation, compiled for /var/qmail and put there.

Its programs and how it is configured to work are its own. What says whom it works for is replaced by
what all servers are asked to do, and its queue is emptied: a copy has lost the inode numbers that
messages are named by.
"""

import os
import pathlib
import signal
import subprocess
import time

from bench.servers import server

_HOME = pathlib.Path("/var/qmail")
_LOG = pathlib.Path("/var/log/qmail-bench")
_CONTROL = {
    "me": server.HOST, "defaultdomain": server.DOMAIN, "plusdomain": server.DOMAIN,
    "locals": f"{server.DOMAIN}\n{server.HOST}\nlocalhost",
    "rcpthosts": f"{server.DOMAIN}\n{server.HOST}\n{server.RELAYED}\n{server.DEAD}",
    "smtproutes": f"{server.RELAYED}:[127.0.0.1]:{server.SINK_PORT}",
}
_OTHERS_MAIL = ("control/virtualdomains", "control/morercpthosts", "control/morercpthosts.cdb",
                "users/assign", "users/cdb")
# Whose these are is compiled into many a qmail, or asked of the system by name: so the names have
# the ids here that their files have.
_OWNERS = {"qmailq": "bin/qmail-queue", "qmails": "queue/info", "qmailr": "queue/lock/tcpto",
           "alias": "alias"}
_FURTHER_USERS = ("qmaild", "qmaill", "qmailp")


class Qmail(server.Server):
    name = "qmail"
    title = "qmail"
    sendmail = "/var/qmail/bin/sendmail"
    separator = "-"
    queue = tuple(f"/var/qmail/queue/{kind}" for kind in server.QMAIL_QUEUE)
    no_logins = "its own programs check no passwords"

    def __init__(self, original=None):
        """`original`: the installation on the real machine."""
        self._original = original
        self._connections = server.SESSIONS
        self._processes = []

    def world_options(self, place):
        home = place / "qmail"
        subprocess.run(["cp", "-a", self._original, home], check=True)
        return ["--no-suite", "--queue-dir", home]

    def install(self, place):
        """It lies on the disk already."""
        _make_users()
        for name, text in _CONTROL.items():
            server.write(_HOME / "control" / name, f"{text}\n")
        for name in _OTHERS_MAIL:
            (_HOME / name).unlink(missing_ok=True)
        self.forget_queue()
        server.deliver_extensions()
        _LOG.mkdir()

    def configure_connections(self, count):
        self._connections = count or server.SESSIONS

    def start(self):
        self._processes = [
            self._start("send", "qmail-start", "./Maildir/"),
            self._start("smtpd", "tcpserver", "-H", "-R", "-l", server.HOST,
                        "-c", self._connections, "-u", _id("-u", "qmaild"),
                        "-g", _id("-g", "qmaild"), "0", "25", _HOME / "bin/qmail-smtpd")]
        server.wait_for_greeting()

    def _start(self, log, *command):
        with open(_LOG / log, "ab") as output:
            return subprocess.Popen([str(word) for word in command], cwd="/",
                                    env={"PATH": f"{_HOME}/bin:{os.environ['PATH']}"},
                                    preexec_fn=self.group.enter, stdin=subprocess.DEVNULL,
                                    stdout=output, stderr=output)

    def stop(self):
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            process.wait()
        server.wait_for_silence()
        self._wait_for_lock()

    def _wait_for_lock(self):
        """qmail-send is the last to let go of its queue, whoever started it."""
        while subprocess.run(["flock", "-n", _HOME / "queue/lock/sendmutex", "true"],
                             check=False).returncode != 0:
            time.sleep(0.02)

    def version(self):
        return "as it was found"

    def log_tail(self):
        return "".join(log.read_text(errors="replace")[-2000:] for log in _LOG.glob("*"))


def _make_users():
    owner = (_HOME / "bin/qmail-queue").stat()
    _run("groupadd", "--non-unique", "--gid", owner.st_gid, "qmail")
    _run("groupadd", "--system", "nofiles")
    for name, file in _OWNERS.items():
        group = "nofiles" if name == "alias" else "qmail"
        _run("useradd", "--non-unique", "--uid", (_HOME / file).stat().st_uid, "--gid", group,
             "--home-dir", _HOME / "alias" if name == "alias" else _HOME, "--no-create-home", name)
    for name in _FURTHER_USERS:
        _run("useradd", "--system", "--gid", "nofiles", "--home-dir", _HOME, "--no-create-home", name)


def _run(*command):
    subprocess.run([str(word) for word in command], check=True, stderr=subprocess.DEVNULL)


def _id(option, name):
    return subprocess.run(["id", option, name], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()
