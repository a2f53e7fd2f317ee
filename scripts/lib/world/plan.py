"""What a world consists of: its hosts with their names and addresses, read from the options."""

import argparse
import dataclasses
import importlib.util
import os
import pathlib
import re
import shutil

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
MAIN_HOST = "mail.example.org"
WIRE_V4, WIRE_V6 = "192.0.2.53", "2001:db8::53"  # the name server, at the hub of all cables
SILENT_V4, SILENT_V6 = "192.0.2.254", "2001:db8::254"  # packets sent here vanish
MAX_HOSTS = 50

PACKAGE_OF = {
    "ip": "iproute2", "nsenter": "util-linux", "svscan": "daemontools", "multilog": "daemontools",
    "tcpserver": "ucspi-tcp-ipv6", "tcprules": "ucspi-tcp-ipv6", "useradd": "passwd",
}

EPILOG = f"""\
what is inside:
  {MAIN_HOST}   192.0.2.1, 2001:db8::1: where COMMAND runs; example.org is local
  further hosts      192.0.2.2, 2001:db8::2 and so on, in the order of the options;
                     enter one with `on NAME COMMAND...`
  users              alice, bob and carol, passwords alice-password and so on, on every host
  name server        {WIRE_V4}, answering for the whole tree from zone files; it logs each
                     question to /run/world/dns.log and rereads a changed file at once;
                     records written to /run/world/zone, or to a file in /run/world/zone.d,
                     replace those of the same name and type
  names for trouble  silent.test (packets vanish), refused.test (nobody listens),
                     nomx.test (null MX), loop.test (an MX that is {MAIN_HOST} itself),
                     servfail.test, timeout.test (the name server misbehaves)

The exit status is COMMAND's. When it ends, or this script is killed, everything in the world
ends with it and nothing is left on the real machine."""


class PlanError(Exception):
    """The options cannot be met; the text says what to do."""


@dataclasses.dataclass
class Host:
    name: str
    number: int  # the last part of its addresses
    bare: bool = False  # no suite: for somebody else's server
    owns_domain: bool = True  # its domain's mail is delivered here, not merely relayed

    @property
    def v4(self):
        return f"192.0.2.{self.number}"

    @property
    def v6(self):
        return f"2001:db8::{self.number:x}"

    @property
    def domain(self):
        """mx2.example.net serves example.net; a name of two parts serves itself."""
        return self.name.split(".", 1)[1] if self.name.count(".") > 1 else self.name

    @property
    def is_main(self):
        return self.number == 1


@dataclasses.dataclass
class Plan:
    hosts: list
    zones: list
    build: pathlib.Path
    suite: bool = True
    partial: bool = False
    orderly: bool = False
    shares: list = dataclasses.field(default_factory=list)
    queue_dir: pathlib.Path | None = None
    environment: dict = dataclasses.field(default_factory=dict)
    command: list = dataclasses.field(default_factory=list)
    directory: str = "/root"


class _AddHost(argparse.Action):
    """--host and --bare-host keep their common order: it gives the addresses."""

    def __call__(self, parser, namespace, value, option_string=None):
        hosts = list(namespace.hosts or [])
        hosts.append((value, option_string == "--bare-host"))
        namespace.hosts = hosts


def parse(arguments):
    """The plan for these command-line arguments. Raises PlanError; --help exits."""
    options = _parser().parse_args(arguments)
    build = pathlib.Path(options.build).resolve()
    plan = Plan(
        hosts=_hosts(options.hosts or []),
        zones=[_existing(path, "--zone", pathlib.Path.is_file) for path in options.zone],
        build=build if build.is_dir() else build.parent,
        suite=options.suite,
        partial=options.partial,
        orderly=options.orderly,
        shares=[_existing(path, "--share", pathlib.Path.is_dir) for path in options.share],
        environment=dict(_assignment(text) for text in options.env),
        command=options.command,
    )
    if options.queue_dir:
        plan.queue_dir = _existing(options.queue_dir, "--queue-dir", pathlib.Path.is_dir)
    if plan.suite and not (build / "bin").is_dir():
        raise PlanError(f"no programs in {build}/bin: build them first (scripts/install-packages "
                        "&& scripts/build release src/all), or say --no-suite")
    plan.build = build
    here = pathlib.Path.cwd()
    if plan.command and any(here.is_relative_to(seen) for seen in visible_directories(plan)):
        plan.directory = str(here)
    return plan


