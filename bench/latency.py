"""How long a message takes from DATA to the mailbox, at half of the load that a server can take."""

import smtplib
import time

from bench import load, mailbox, statistics
from bench.arrivals import Arrivals
from bench.servers import server

_STAMP = "X-Sent: "


def measure(work):
    messages = work.amounts["messages"]
    began = time.time()
    rate = messages / (work.to_maildirs(load.Load(messages)) - began) / 2
    mailbox.empty()
    with Arrivals(messages) as arrivals:
        _send(messages, rate)
        mailbox.wait_for(messages)
        delays = [1000 * delay for delay in _delays(arrivals.times())]
    return {"ms, median": statistics.percentile(delays, 50),
            "ms, 99th percentile": statistics.percentile(delays, 99),
            "messages/s sent": rate}


def _send(messages, rate):
    """Each at its time, however long the others take; a connection each."""
    start = time.monotonic()

    def send_share(first):
        for number in range(first, messages, server.SESSIONS):
            time.sleep(max(0, start + number / rate - time.monotonic()))
            _send_one(mailbox.PEOPLE[number % len(mailbox.PEOPLE)])

    load.run_clients(send_share, range(server.SESSIONS))


def _send_one(person):
    with smtplib.SMTP("127.0.0.1", local_hostname="client.example") as client:
        client.ehlo()
        client.mail(load.SENDER)
        client.rcpt(f"{person}@{server.DOMAIN}")
        code, said = client.data(f"{_STAMP}{time.time()}\nSubject: load\n\n" + ("x" * 63 + "\n") * 32)
        if code != 250:
            raise OSError(f"{code} {said!r}")


def _delays(arrivals):
    """Of each message in the mailboxes, in seconds."""
    for path, arrived in arrivals.items():
        lines = path.read_text(encoding="ascii").splitlines()
        stamp = next(line for line in lines if line.startswith(_STAMP))
        yield arrived - float(stamp.removeprefix(_STAMP))
