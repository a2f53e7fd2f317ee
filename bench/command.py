"""The command line: scripts/bench [OPTION...]."""

import argparse
import json
import os
import pathlib
import sys

from bench import REPOSITORY, counters, fetch, flame, plot, report, run, servers, workloads
from bench.disk import KINDS, Disk
from bench.world import ServerFailed

# What can be chosen of each: the full run, the quick one, and what it is the number of.
_AMOUNTS = {
    "messages": (3000, 150, "messages of each round and workload"),
    "recipients": (5000, 200, "recipients of the message to many"),
    "waiting": (20_000, 1000, "messages that wait for the dead host in backlog"),
    "fresh": (1000, 200, "new messages of backlog"),
    "logins": (2000, 200, "logins"),
    "queued": (100_000, 1000, "messages in the queue of restart"),
}
_ROUNDS = {False: 3, True: 1}
_CONNECTIONS = {False: [20, 200, 1000], True: [20]}


def main(arguments):
    options = _parse(arguments)
    if os.geteuid() != 0:
        print("bench: run this as root: it makes private machines", file=sys.stderr)
        return 1
    plan = _plan(options)
    try:
        _fetch(plan)
        with Disk(options.fs, options.dir) as disk:
            texts = (_find_time if options.flame else _compare)(options, plan, disk)
    except (fetch.FetchError, ServerFailed, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if options.output:
        _write_files(pathlib.Path(options.output), texts)
    return 0


def _compare(options, plan, disk):
    """Prints the report. Returns texts by the names of their files."""
    figures = run.run(plan, disk)
    figures["disk"] = f"in {options.dir}" if options.dir else f"{options.fs} of its own"
    text = report.format_report(figures)
    print(text, end="")
    return {"bench.txt": text, "bench.json": json.dumps(figures, indent=1) + "\n",
            "bench.svg": plot.draw(figures)}


def _find_time(options, plan, disk):
    """The same for what processor time goes to."""
    folded = run.record(plan, disk, options.flame)
    print(flame.format_shares(folded), end="")
    title = f"{plan.servers[0].title}, {workloads.ALL[options.flame].title}: {sum(folded.values())} samples"
    return {f"flame-{options.flame}.svg": flame.draw(folded, title)}


def _plan(options):
    if not counters.can_count():
        print("bench: no perf here (Debian's linux-perf): events are not counted", file=sys.stderr)
    names = options.servers.split(",")
    chosen = [servers.by_name(name) for name in (names[:1] if options.flame else names)]
    if options.qmail_home and not options.flame:
        chosen.append(servers.Qmail(options.qmail_home))
    return run.Plan(servers=chosen,
                    workloads=options.workloads,
                    rounds=options.rounds or _ROUNDS[options.quick],
                    amounts={what: getattr(options, what) or (quick if options.quick else full)
                             for what, (full, quick, _) in _AMOUNTS.items()},
                    connections=options.connections,
                    counted=counters.can_count() and not options.no_counts,
                    build=options.build)


def _fetch(plan):
    """Postfix's package in any case: the load's programs are in it."""
    for package in {"postfix"} | {server.package for server in plan.servers if server.package}:
        fetch.unpack(package)


def _write_files(directory, texts):
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    print(f"bench: wrote {', '.join(texts)} to {directory}", file=sys.stderr)


def _count(text):
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)


def _counts(text):
    return [_count(part) for part in text.split(",")]


def _names(wanted):
    return ",".join(name for name, workload in workloads.ALL.items() if wanted(workload))


def _parse(arguments):
    names = [server.name for server in servers.ALL]
    known_servers = [server.name for server in servers.KNOWN]
    parser = argparse.ArgumentParser(
        prog="scripts/bench", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures Postern and other mail servers side by side. Needs root and a release "
                    "build; fetches the others' Debian packages on first use.",
        epilog="workloads:\n" + "".join(f"  {name:16} {workload.title}\n"
                                        for name, workload in workloads.ALL.items()))
    parser.add_argument("--quick", action="store_true", help="an answer in three minutes")
    parser.add_argument("--servers", default=",".join(names), metavar="NAME,...",
                        help="default: %(default)s; there is postern-strangers too, which serves "
                             "each SMTP client in a process of his own, as if each had an address of "
                             "his own")
    parser.add_argument("--qmail-home", metavar="DIR", type=pathlib.Path,
                        help="measure a copy of this installation of a qmail too; its programs must "
                             "be compiled for /var/qmail")
    parser.add_argument("--workloads", metavar="NAME,...",
                        help="default: all of the list below but "
                             + _names(lambda workload: workload.slow) + "; with --quick "
                             + _names(lambda workload: workload.quick))
    parser.add_argument("--rounds", type=_count, metavar="N", help="default: 3; with --quick 1")
    for name, (full, quick, what) in _AMOUNTS.items():
        parser.add_argument(f"--{name}", type=_count, metavar="N",
                            help=f"{what}; default: {full}; with --quick {quick}")
    parser.add_argument("--connections", type=_counts, metavar="N,...",
                        help="numbers of idle clients for memory; default: 20,200,1000; with "
                             "--quick 20")
    parser.add_argument("--no-counts", action="store_true",
                        help="leave out the round in which system calls and the like are counted")
    parser.add_argument("--fs", choices=KINDS, default="ext4",
                        help="the kind of file system that is made for the bench; default: ext4")
    parser.add_argument("--dir", metavar="DIR", help="use a directory of the machine instead")
    parser.add_argument("--build", default=REPOSITORY / "build/release", metavar="DIR",
                        help="take Postern's programs from DIR/bin; default: build/release")
    parser.add_argument("--output", metavar="DIR",
                        help="write bench.txt, bench.json and bench.svg there, or what --flame finds")
    parser.add_argument("--flame", nargs="?", const="smtp-reused", metavar="WORKLOAD",
                        choices=[name for name, workload in workloads.ALL.items() if workload.share],
                        help="instead of comparing servers find out what processor time of one of them "
                             "goes to, Postern's or that of the first of --servers, in one workload, "
                             "smtp-reused unless it is named: a table, and flame-WORKLOAD.svg in the "
                             "directory of --output; needs perf")
    options = parser.parse_args(arguments)
    options.workloads = options.workloads or _names(
        lambda workload: workload.quick if options.quick else not workload.slow)
    options.connections = options.connections or _CONNECTIONS[options.quick]
    for given, known, what in ((options.servers, known_servers, "server"),
                               (options.workloads, workloads.ALL, "workload")):
        for name in given.split(","):
            if name not in known:
                parser.error(f"no {what} is called {name}; there are {', '.join(known)}")
    options.workloads = options.workloads.split(",")
    if options.flame and not counters.can_count():
        parser.error("--flame: there is no perf here (Debian's linux-perf)")
    if options.qmail_home and not (options.qmail_home / "bin/qmail-start").exists():
        parser.error(f"--qmail-home: there is no bin/qmail-start in {options.qmail_home}")
    return options
