"""Ways to hand a message in, and what the one who does so is told: ("accept", HOW), ("permanent" or
"temporary", TEXT), or ("none", TEXT) when no answer came. `under` is a tracer's command line."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile

from fault import suite
from fault.suite import HOME, PATIENCE
from support.ledger import as_smtp_data

SENDER = "carol@example.org"
ENVIRONMENT = {"PATH": f"{HOME}/bin:/usr/bin:/bin"}


def _file(content):
    file = tempfile.TemporaryFile()
    file.write(content)
    file.seek(0)
    return file


def _by_exit(process, temporary):
    code = process.wait(PATIENCE)
    if code == 0:
        return "accept", "exit 0"
    if code < 0 or code > 128:
        return "none", f"killed: {code}"
    return ("temporary" if temporary(code) else "permanent"), f"exit {code}"


def qmail_queue(message, recipients, under=()):
    envelope = b"F%s\0" % SENDER.encode()
    envelope += b"".join(b"T%s\0" % name.encode() for name in recipients) + b"\0"
    with _file(message) as text, _file(envelope) as names:
        process = subprocess.Popen([*under, f"{HOME}/bin/qmail-queue"], stdin=text, stdout=names,
                                   stderr=subprocess.DEVNULL)
    return _by_exit(process, temporary=lambda code: not 11 <= code <= 40)


def one_after_another(message, recipients):
    """To each recipient when the first delivery to the one before has ended: what that has left waiting
    is there for the next."""
    for number, recipient in enumerate(recipients):
        answer = qmail_queue(message, [recipient])
        if answer[0] != "accept":
            return answer
        suite.wait_for(lambda: suite.deliveries_ended() > number, "a delivery does not end")
    return answer


def qmail_inject(message, recipients, under=()):
    command = ["setuidgid", "carol", f"{HOME}/bin/qmail-inject", "-f", SENDER, *recipients]
    with _file(message) as text:
        process = subprocess.Popen([*under, *command], stdin=text, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=ENVIRONMENT)
    return _by_exit(process, temporary=lambda code: code != 100)


def smtp(message, recipients, under=()):
    """Over a socket, as tcpserver hands one to qmail-smtpd."""
    ours, theirs = socket.socketpair()
    environment = ENVIRONMENT | {"TCPREMOTEIP": "192.0.2.9", "RELAYCLIENT": ""}
    process = subprocess.Popen([*under, "setuidgid", "qmaild", f"{HOME}/bin/qmail-smtpd"],
                               stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL,
                               env=environment, cwd=HOME)
    theirs.close()
    ours.settimeout(PATIENCE)
    with ours, ours.makefile("rb") as replies:
        try:
            answer = _transaction(ours, replies, message, recipients)
        except (ConnectionError, BrokenPipeError):
            answer = "none", "the connection broke"
    process.wait(PATIENCE)
    return answer


def _transaction(connection, replies, message, recipients):
    steps = [b"", b"EHLO client.example\r\n", b"MAIL FROM:<%s>\r\n" % SENDER.encode(),
             *(b"RCPT TO:<%s>\r\n" % name.encode() for name in recipients), b"DATA\r\n",
             as_smtp_data(message)]
    for step in steps:
        connection.sendall(step)
        reply = replies.readline()
        while reply[3:4] == b"-":
            reply = replies.readline()
        text = reply.decode(errors="replace").strip()
        if not reply:
            raise ConnectionResetError("the connection ended")
        if reply[:1] not in b"23":
            return ("temporary" if reply[:1] == b"4" else "permanent"), text
    with contextlib.suppress(ConnectionError):  # it has said yes
        connection.sendall(b"QUIT\r\n")
        replies.read()
    return "accept", text


def smtp_server(message, recipients, under=()):
    """To one recipient after another, each over a connection of its own to qmail-smtp-server."""
    server = SmtpServer(under)
    try:
        for recipient in recipients:
            answer = server.hand_in(message, recipient)
            if answer[0] != "accept":
                return answer
        return answer
    finally:
        server.stop()


class SmtpServer:
    """qmail-smtp-server, started again if it has ended, as a supervisor would. What is refused for now
    is offered again, as senders do: one fault must not stand in the way of the next try."""
    NAME = "qmail-smtp-serv"  # as the kernel has it
    PLACE = ("127.0.0.1", 2526)
    COMMAND = ["setuidgid", "qmaild", f"{HOME}/bin/qmail-smtp-server", PLACE[0], str(PLACE[1])]

    def __init__(self, under):
        self._start(under)

    def _start(self, under=()):
        self._process = subprocess.Popen([*under, *self.COMMAND], stderr=subprocess.DEVNULL,
                                         env=ENVIRONMENT | {"RELAYCLIENT": ""}, cwd=HOME)

    def hand_in(self, message, recipient):
        for _ in range(10):
            with self._connect() as connection, connection.makefile("rb") as replies:
                whole = _Noting(connection, as_smtp_data(message))
                try:
                    answer = _transaction(whole, replies, message, [recipient])
                except ConnectionError:
                    if whole.is_sent:  # nobody knows what has become of it
                        return "none", "the connection broke"
                    continue
            if answer[0] != "temporary":
                return answer
        raise suite.Stuck(f"what was refused for now is refused again and again: {answer}")

    def _connect(self):
        def connected():
            if self._process.poll() is not None:
                self._start()
            try:
                return socket.create_connection(self.PLACE, timeout=PATIENCE)
            except ConnectionError:
                return None
        return suite.wait_for(connected, "qmail-smtp-server does not listen")

    def stop(self):
        """With all that it has started."""
        def gone():
            found = suite.processes()
            for pid in found.get(self.NAME, ()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            return not {self.NAME, "qmail-smtpd", "qmail-queue"} & set(found)
        suite.wait_for(gone, "what qmail-smtp-server has started does not end with it")
        self._process.wait(PATIENCE)


class _Noting:
    """A connection; whether any of `what` has been sent."""

    def __init__(self, connection, what):
        self._connection, self._what = connection, what
        self.is_sent = False

    def sendall(self, data):
        self.is_sent = self.is_sent or data == self._what
        self._connection.sendall(data)


