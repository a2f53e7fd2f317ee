"""What a server's processes cost: processor time, what it goes to, and events counted by the kernel.

A server's processes are in a control group of their own; what they start is in it too, and the load's
programs are not. A group is counted whole, whatever its processes do: events that follow a process
would be switched off by the kernel where it runs a setuid program.
"""

import collections
import os
import pathlib
import shutil
import subprocess

from bench import stacks

_TRACING = "/sys/kernel/tracing"
_SAMPLES = 1999  # a second of processor time
_RECORD = "/run/bench-perf.data"
# What is counted, and the kernel's events that add up to it.
EVENTS = {
    "system calls": ("raw_syscalls:sys_enter",),
    "page faults": ("page-faults",),
    "context switches": ("context-switches",),
    "forks": ("sched:sched_process_fork",),
    "execs": ("sched:sched_process_exec",),
    "syncs": ("syscalls:sys_enter_fsync", "syscalls:sys_enter_fdatasync",
              "syscalls:sys_enter_syncfs"),
}


class Group:
    """A control group (version 2), an existing directory."""

    def __init__(self, directory):
        self._directory = directory

    def adopt_everybody(self):
        """Takes in every process of this world that is not the world's own or ours."""
        while strangers := self._strangers():
            for pid in strangers:
                try:
                    (self._directory / "cgroup.procs").write_text(f"{pid}\n", encoding="ascii")
                except ProcessLookupError:
                    pass  # it has ended

    def enter(self):
        """This process, and what it starts, is counted from now on."""
        (self._directory / "cgroup.procs").write_text("0\n", encoding="ascii")

    def cpu_seconds(self):
        """Processor time of all processes so far, ended ones too."""
        for line in (self._directory / "cpu.stat").read_text(encoding="ascii").splitlines():
            name, value = line.split()
            if name == "usage_usec":
                return int(value) / 1e6
        raise OSError("cpu.stat has no usage_usec")

    def memory(self):
        """Bytes of the processes of each name; of what several share, each has its part."""
        shares = collections.Counter()
        for pid in self.pids():
            shares[_name(pid)] += _proportional_share(pid)
        return shares

    def mapped_files(self):
        """The programs, libraries and other files that its processes have mapped."""
        return set().union(*map(_mapped_files, self.pids()))

    def pids(self):
        return {int(pid) for pid in
                (self._directory / "cgroup.procs").read_text(encoding="ascii").split()}

    def name(self):
        """As perf wants it: from the top of the hierarchy."""
        return "/".join(self._directory.parts[-2:])

    def _strangers(self):
        ours = self.pids() | {1, os.getpid()}
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
                if pid not in ours and _is_a_servers(pid)]


def _of_process(pid, file):
    """What a file of /proc/PID says; nothing where the process has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _is_a_servers(pid):
    title = _of_process(pid, "cmdline")
    return bool(title) and not title.startswith("world ")  # a process that has ended has none


def _name(pid):
    return _of_process(pid, "comm").rstrip("\n")


def _mapped_files(pid):
    fields = (line.split(maxsplit=5) for line in _of_process(pid, "maps").splitlines())
    # proc_pid_maps(5): the sixth is the path, if there is one.
    return {field[5] for field in fields if len(field) == 6 and field[5].startswith("/")}


def _proportional_share(pid):
    return next((1024 * int(line.split()[1])
                 for line in _of_process(pid, "smaps_rollup").splitlines()
                 if line.startswith("Pss:")), 0)


def can_count():
    return shutil.which("perf") is not None


class _Perf:
    """Has perf watch a group between `with` and its end."""

    def __init__(self, *command):
        self._command = [*command, "-a", "-D", "-1"]

    def __enter__(self):
        control, perf_control = os.pipe()
        acknowledged, perf_acknowledges = os.pipe()
        self._process = subprocess.Popen(
            [*self._command, "--control", f"fd:{control},{perf_acknowledges}"],
            pass_fds=(control, perf_acknowledges), stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        os.close(control)
        os.close(perf_acknowledges)
        os.write(perf_control, b"enable\n")
        if not os.read(acknowledged, 16):
            raise OSError(f"perf does not watch: {self._process.stderr.read()}")
        os.close(acknowledged)
        self._control = perf_control
        return self

    def __exit__(self, *_):
        self._process.send_signal(2)
        self._finish(self._process.communicate()[1])
        os.close(self._control)

    def _finish(self, said):
        raise NotImplementedError


class Count(_Perf):
    """Counts a group's events; `totals` has them afterwards."""

    def __init__(self, group):
        events = ",".join(event for several in EVENTS.values() for event in several)
        super().__init__("perf", "stat", "-x", ";", "-e", events, "--for-each-cgroup", group.name())
        self.totals = {}

    def __enter__(self):
        if not os.path.exists(f"{_TRACING}/events"):
            subprocess.run(["mount", "-t", "tracefs", "tracefs", _TRACING], check=True)
        return super().__enter__()

    def _finish(self, said):
        self.totals = parse_counts(said)


class Stacks(_Perf):
    """Samples what a group's processes do; `folded` has it afterwards. By the clock, because a virtual
    machine may have no counters in its processor."""

    def __init__(self, group):
        super().__init__("perf", "record", "-q", "-o", _RECORD, "-e", "cpu-clock", "-F", str(_SAMPLES),
                         "-G", group.name(), "--call-graph", "fp")
        self.folded = {}

    def _finish(self, said):
        """Here, where the programs' files have the names that perf noted."""
        with subprocess.Popen(["perf", "script", "--no-inline", "-i", _RECORD, "-F", "comm,ip,sym"],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as script:
            self.folded = stacks.fold(script.stdout)
        os.unlink(_RECORD)
        if not self.folded:
            raise OSError(f"perf saw nothing: {said}")


def parse_counts(output):
    """The totals by what is counted, from perf stat -x ';'. Events it could not count are left out."""
    found = {}
    for line in output.splitlines():
        fields = line.split(";")
        if len(fields) > 2 and fields[0].isdigit():
            found[fields[2]] = int(fields[0])
    return {what: sum(found[event] for event in events)
            for what, events in EVENTS.items() if all(event in found for event in events)}
