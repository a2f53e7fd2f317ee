"""In a world: starts one server and does what the run asks for, an order and an answer a line.

    python3 -m bench.agent SERVER PLACE GROUP
"""

import json
import os
import pathlib
import subprocess
import sys
import traceback

from bench import counters, load, servers, workloads
from bench.servers.server import Unable


def main(name, place, group):
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed is no answer

    def answer(values):
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    try:
        server = servers.by_name(name)
        server.group = counters.Group(pathlib.Path(group))
        workloads.prepare_mailboxes(pathlib.Path(place))
        server.install(pathlib.Path(place))
        server.start()
        server.group.adopt_everybody()
        answer({"version": server.version()})
        for line in sys.stdin:
            answer(_do(json.loads(line), server))
    except (OSError, *workloads.ERRORS, subprocess.SubprocessError) as error:
        answer({"error": f"{error}\n{server.log_tail()}"})
        return 1
    except Exception:  # our own mistake
        answer({"error": traceback.format_exc()})
        return 1
    return 0


def _do(order, server):
    try:
        return workloads.do(order, server)
    except Unable as reason:
        return {"unable": str(reason)}
    except load.LoadError as reason:  # it has refused some of this; what it took is for nobody
        server.stop()
        server.forget_queue()
        server.start()
        return {"unable": str(reason).strip().splitlines()[-1]}


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
