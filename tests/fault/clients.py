"""Ways to hand a message in, and what the one who does so is told: ("accept", HOW), ("permanent" or
"temporary", TEXT), or ("none", TEXT) when no answer came. `under` is a tracer's command line."""

import socket
import subprocess
import tempfile

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
            return "none", "the connection ended"
        if reply[:1] not in b"23":
            return ("temporary" if reply[:1] == b"4" else "permanent"), text
    connection.sendall(b"QUIT\r\n")
    return "accept", text


