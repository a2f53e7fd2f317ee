"""The world's name server: authoritative for the whole tree, from zone files, over UDP and TCP.

dnspython parses the zones and the packets; this file looks names up. Later zones replace record
sets of earlier ones; a directory stands for the files in it, by name. Whatever changes is read
again at the next question. A TXT record
`world: servfail`, `refused`, `silent` or `truncate` makes the server treat questions for that
name, and names below it, that way (`truncate`: over UDP only).
"""

import os
import socket
import socketserver
import threading

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.zone

MAX_CNAMES = 16
PLAIN_UDP_BYTES = 512  # RFC 1035 2.3.4, without EDNS


class ZoneError(Exception):
    """A zone file does not parse; the text names the file."""


def read_zone(path):
    try:
        with open(path, encoding="utf-8") as file:
            text = f"$ORIGIN .\n$TTL 60\n{file.read()}\n"
        return dns.zone.from_text(text, origin=".", relativize=False, check_origin=False)
    except (dns.exception.DNSException, OSError, UnicodeDecodeError, ValueError) as error:
        raise ZoneError(f"{path}: {error}") from error


class Records:
    """The record sets of several zones; the last zone that has a name and type wins."""

    def __init__(self, zones):
        self.sets = {}  # name -> {type: rdataset}
        self.conduct = {}  # name -> how to treat questions below it
        for zone in zones:
            for name, rdataset in zone.iterate_rdatasets():
                self.sets.setdefault(name, {})[rdataset.rdtype] = rdataset
        for name, sets in self.sets.items():
            for text in sets.get(dns.rdatatype.TXT, ()):
                words = b"".join(text.strings).decode(errors="replace")
                if words.startswith("world: "):
                    self.conduct[name] = words.removeprefix("world: ")
        self.parents = {parent for name in self.sets for parent in _ancestors(name)}

    def conduct_of(self, name):
        for ancestor in _ancestors(name):
            if ancestor in self.conduct:
                return self.conduct[ancestor]
        return "answer"

    def find(self, name):
        """The record sets at a name: {} if it exists without any, None if it does not exist."""
        if name in self.sets:
            return self.sets[name]
        if name in self.parents:
            return {}
        for encloser in _ancestors(name):  # RFC 4592: a wildcard counts at the closest encloser
            if encloser in self.parents or encloser in self.sets:
                return self.sets.get(dns.name.from_text("*", encloser))
        return None


def _ancestors(name):
    """The name itself, then each domain above it up to the root."""
    while True:
        yield name
        if name == dns.name.root:
            return
        name = name.parent()


def answer(records, query, over_udp):
    """The response to a query, or None for silence."""
    response = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    conduct = records.conduct_of(question.name)
    if conduct == "silent":
        return None
    if conduct in ("servfail", "refused"):
        response.set_rcode(dns.rcode.from_text(conduct))
        return response
    if conduct == "truncate" and over_udp:
        response.flags |= dns.flags.TC
        return response
    response.flags |= dns.flags.AA
    _fill(records, response, question)
    return response


def _fill(records, response, question):
    name, wanted = question.name, question.rdtype
    for _ in range(MAX_CNAMES):
        sets = records.find(name)
        if sets is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            break
        alias = sets.get(dns.rdatatype.CNAME)
        if alias and wanted not in (dns.rdatatype.CNAME, dns.rdatatype.ANY):
            response.answer.append(dns.rrset.from_rdata_list(name, alias.ttl, alias))
            name = alias[0].target
            continue
        found = [sets[kind] for kind in sets if wanted in (kind, dns.rdatatype.ANY)]
        for rdataset in found:
            response.answer.append(dns.rrset.from_rdata_list(name, rdataset.ttl, rdataset))
        if found:
            return
        break
    authority = records.sets.get(dns.name.root, {}).get(dns.rdatatype.SOA)
    if authority:
        response.authority.append(
            dns.rrset.from_rdata_list(dns.name.root, authority.ttl, authority))


class NameServer:
    """Answers packets from files that may change at any time."""

    def __init__(self, paths, log):
        self._paths = paths
        self._log = log
        self._lock = threading.Lock()
        self._stamps = None
        self._records = None
        self._answers = {}  # the query's bytes after its id -> (response bytes after the id, line)
        self._reload()

    def _reload(self):
        files = [file for path in self._paths for file in _files(path)]
        stamps = [(file, s.st_mtime_ns, s.st_size, s.st_ino)
                  for file, s in zip(files, map(os.stat, files))]
        if stamps == self._stamps:
            return
        self._records = Records([read_zone(file) for file in files])
        self._answers.clear()
        self._stamps = stamps

    def respond(self, packet, over_udp):
        """The response's bytes, or b"" for silence."""
        with self._lock:
            try:
                self._reload()
            except (ZoneError, OSError) as error:
                self._write(f"keeping the old records: {error}")
            key = (packet[2:], over_udp)
            if key not in self._answers:
                self._answers[key] = self._make(packet, over_udp)
            rest, line = self._answers[key]
            self._write(line)
        return packet[:2] + rest if rest else b""

    def _make(self, packet, over_udp):
        try:
            query = dns.message.from_wire(packet)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return b"", "malformed question"
        response = answer(self._records, query, over_udp)
        transport = "udp" if over_udp else "tcp"
        asked = f"{question.name} {dns.rdatatype.to_text(question.rdtype)} {transport}"
        if response is None:
            return b"", f"{asked} silence"
        wire = _wire(response, query, over_udp)
        return wire[2:], f"{asked} {dns.rcode.to_text(response.rcode())} {len(response.answer)}"

    def _write(self, line):
        self._log.write(line + "\n")
        self._log.flush()


def _files(path):
    return [path] if path.is_file() else sorted(path.glob("[!.]*"))


def _wire(response, query, over_udp):
    if not over_udp:
        return response.to_wire(max_size=65535)
    limit = max(PLAIN_UDP_BYTES, query.payload if query.edns >= 0 else 0)
    try:
        return response.to_wire(max_size=limit)
    except dns.exception.TooBig:
        short = dns.message.make_response(query, recursion_available=True)
        short.flags |= dns.flags.AA | dns.flags.TC
        return short.to_wire()


class _Stream(socketserver.StreamRequestHandler):
    def handle(self):
        while length := self.rfile.read(2):
            packet = self.rfile.read(int.from_bytes(length, "big"))
            response = self.server.name_server.respond(packet, over_udp=False)
            if response:
                self.wfile.write(len(response).to_bytes(2, "big") + response)


class _StreamServer(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    allow_reuse_address = True
    daemon_threads = True


def serve(name_server, ready):
    """Serves port 53 of every address for ever; calls ready() when it does."""
    stream = _StreamServer(("::", 53), _Stream)
    stream.name_server = name_server
    threading.Thread(target=stream.serve_forever, daemon=True).start()
    datagrams = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    datagrams.bind(("::", 53))
    ready()
    while True:
        packet, sender = datagrams.recvfrom(65535)
        response = name_server.respond(packet, over_udp=True)
        if response:
            datagrams.sendto(response, sender)
