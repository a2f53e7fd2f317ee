"""Postern as scripts/install leaves it, under the supervisor that a world starts."""

import pathlib
import subprocess

from bench import REPOSITORY
from bench.servers import server

_HOME = pathlib.Path("/var/qmail")


class Postern(server.Server):
    name = "postern"
    title = "Postern"
    separator = "-"

    def world_options(self, place):
        home = place / "qmail"
        home.mkdir()
        return ["--queue-dir", home]

    def install(self, place):
        """The world has installed it, on the disk already."""
        with open(_HOME / "control/rcpthosts", "a", encoding="utf-8") as accepted:
            accepted.write(f"{server.RELAYED}\n")
        server.write(_HOME / "control/smtproutes",
                     f"{server.RELAYED}:[127.0.0.1]:{server.SINK_PORT}\n")
        server.deliver_extensions()

    def start(self):
        server.wait_for_greeting()

    def version(self):
        return subprocess.run(["git", "-C", REPOSITORY, "describe", "--always", "--dirty"],
                              stdout=subprocess.PIPE, text=True, check=False).stdout.strip()

    def log_tail(self):
        logs = pathlib.Path("/var/log/qmail").glob("*/current")
        return "".join(log.read_text(errors="replace")[-1000:] for log in logs)
