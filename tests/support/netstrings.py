"""QMTP and QMQP, byte by byte."""

import os
import socket

from support import hosts
from support.wait import PATIENCE


def netstring(*texts):
    content = b"".join(map(os.fsencode, texts))
    return b"%d:%b," % (len(content), content)


def netstrings(*texts):
    return b"".join(map(netstring, texts))


def package(message, sender, *recipients):
    """A QMTP package; the message with the byte that says how its lines end."""
    return netstring(message) + netstring(sender) + netstring(netstrings(*recipients))


def converse(port, data, host=hosts.MAIN):
    """All that a server says to these bytes, after which nothing comes."""
    with socket.create_connection((host, port), timeout=PATIENCE) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read()
