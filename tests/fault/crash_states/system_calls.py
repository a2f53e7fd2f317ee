"""Reads what strace saw: every call of every process that changes files or syncs them, in order.

strace sees static and setuid programs alike. It writes a line when a call ends (for a call during
which others ended, one at its start and one at its end), so a call has two places in the order. A
sync is only counted on for what had ended before it began; a change is only there from its end on.
"""

import dataclasses
import posixpath
import re

# Calls that matter to the state of files, and those that tell whose they are and where.
CHANGES = ("open,openat,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,truncate,ftruncate,"
           "fallocate,copy_file_range,sendfile,splice,link,linkat,unlink,unlinkat,rename,renameat,"
           "renameat2,symlink,symlinkat,mkdir,mkdirat,rmdir,lseek")
SYNCS = "sync,syncfs,fsync,fdatasync,msync"  # sync_file_range promises nothing
PROCESSES = "clone,clone3,fork,vfork,execve,chdir,fchdir,exit_group"
WITHOUT_EFFECT = PROCESSES.split(",")
STRACE = ["strace", "-f", "-qq", "-y", "-xx", "-s", "4000000", "--signal=none",
          "-e", f"trace={CHANGES},{SYNCS},{PROCESSES}"]

_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?)(?:<([^>]*)>)?")
_UNFINISHED = re.compile(r"(\w+)\((.*?) ?<unfinished \.\.\.>$")
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
_ARGUMENT = re.compile(r'((?:"[^"]*"(?:\.\.\.)?|\[[^]]*\]|\{[^}]*\}|[^,"\[{])*)(?:, |$)')
_DESCRIPTOR = re.compile(r"(-?\d+|AT_FDCWD)<([^>]*)>(\(deleted\))?")
_BYTES = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class NotUnderstood(Exception):
    """A line that this module cannot read; nothing may be left out of a recording silently."""


@dataclasses.dataclass
class Call:
    """A system call that has succeeded."""

    process: "Process"
    name: str
    arguments: list
    result: int
    opened: str | None  # the path of a descriptor that it returned
    start: int
    end: int
    cwd: str

    def bytes_at(self, index):
        return b"".join(map(_unescape, _BYTES.findall(self.arguments[index])))

    def path(self, index):
        """The path in an argument, absolute."""
        return posixpath.normpath(posixpath.join(self.cwd, self.bytes_at(index).decode()))

    def path_at(self, index):
        """The same for a call of the *at family, whose directory stands one argument before."""
        directory = self.descriptor(index - 1)[1] or self.cwd
        return posixpath.normpath(posixpath.join(directory, self.bytes_at(index).decode()))

    def descriptor(self, index):
        """The number of a descriptor, and the path by which it was opened."""
        found = _DESCRIPTOR.fullmatch(self.arguments[index].strip())
        if not found:
            return self.arguments[index], None
        path = _unescape(found[2]).decode()
        return found[1], path.removesuffix(" (deleted)")


class Process:
    """A process, or a thread of one."""

    def __init__(self, number, parent=None, is_thread=False):
        self.number = number
        self.leader = parent.leader if is_thread else self
        self.program = parent.program if parent else ""
        self.arguments = parent.arguments if parent else []
        self.cwd = parent.cwd if is_thread else [parent.cwd[0] if parent else "/"]
        self.offsets = parent.offsets if is_thread else dict(parent.offsets if parent else {})


def _unescape(text):
    return bytes.fromhex(text.replace("\\x", ""))


def _split(text):
    arguments, at = [], 0
    while at < len(text):
        found = _ARGUMENT.match(text, at)
        if found is None or found.end() == at:
            raise NotUnderstood(text)
        arguments.append(found[1])
        at = found.end()
    return arguments


class Reader:
    """The calls of a recording, and beside them the ends of its processes (name "exit")."""

    def __init__(self, cwd="/"):
        self._cwd = cwd
        self._processes = {}
        self._unfinished = {}  # process number: (name, text so far, line)

    def read(self, lines):
        for number, line in enumerate(lines):
            found = _LINE.match(line.rstrip("\n"))
            if not found:
                raise NotUnderstood(line)
            call = self._line(self._process(int(found[1])), found[2], number)
            if call:
                yield call

    def _process(self, number):
        if number not in self._processes:
            # A child may act before its parent's clone is seen to return.
            parents = [n for n, (name, *_) in self._unfinished.items()
                       if name in ("clone", "clone3", "fork", "vfork")]
            parent = self._processes[parents[-1]] if parents else None
            is_thread = bool(parents) and "CLONE_THREAD" in self._unfinished[parents[-1]][1]
            self._processes[number] = Process(number, parent, is_thread)
            if parent is None:
                self._processes[number].cwd[0] = self._cwd
        return self._processes[number]

    def _line(self, process, text, number):
        if text.startswith(("+++", "---")):
            return None
        start = number
        if found := _UNFINISHED.match(text):
            self._unfinished[process.number] = (found[1], found[2], number)
            return None
        if found := _RESUMED.match(text):
            name, before, start = self._unfinished.pop(process.number)
            text = f"{name}({before}{found[2]}"
        if text.startswith("exit_group("):
            status = int(re.match(r"exit_group\((\d+)", text)[1])
            return Call(process, "exit", [], status, None, start, number, process.cwd[0])
        found = _CALL.match(text)
        if not found:
            raise NotUnderstood(text[:300])
        if found[3] == "?" or int(found[3]) < 0:
            return None
        opened = _unescape(found[4]).decode() if found[4] else None
        call = Call(process, found[1], _split(found[2]), int(found[3]), opened, start, number,
                    process.cwd[0])
        self._follow(call)
        return call

    def _follow(self, call):
        """What a call means for those that come after it."""
        process = call.process
        if call.name in ("clone", "clone3", "fork", "vfork") and call.result:
            if call.result not in self._processes:
                is_thread = any("CLONE_THREAD" in argument for argument in call.arguments)
                self._processes[call.result] = Process(call.result, process, is_thread)
        elif call.name == "execve":
            process.program = posixpath.basename(call.bytes_at(0).decode())
            process.arguments = [_unescape(argument).decode()
                                 for argument in _BYTES.findall(call.arguments[1])]
        elif call.name == "chdir":
            process.cwd[0] = call.path(0)
        elif call.name == "fchdir":
            process.cwd[0] = call.descriptor(0)[1]
