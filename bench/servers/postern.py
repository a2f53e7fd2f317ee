"""Postern as scripts/install leaves it, under the supervisor that a world starts."""

import contextlib
import pathlib
import subprocess
import time

from bench import REPOSITORY
from bench.servers import server

_HOME = pathlib.Path("/var/qmail")
_SUPERVISED = _HOME / "supervise"
_RUN = _SUPERVISED / "qmail-smtpd/run"
_POP3 = pathlib.Path("/etc/service/qmail-pop3d")
_SUBMISSION = pathlib.Path("/etc/service/qmail-submission")
_SERVICES = ("/etc/service/qmail-send", "/etc/service/qmail-smtpd")


class Postern(server.Server):
    name = "postern"
    title = "Postern"
    separator = "-"
    login_port = 587
    supervision = frozenset({"svscan", "supervise", "multilog"})
    queue = tuple(f"/var/qmail/queue/{kind}" for kind in server.QMAIL_QUEUE)

    def world_options(self, place):
        home = place / "qmail"
        home.mkdir()
        return ["--queue-dir", home]

    def install(self, place):
        """The world has installed it, on the disk already."""
        with open(_HOME / "control/rcpthosts", "a", encoding="utf-8") as accepted:
            accepted.write(f"{server.RELAYED}\n{server.DEAD}\n")
        server.write(_HOME / "control/smtproutes",
                     f"{server.RELAYED}:[127.0.0.1]:{server.SINK_PORT}\n")
        server.deliver_extensions()
        # Port 25 is for mail from other hosts, as with the other servers; people log in on 587.
        text = _RUN.read_text()
        server.write(_RUN, text.replace('[ -e "$home/users/mailusers.cdb" ]', "false"), 0o755)
        for service in (_POP3, _SUBMISSION):  # the others have no such server, whose memory would count
            _give_up(service)
        self.stop()  # it has been running already

    def start(self):
        subprocess.run(["svc", "-u", *_SERVICES], check=True)
        server.wait_for_greeting()

    def stop(self):
        subprocess.run(["svc", "-d", *_SERVICES], check=True)
        while any(": up " in self._state(service) for service in _SERVICES):
            time.sleep(0.02)

    @contextlib.contextmanager
    def taking_logins(self):
        _SUBMISSION.symlink_to(_SUPERVISED / _SUBMISSION.name)
        server.wait_for_greeting(self.login_port)
        try:
            yield
        finally:
            _give_up(_SUBMISSION)

    def configure_connections(self, count):
        server.write(_HOME / "control/concurrencyincoming", f"{count or server.SESSIONS}\n")

    @staticmethod
    def _state(service):
        return subprocess.run(["svstat", service], stdout=subprocess.PIPE, text=True,
                              check=True).stdout

    def version(self):
        return subprocess.run(["git", "-C", REPOSITORY, "describe", "--always", "--dirty"],
                              stdout=subprocess.PIPE, text=True, check=False).stdout.strip()

    def log_tail(self):
        logs = pathlib.Path("/var/log/qmail").glob("*/current")
        return "".join(log.read_text(errors="replace")[-1000:] for log in logs)


class PosternForStrangers(Postern):
    """All the load comes from one address. Mail from many has each client served by a process of his
    own, as here."""
    name = "postern-strangers"
    title = "Postern, a process for each client"

    def install(self, place):
        super().install(place)
        text = _RUN.read_text()
        server.write(_RUN, text.replace("qmail-smtp-server ", "qmail-smtp-server -m 1 "), 0o755)


def _give_up(service):
    directory = service.resolve()
    service.unlink()
    subprocess.run(["svc", "-dx", directory, directory / "log"], check=True)
