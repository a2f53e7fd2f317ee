"""SMTP clients that have said hello and then nothing."""

import contextlib
import resource
import socket

_PATIENCE = 30  # seconds


@contextlib.contextmanager
def idle(count):
    """So many of them, all greeted, inside the block."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", 25), _PATIENCE))
                   for _ in range(count)]
        for client in clients:
            _talk(client)
        yield


def _talk(client):
    lines = client.makefile("rb")
    _expect(lines, b"220")
    client.sendall(b"EHLO client.example\r\n")
    _expect(lines, b"250")


def _expect(lines, code):
    while True:
        line = lines.readline()
        if not line.startswith(code):
            raise OSError(f"a client was told {line!r}")
        if line[3:4] == b" ":
            return
