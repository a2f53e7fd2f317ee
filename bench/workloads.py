"""What is asked of the servers, and what is measured of each."""

import contextlib
import dataclasses
import os
import time

from bench import (backlog, connections, counters, latency, load, logins, mailbox, sink,
                   system_log)
from bench.servers import server

ERRORS = (mailbox.Silence,)  # what may go wrong in a server


@dataclasses.dataclass(frozen=True)
class Workload:
    """One kind of work. `way` names a method of Work: it brings a Load's messages in, and returns
    when the last has arrived, with the time at which it did. Without messages (`share` 0) it
    returns figures of its own."""
    title: str
    way: str
    options: dict = dataclasses.field(default_factory=dict)
    share: float = 1.0  # of the amount of a run
    amount: str = "messages"  # which of the run's amounts it takes
    unit: str = "message"  # what figures are for one of
    headline: str = "messages/s"  # the figure that servers are compared by
    more_is_better: bool = True
    once: bool = False  # in the first round only
    slow: bool = False  # only done when it is asked for by name
    quick: bool = False  # part of --quick


_RECIPIENTS = {"amount": "recipients", "unit": "recipient", "headline": "recipients/s"}
ALL = {
    # First, and once: servers that keep their processes for a while are larger after work.
    "memory": Workload("memory, proportional share", "memory", {}, 0,
                       headline="MB idle", more_is_better=False, once=True, quick=True),
    "smtp": Workload("SMTP to Maildir, a connection per message", "to_maildirs",
                     quick=True),
    "smtp-reused": Workload("SMTP to Maildir, connections reused", "to_maildirs", {"reuse": True}),
    "relay": Workload("relay, a connection per message", "to_sink"),
    "relay-reused": Workload("relay, connections reused", "to_sink", {"reuse": True},
                             quick=True),
    "sendmail": Workload("sendmail by 8 processes, to Maildir", "by_sendmail", {}, 0.5,
                         quick=True),
    "large": Workload("SMTP to Maildir, 10 MB a message", "to_maildirs",
                      {"reuse": True, "size": 10_000_000, "sessions": 4}, 0.005),
    "many-remote": Workload("one message to many remote recipients", "to_remote_recipients",
                            **_RECIPIENTS, quick=True),
    "many-local": Workload("one message to many local recipients", "to_local_recipients",
                           **_RECIPIENTS),
    "backlog": Workload("new mail to Maildir while other mail waits for a dead host", "backlog",
                        share=0, once=True),
    "latency": Workload("from DATA to the mailbox, at half of the load it can take", "latency",
                        share=0, headline="ms, median", more_is_better=False, quick=True),
    "logins": Workload("SMTP clients that log in", "logins", share=0, headline="logins/s"),
    "restart": Workload("restart with a full queue, to the first delivery", "restart",
                        share=0, headline="seconds", more_is_better=False, once=True, slow=True),
}
_INJECTORS = 8
# What perf is to find out meanwhile.
_WATCHES = {None: contextlib.nullcontext, "counts": counters.Count, "stacks": counters.Stacks}


def prepare_mailboxes(place):
    """Homes on the disk, and a log for those who log to syslog. Once, before the server starts."""
    server.put_on_disk(place, "/home")
    system_log.start()


