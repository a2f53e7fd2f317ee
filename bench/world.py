"""One server in its private machine, and the line to the agent that does the work there."""

import json
import subprocess

from bench import REPOSITORY


class ServerFailed(Exception):
    """A server or its agent gave up; the text says why."""


class World:
    """Started with the server in it, which wait_for_start() waits for; ended by close()."""

    def __init__(self, server, disk, build):
        self.server = server
        place, group = disk.make_place(server.name)
        command = [REPOSITORY / "scripts/world", "--build", build, "--share", disk.shared,
                   *([] if place.is_relative_to(disk.shared) else ["--share", disk.directory]),
                   *server.world_options(place), "--env", f"PYTHONPATH={REPOSITORY}",
                   "--", "/usr/bin/python3", "-m", "bench.agent", server.name, place, group]
        self._process = subprocess.Popen([str(word) for word in command], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.facts = {}

    def wait_for_start(self):
        self.facts = self._answer()

    def ask(self, **order):
        """Has the agent do one workload; returns what it measured."""
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self):
        """Ends the machine and everything in it."""
        self._process.stdin.close()
        self._process.wait()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise ServerFailed(f"{self.server.title}: the agent ended")
        answer = json.loads(line)
        if "error" in answer:
            raise ServerFailed(f"{self.server.title}: {answer['error']}")
        return answer
