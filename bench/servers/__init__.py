"""How each mail server is set up in its world: as its Debian package leaves it, plus what all of
them are asked to do. That is: example.org is local, its people have Maildirs, and sink.example is
relayed to a port of 127.0.0.1.
"""

from bench.servers.exim import Exim
from bench.servers.opensmtpd import OpenSmtpd
from bench.servers.postern import Postern, PosternForStrangers
from bench.servers.postfix import Postfix
from bench.servers.qmail import Qmail

ALL = (Postern, Postfix, Exim, OpenSmtpd)
KNOWN = (*ALL, PosternForStrangers)


def by_name(name):
    """KeyError: no such server."""
    return {server.name: server for server in (*KNOWN, Qmail)}[name]()