class Work:
    """What a workload needs to know of where it runs."""

    def __init__(self, order, mail_server):
        self.order = order
        self.amounts = order["amounts"]
        self.server = mail_server
        self.group = mail_server.group

    def send(self, wanted, recipients):
        load.send_over_smtp(wanted, recipients, self.server.most_messages)

    def to_maildirs(self, wanted):
        self.send(wanted, [f"{person}@{server.DOMAIN}" for person in mailbox.PEOPLE])
        return self._all_delivered(wanted)

    def by_sendmail(self, wanted):
        load.inject(wanted, self.server.sendmail, _INJECTORS, self.group)
        return self._all_delivered(wanted)

    def to_sink(self, wanted):
        target = sink.Sink(sink.MESSAGE)
        self.send(wanted, [f"someone@{server.RELAYED}"])
        return target.wait_for(wanted.messages)

    def to_remote_recipients(self, wanted):
        target = sink.Sink(sink.RECIPIENT)
        self._inject_one([f"r{number}@{server.RELAYED}" for number in range(wanted.messages)])
        return target.wait_for(wanted.messages)

    def to_local_recipients(self, wanted):
        self._inject_one(self.server.addresses(wanted.messages))
        return self._all_delivered(wanted)

    def _inject_one(self, recipients):
        if len(recipients) > self.server.most_recipients:
            raise server.Unable(f"a message may have {self.server.most_recipients} recipients")
        load.inject_one(load.Load(1), self.server.sendmail, recipients, self.group)

    def backlog(self):
        return backlog.fresh_mail(self)

    def restart(self):
        return backlog.restart(self)

    def latency(self):
        return latency.measure(self)

    def logins(self):
        return logins.measure(self)

    def memory(self):
        self._start_as_after_a_boot()
        time.sleep(10)  # who asked whether it answers may have left a process that waits for the next client
        shares = self.group.memory()
        supervision = sum(shares[name] for name in self.server.supervision)
        figures = {"MB idle": shares.total() / 1e6,
                   "MB idle, without supervision and loggers": (shares.total() - supervision) / 1e6}
        for count in self.order["connections"]:
            with self._allowing(count):
                idle = self.group.memory().total()
                with connections.idle(count):
                    busy = self.group.memory().total()
            figures[f"KiB a connection, {count} open"] = (busy - idle) / 1024 / count
        return figures

    def _start_as_after_a_boot(self):
        """Of a file that has just been installed the kernel's cache has large pieces, which it may map
        whole; here it is read again."""
        programs = self.group.mapped_files()
        self.server.stop()
        for program in programs:
            _forget_cached(program)
        self.server.start()

    @contextlib.contextmanager
    def _allowing(self, connections_wanted):
        """It has room for so many, which its own limits may not give, and has them back after."""
        if connections_wanted <= server.SESSIONS:
            yield
            return
        self._restart_for(connections_wanted + 2)  # the last to ask whether it answers may linger
        try:
            yield
        finally:
            self._restart_for(None)

    def _restart_for(self, count):
        self.server.stop()
        self.server.configure_connections(count)
        self.server.start()

    @staticmethod
    def _all_delivered(wanted):
        mailbox.wait_for(wanted.messages)
        return mailbox.last_arrival()


def _forget_cached(path):
    with contextlib.suppress(OSError), open(path, "rb") as file:
        os.fsync(file.fileno())  # what is not on the disk yet stays in the cache
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def do(order, mail_server):
    """Does the order {"workload", "amount", "watched_for", "amounts", "connections"}; returns its figures."""
    workload = ALL[order["workload"]]
    way = getattr(Work(order, mail_server), workload.way)
    group = mail_server.group
    if not workload.share:
        mailbox.empty()
        return {"values": way()}
    amount, unit = order["amount"], workload.unit
    wanted = load.Load(messages=amount, **workload.options)
    mailbox.empty()
    os.sync()
    watch = _WATCHES[order["watched_for"]](group)
    with watch:
        cpu = group.cpu_seconds()
        began = time.time()
        seconds = way(wanted) - began
        cpu = _settled_cpu(group) - cpu
    if order["watched_for"] == "counts":
        return {"counts": {what: total / amount for what, total in watch.totals.items()}}
    if order["watched_for"] == "stacks":
        return {"stacks": watch.folded}
    return {"values": {f"{unit}s/s": amount / seconds, f"CPU ms a {unit}": 1000 * cpu / amount}}


def _settled_cpu(group):
    """Processor time once the server has put away what it still had in hand: messages are
    delivered before their queue files are removed."""
    before, now = -1.0, group.cpu_seconds()
    while now - before > 0.002:
        time.sleep(0.1)
        before, now = now, group.cpu_seconds()
    return now