def visible_directories(plan):
    """Directories of the real machine that must be seen at the same place inside."""
    build = [plan.build] if plan.suite else []
    return [REPOSITORY, *build, *plan.shares]


def check_machine(plan):
    """Raises PlanError when the machine lacks what a world needs."""
    if os.geteuid() != 0:
        raise PlanError("a world needs root: it makes namespaces and mounts")
    if "overlay" not in pathlib.Path("/proc/filesystems").read_text():
        os.system("modprobe overlay 2>/dev/null")
    needed = ["ip", "nsenter"]
    if plan.suite:
        needed += ["svscan", "multilog", "tcpserver", "tcprules", "useradd"]
    missing = sorted({PACKAGE_OF[program] for program in needed if not shutil.which(program)})
    if not importlib.util.find_spec("dns"):
        missing.append("python3-dnspython")
    if missing:
        raise PlanError("needs Debian packages that are not installed: "
                        f"apt-get install --no-install-recommends {' '.join(missing)}")


def _parser():
    parser = argparse.ArgumentParser(
        prog="scripts/world", allow_abbrev=False, epilog=EPILOG,
        usage="scripts/world [OPTION...] [-- COMMAND [ARGUMENT...]]",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs COMMAND, or a shell, in a private machine where Postern is installed "
                    "and running.")
    parser.add_argument("--host", action=_AddHost, dest="hosts", metavar="NAME",
                        help="add a host that runs Postern for NAME's domain")
    parser.add_argument("--bare-host", action=_AddHost, dest="hosts", metavar="NAME",
                        help="add a host on which nothing runs, for another program")
    parser.add_argument("--zone", action="append", default=[], metavar="FILE",
                        help="DNS records in zone file syntax; they replace the automatic ones "
                             "of the same name and type")
    parser.add_argument("--build", default=REPOSITORY / "build" / "release", metavar="DIR",
                        help="take the programs from DIR/bin (default: build/release)")
    parser.add_argument("--no-suite", dest="suite", action="store_false",
                        help="users, network and DNS only; Postern is not installed")
    parser.add_argument("--partial", action="store_true",
                        help="install the programs that are built, and do not wait for services")
    parser.add_argument("--orderly", action="store_true",
                        help="stop the services before the world ends, instead of killing "
                             "them with it (coverage data is written at exit)")
    parser.add_argument("--share", action="append", default=[], metavar="DIR",
                        help="a directory of the real machine that may be written to, "
                             "seen at the same place inside")
    parser.add_argument("--queue-dir", metavar="DIR",
                        help=f"use DIR of the real machine as {MAIN_HOST}'s /var/qmail "
                             "(otherwise in memory)")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE",
                        help="set a variable for the services and COMMAND")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND",
                        help="default: an interactive shell")
    return _Separated(parser)


class _Separated:
    """Takes COMMAND only after `--`, so that a mistyped option is never run as a command."""

    def __init__(self, parser):
        self._parser = parser

    def parse_args(self, arguments):
        cut = arguments.index("--") if "--" in arguments else len(arguments)
        options = self._parser.parse_args(arguments[:cut])
        if options.command:
            self._parser.error(f"unknown argument {options.command[0]!r} "
                               "(a command comes after --)")
        options.command = arguments[cut + 1:]
        return options


def _hosts(wanted):
    hosts = [Host(MAIN_HOST, 1)]
    domains = {hosts[0].domain}
    for number, (name, bare) in enumerate(wanted, start=2):
        name = name.lower()
        if not re.fullmatch(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]*[a-z0-9]", name):
            raise PlanError(f"--host {name}: not a host name with a domain")
        if len(name) > 64:
            raise PlanError(f"--host {name}: Linux allows 64 characters in a host name")
        if name in [host.name for host in hosts]:
            raise PlanError(f"--host {name}: there is such a host already")
        if number > MAX_HOSTS:
            raise PlanError(f"--host {name}: a world has at most {MAX_HOSTS} hosts")
        host = Host(name, number, bare)
        host.owns_domain = host.domain not in domains
        domains.add(host.domain)
        hosts.append(host)
    return hosts


def _existing(path, option, is_right_kind):
    found = pathlib.Path(path).resolve()
    if not is_right_kind(found):
        raise PlanError(f"{option} {path}: no such {'file' if option == '--zone' else 'directory'}")
    return found


def _assignment(text):
    name, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise PlanError(f"--env {text}: expected NAME=VALUE")
    return name, value
