"""What is asked of the servers, and what is measured of each."""

import contextlib
import dataclasses
import os
import time

from bench import connections, counters, load, mailbox, sink, system_log
from bench.servers import server

ERRORS = (load.LoadError, mailbox.Silence)  # what may go wrong in a server


@dataclasses.dataclass(frozen=True)
class Workload:
    """One kind of work. `way` names a method of Work: it brings a Load's messages in, and returns
    when the last has arrived, with the time at which it did. Without messages (`share` 0) it
    returns figures of its own."""
    title: str
    way: str
    options: dict = dataclasses.field(default_factory=dict)
    share: float = 1.0  # of the number of messages of a run
    headline: str = "messages/s"  # the figure that servers are compared by
    more_is_better: bool = True
    once: bool = False  # in the first round only


ALL = {
    # First, and once: servers that keep their processes for a while are larger after work.
    "memory": Workload("memory, proportional share", "memory", {}, 0, "MB idle", False, once=True),
    "smtp": Workload("SMTP to Maildir, a connection per message", "to_maildirs"),
    "smtp-reused": Workload("SMTP to Maildir, connections reused", "to_maildirs", {"reuse": True}),
    "relay": Workload("relay, a connection per message", "to_sink"),
    "relay-reused": Workload("relay, connections reused", "to_sink", {"reuse": True}),
    "sendmail": Workload("sendmail by 8 processes, to Maildir", "by_sendmail", {}, 0.5),
    "large": Workload("SMTP to Maildir, 10 MB a message", "to_maildirs",
                      {"reuse": True, "size": 10 << 20, "sessions": 4}, 0.005),
}
_INJECTORS = 8
_IDLE_CONNECTIONS = 20  # what every server's defaults allow


def prepare_mailboxes(place):
    """Homes on the disk, and a log for those who log to syslog. Once, before the server starts."""
    server.put_on_disk(place, "/home")
    system_log.start()


class Work:
    """What a workload needs to know of where it runs."""

    def __init__(self, mail_server, group):
        self.server = mail_server
        self.group = group

    def to_maildirs(self, wanted):
        load.send_over_smtp(wanted, [f"{person}@{server.DOMAIN}" for person in mailbox.PEOPLE])
        return self._all_delivered(wanted)

    def by_sendmail(self, wanted):
        load.inject(wanted, self.server.sendmail, _INJECTORS, self.group)
        return self._all_delivered(wanted)

    def to_sink(self, wanted):
        with sink.Sink() as target:
            load.send_over_smtp(wanted, [f"someone@{server.RELAYED}"])
            return target.wait_for(wanted.messages)

    def memory(self):
        idle = self.group.memory()
        with connections.idle(_IDLE_CONNECTIONS):
            busy = self.group.memory()
        return {"MB idle": idle / 1e6,
                f"KiB a connection, {_IDLE_CONNECTIONS} open": (busy - idle) / 1024
                                                               / _IDLE_CONNECTIONS}

    @staticmethod
    def _all_delivered(wanted):
        mailbox.wait_for(wanted.messages)
        return mailbox.last_arrival()


def do(order, mail_server, group):
    """Does the order {"workload", "messages", "counted"}; returns its figures."""
    workload = ALL[order["workload"]]
    way = getattr(Work(mail_server, group), workload.way)
    if not workload.share:
        return {"values": way()}
    messages = order["messages"]
    wanted = load.Load(messages=messages, **workload.options)
    mailbox.empty()
    os.sync()
    counter = counters.Count(group) if order["counted"] else contextlib.nullcontext()
    with counter:
        cpu = group.cpu_seconds()
        began = time.time()
        seconds = way(wanted) - began
        cpu = _settled_cpu(group) - cpu
    if order["counted"]:
        return {"counts": {what: total / messages for what, total in counter.totals.items()}}
    return {"values": {"messages/s": messages / seconds, "CPU ms a message": 1000 * cpu / messages}}


def _settled_cpu(group):
    """Processor time once the server has put away what it still had in hand: messages are
    delivered before their queue files are removed."""
    before, now = -1.0, group.cpu_seconds()
    while now - before > 0.002:
        time.sleep(0.1)
        before, now = now, group.cpu_seconds()
    return now
