"""The automatic DNS records of a world, as the text of a zone file."""

import ipaddress

from world.plan import SILENT_V4, SILENT_V6, WIRE_V4, WIRE_V6, MAIN_HOST

HEAD = f"""\
; Made by scripts/world. Records in /run/world/zone, or in a --zone file, replace these.
$TTL 60
.                SOA ns.test. root.test. 1 3600 600 86400 60
.                NS  ns.test.
localhost        A   127.0.0.1
localhost        AAAA ::1
1.0.0.127.in-addr.arpa PTR localhost.
ns.test          A   {WIRE_V4}
ns.test          AAAA {WIRE_V6}
; Names for trouble.
silent.test      A   {SILENT_V4}
silent.test      AAAA {SILENT_V6}
refused.test     A   {WIRE_V4}
nomx.test        MX  0 .
loop.test        MX  10 {MAIN_HOST}.
servfail.test    TXT "world: servfail"
timeout.test     TXT "world: silent"
"""


def automatic_zone(hosts):
    """A, AAAA, PTR and MX records for every host; a domain's first host is its best MX."""
    lines = [HEAD]
    place = {}
    for host in hosts:
        lines += [f"{host.name}. A {host.v4}", f"{host.name}. AAAA {host.v6}"]
        for address in (host.v4, host.v6):
            lines.append(f"{ipaddress.ip_address(address).reverse_pointer}. PTR {host.name}.")
        place[host.domain] = place.get(host.domain, 0) + 1
        lines.append(f"{host.domain}. MX {10 * place[host.domain]} {host.name}.")
    return "\n".join(lines) + "\n"
