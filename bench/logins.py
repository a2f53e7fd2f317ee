"""SMTP clients that log in and leave."""

import base64
import smtplib
import time

from bench import load
from bench.servers import server

_CLIENTS = 8
_PLAIN = base64.b64encode("\0".join(("", *server.LOGIN)).encode()).decode()


def measure(work):
    if work.server.no_logins:
        raise server.Unable(work.server.no_logins)
    logins = work.amounts["logins"]

    def log_in(count):
        for _ in range(count):
            _log_in(work.server.login_port)

    with work.server.taking_logins():
        cpu, began = work.group.cpu_seconds(), time.monotonic()
        load.run_clients(log_in, load.shares(logins, _CLIENTS))
        seconds = time.monotonic() - began
        return {"logins/s": logins / seconds,
                "CPU ms a login": 1000 * (work.group.cpu_seconds() - cpu) / logins}


def _log_in(port):
    with smtplib.SMTP("127.0.0.1", port, local_hostname="client.example") as client:
        client.ehlo()
        code, said = client.docmd("AUTH", f"PLAIN {_PLAIN}")
        if code != 235:
            raise OSError(f"no login: {code} {said!r}")
