"""Builds a world, runs the command in it, and ends it.

Three kinds of processes:
  the caller's   waits for the world and passes its exit status on
  the hub        process 1 of the world: holds the bridge and starts everything; when it ends, or
                 the caller's process is killed, the kernel kills every process of the world
  the hosts      one each, in network, mount and host name namespaces of its own; the main host's
                 process runs the command
"""

import os
import signal
import socket
import subprocess
import sys
import traceback

from world import host as hosts
from world import linux, network, plan as plans, root, zone

FAILED = 125  # exit status when the world itself could not be made


def main(arguments):
    try:
        plan = plans.parse(arguments)
        plans.check_machine(plan)
    except plans.PlanError as error:
        print(f"scripts/world: {error}", file=sys.stderr)
        return FAILED
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET
                  | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)
    hub = _start(lambda: _run_hub(plan))
    for number in (signal.SIGINT, signal.SIGQUIT):  # typed at the terminal: COMMAND's business
        signal.signal(number, signal.SIG_IGN)
    status = os.waitstatus_to_exitcode(os.waitpid(hub, 0)[1])
    _take_terminal(os.getpgrp())
    return status if status >= 0 else 128 - status


def _start(function):
    """Runs function() in a child; the child's exit status is its value."""
    pid = os.fork()
    if pid:
        return pid
    status = FAILED
    try:
        linux.die_with_parent(signal.SIGKILL)
        status = function()
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except (OSError, hosts.HostError, subprocess.SubprocessError) as error:
        print(f"scripts/world: {error}", file=sys.stderr)
    except Exception:  # our own mistake
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _run_hub(plan):
    # Process 1 of a world would be deaf to a ^C that has no handler.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    linux.set_process_title("world hub")
    stage = _make_stage(plan)
    members = [_Member(plan, host, stage) for host in plan.hosts]
    for member in members:
        member.expect(b"unshared")
    network.make_hub([member.pid for member in members])
    for member in members:
        member.tell(b"cable")
    _start_name_server(plan, stage)
    for member in members:
        member.expect(b"ready")
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    members[0].tell(b"go")
    while True:  # process 1 inherits orphans
        pid, status = os.wait()
        if pid == members[0].pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _make_stage(plan):
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("proc", "/proc", "proc")
    stage = root.stage_directory(plan)
    linux.mount("world", str(stage), "tmpfs", 0, "mode=0755")
    shared = stage / "world"
    (shared / "hosts").mkdir(parents=True)
    (shared / "zone.d").mkdir()
    (shared / "zone.automatic").write_text(zone.automatic_zone(plan.hosts), encoding="utf-8")
    (shared / "zone").write_text("; Records added here count from the next question on.\n",
                                 encoding="utf-8")
    return stage


def _start_name_server(plan, stage):
    """Returns when it answers."""
    paths = [stage / "world/zone.automatic", *plan.zones,
             stage / "world/zone", stage / "world/zone.d"]
    ours, theirs = socket.socketpair()

    def serve():
        ours.close()
        linux.set_process_title("world name server")
        _ignore_terminal()
        from world import name_server  # takes longer to load than all the rest
        log = open(stage / "world/dns.log", "w", encoding="utf-8")
        try:
            server = name_server.NameServer(paths, log)
        except name_server.ZoneError as error:
            raise hosts.HostError(str(error)) from error
        name_server.serve(server, ready=lambda: theirs.send(b"+"))

    _start(serve)
    theirs.close()
    if ours.recv(1) != b"+":
        raise hosts.HostError("the name server did not start")


def _ignore_terminal():
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


class _Member:
    """A host's process, and the line between it and the hub."""

    def __init__(self, plan, host, stage):
        self.name = host.name
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = _start(lambda: self._live(plan, host, stage, theirs))
        theirs.close()

    def tell(self, word):
        self._line.send(word)

    def expect(self, word):
        if self._line.recv(64) != word:
            raise hosts.HostError(f"{self.name} did not come up")

    def _live(self, plan, host, stage, line):
        self._line.close()
        _ignore_terminal()
        linux.set_process_title(f"world {host.name}")
        linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWUTS
                      | linux.CLONE_NEWIPC)
        line.send(b"unshared")
        hosts.bring_up(plan, host, stage, wait_for_cable=lambda: line.recv(64))
        line.send(b"ready")
        if host.is_main:
            line.recv(64)
            return _run_command(plan)
        while True:
            signal.pause()


def _run_command(plan):
    """Runs COMMAND, or a shell, in the foreground of the terminal. Returns its exit status."""
    environment = hosts.environment(plan)
    shell = ["bash", "--rcfile", str(plans.REPOSITORY / "scripts/lib/world/bashrc"), "-i"]
    interactive = not plan.command and os.isatty(0)
    command = plan.command or (shell if interactive else ["bash"])

    def prepare():
        if interactive:
            os.setpgid(0, 0)
            _take_terminal(os.getpid())
        hosts.restore_signals()

    try:
        process = subprocess.Popen(command, env=environment, cwd=plan.directory,
                                   preexec_fn=prepare)
    except OSError as error:
        print(f"scripts/world: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127 if isinstance(error, FileNotFoundError) else 126
    status = process.wait()
    if plan.orderly:
        hosts.stop_services(plan)
    return status if status >= 0 else 128 - status


def _take_terminal(group):
    if os.isatty(0):
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            os.tcsetpgrp(0, group)
        except OSError:
            pass  # not our controlling terminal
