"""An SMTP client that says exactly the bytes a test wants, and insists on the replies."""

import fnmatch
import socket

from support import hosts
from support.wait import PATIENCE


class Client:
    """One connection. Expected lines are given whole, without CR LF; `*` stands for anything.

    Every failure shows the whole dialogue so far.
    """

    def __init__(self, host=hosts.MAIN, port=25, seconds=PATIENCE, from_host=hosts.MAIN,
                 address=None, source=""):
        """Connects, from another host or one of its addresses if wanted. The greeting is left to
        be expected."""
        self._transcript = []
        self._buffer = b""
        with hosts.network_of(from_host):
            self.socket = socket.create_connection((address or host, port), timeout=seconds,
                                                   source_address=(source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """These bytes and nothing else."""
        self._transcript.append(f"C {data!r}" if len(data) < 500 else f"C {len(data)} bytes")
        self.socket.sendall(data)

    def line(self, text):
        """One line, ended with CR LF."""
        self.send(text.encode("utf-8", "surrogateescape") + b"\r\n")

    def expect(self, *patterns):
        """The next lines from the server match these, one pattern a line. Returns the lines."""
        return [self._expect_line(pattern) for pattern in patterns]

    def command(self, text, *patterns):
        """Sends a line and expects these reply lines."""
        self.line(text)
        return self.expect(*patterns)

    def reply(self):
        """The lines of the next reply, whatever it says."""
        lines = [self._read_line()]
        while lines[-1][3:4] == "-":
            lines.append(self._read_line())
        return lines

    def expect_close(self):
        """The server closes the connection without another byte."""
        rest = self._buffer or self._receive()
        if rest:
            self._fail(f"expected the end of the connection, got {rest!r}")

    def send_mail(self, sender, recipients, message):
        """A whole transaction with CR LF line ends and stuffed dots. Returns the last reply."""
        self.command(f"MAIL FROM:<{sender}>", "250 *")
        for recipient in recipients:
            self.command(f"RCPT TO:<{recipient}>", "250 *")
        self.command("DATA", "354 *")
        lines = message.replace("\r\n", "\n").removesuffix("\n").split("\n")
        stuffed = ["." + line if line.startswith(".") else line for line in lines]
        self.send("".join(f"{line}\r\n" for line in stuffed).encode() + b".\r\n")
        return self.expect("250 ok * qp *")[0]

    def _expect_line(self, pattern):
        line = self._read_line()
        if not fnmatch.fnmatchcase(line, pattern.replace("[", "[[]")):
            self._fail(f"expected {pattern!r}, got {line!r}")
        return line

    def _read_line(self):
        while b"\n" not in self._buffer:
            more = self._receive()
            if not more:
                self._fail(f"the server closed the connection; left over: {self._buffer!r}")
            self._buffer += more
        line, self._buffer = self._buffer.split(b"\n", 1)
        self._transcript.append(f"S {line!r}")
        if not line.endswith(b"\r"):
            self._fail("the server ended a line without CR")
        return line[:-1].decode("utf-8", "surrogateescape")

    def _receive(self):
        try:
            return self.socket.recv(65536)
        except TimeoutError:
            self._fail("no answer from the server")
        except ConnectionResetError:
            return b""

    def _fail(self, reason):
        raise AssertionError("\n".join([reason, *self._transcript]))


def connect(*arguments, helo="client.example", **options):
    """A connection after greeting and EHLO."""
    client = Client(*arguments, **options)
    client.expect("220 *")
    client.line(f"EHLO {helo}")
    lines = client.reply()
    if not lines[-1].startswith("250 "):
        raise AssertionError(f"EHLO was answered {lines}")
    return client


def inject(sender, recipients, message, **options):
    """One message through port 25. Returns the process id of its qmail-queue, `qp` in logs."""
    with connect(**options) as client:
        words = client.send_mail(sender, recipients, message).split()
        client.command("QUIT", "221 *")
    return int(words[-1])
