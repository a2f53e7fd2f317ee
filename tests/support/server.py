"""Servers that follow a script, well-behaved or hostile, on any host of the world.

    with ScriptedServer(["S 220 mx ready", "C EHLO *", "S 250 mx", ...], host="mx.foreign.example")
"""

import fnmatch
import socket
import struct
import threading

from support import hosts
from support.wait import PATIENCE, wait_until

ACCEPT_MAIL = ["S 220 mx.foreign.example ESMTP", "C EHLO *", "S 250 mx.foreign.example",
               "C MAIL *", "S 250 ok", "C RCPT *", "S 250 ok", "C DATA", "S 354 go on",
               "data", "S 250 taken", "C QUIT", "S 221 bye"]
# A qmail-remote that stays would wait some seconds before it says QUIT.
ACCEPT_MAIL_AND_CLOSE = ACCEPT_MAIL[:-2]


class Peer:
    """The server's end of one connection. Records what the client sent."""

    def __init__(self, connection):
        self.socket = connection
        self.lines = []  # command lines without their ends
        self.data = b""  # the bytes of the last DATA as they came, with the final dot
        self._stream = connection.makefile("rb")

    def say(self, text):
        self.send(text.encode("utf-8", "surrogateescape") + b"\r\n")

    def send(self, data):
        self.socket.sendall(data)

    def read_line(self):
        """The next line; EOFError when the client has gone."""
        line = self._stream.readline(100_000)
        if not line:
            raise EOFError("the client closed the connection")
        text = line.decode("utf-8", "surrogateescape").removesuffix("\n").removesuffix("\r")
        self.lines.append(text)
        return text

    def read_data(self):
        """Everything up to a line with a dot alone."""
        self.data = b""
        while not (self.data == b".\r\n" or self.data.endswith(b"\r\n.\r\n")):
            line = self._stream.readline()
            if not line:
                raise EOFError("the client closed the connection during DATA")
            self.data += line

    def hang_up(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is over already

    def reset(self):
        """Ends the connection with RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self._stream.close()
        self.socket.close()

    def follow(self, script):
        """Plays a script: `S text` says a line, `C pattern` reads one that must match (where it is
        `QUIT`, a client that has another message finds the connection closed), `data`
        reads a message's body, `raw` sends a Python bytes literal, `close`, `reset`, and `hold`
        keeps the connection open until the client leaves."""
        for step in script:
            verb, _, rest = step.partition(" ")
            if verb == "S":
                self.say(rest)
            elif verb == "C":
                line = self.read_line()
                if rest == "QUIT" and line.startswith(("MAIL ", "RSET")):
                    return
                if not fnmatch.fnmatchcase(line.upper(), rest.upper().replace("[", "[[]")):
                    raise AssertionError(f"the client said {line!r} where {rest!r} was expected")
            elif verb == "data":
                self.read_data()
            elif verb == "raw":
                self.send(eval(rest, {"__builtins__": {}}))  # a literal from our own test
            elif verb == "hold":
                while self._stream.read(4096):
                    pass
            elif verb == "reset":
                self.reset()
                return
            elif verb == "close":
                return
            else:
                raise ValueError(f"unknown step in a server's script: {step}")


class ScriptedServer:
    """Listens on a port of a host and gives each connection to a script or a function of a Peer.

    A list of scripts serves one connection after another, the last one all that follow.
    """

    def __init__(self, behaviour, host=hosts.MAIN, port=25, address="::"):
        self.peers = []
        self.errors = []
        self._behaviours = _as_list(behaviour)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with hosts.network_of(host):
            self._listener = socket.create_server((address, port), family=family, backlog=128,
                                                  dualstack_ipv6=address == "::")
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self.peers:  # a client may have stayed
            peer.hang_up()
        if kind is None and self.errors:
            raise AssertionError(f"the scripted server met: {self.errors[0]}")

    def wait_for_connections(self, count=1):
        """Returns the peers once at least `count` connections have come and ended."""
        def ended():
            return [peer for peer in self.peers if peer.ended.is_set()]
        wait_until(lambda: len(ended()) >= count, f"{count} connections to the scripted server")
        return ended()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            peer = Peer(connection)
            peer.ended = threading.Event()
            behaviour = self._behaviours[min(len(self.peers), len(self._behaviours) - 1)]
            self.peers.append(peer)
            threading.Thread(target=self._serve, args=(peer, behaviour), daemon=True).start()

    def _serve(self, peer, behaviour):
        try:
            if callable(behaviour):
                behaviour(peer)
            else:
                peer.follow(behaviour)
        except (EOFError, OSError):
            pass  # a client may leave at any time; the test looks at what it said
        except Exception as error:
            self.errors.append(error)
        finally:
            peer.close()
            peer.ended.set()


def _as_list(behaviour):
    if callable(behaviour):
        return [behaviour]
    several = behaviour and (callable(behaviour[0]) or not isinstance(behaviour[0], str))
    return list(behaviour) if several else [behaviour]
