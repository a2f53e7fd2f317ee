"""The cables of a world: each host's eth0 is a veth into a bridge, where the name server sits."""

import subprocess

from world.plan import SILENT_V4, SILENT_V6, WIRE_V4, WIRE_V6

SILENT_STATION = "02:00:00:00:00:fe"  # a station that does not exist: frames to it vanish


def make_hub(pids):
    """In the hub's network namespace: a bridge, and a cable to each host's process id."""
    lines = ["link set lo up",
             "link add name hub type bridge mcast_snooping 0",
             "link set dev hub addrgenmode none up",
             f"address add {WIRE_V4}/24 dev hub",
             f"address add {WIRE_V6}/64 dev hub nodad"]
    for number, pid in enumerate(pids, start=1):
        lines += [f"link add name port{number} type veth peer name eth0 netns {pid}",
                  f"link set dev port{number} master hub addrgenmode none up"]
    _ip(lines)


def make_interface(host):
    """In a host's network namespace: its addresses on loopback and eth0."""
    _ip(["link set lo up",
         "link set dev eth0 addrgenmode none up",
         f"address add {host.v4}/24 dev eth0",
         f"address add {host.v6}/64 dev eth0 nodad",
         f"neighbour add {SILENT_V4} lladdr {SILENT_STATION} dev eth0 nud permanent",
         f"neighbour add {SILENT_V6} lladdr {SILENT_STATION} dev eth0 nud permanent"])


def _ip(lines):
    result = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                            stderr=subprocess.PIPE, check=False)
    if result.returncode != 0:
        raise OSError(f"cannot make the network: {result.stderr.strip()}")
