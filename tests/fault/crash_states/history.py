"""What happened to the files of some directories, step by step, from a recording of system calls.

Steps are of five kinds. A Naming gives a name to a file, or takes it away (a rename is two at once).
A Writing changes the content of a file. A Sync makes something durable. An Ending is a program's; a Sending is a message's, to another host.
"""

import dataclasses
import itertools
import posixpath

import system_calls


class NotModelled(Exception):
    """A call on the files we look at whose effect is not known here."""


class File:
    """A file, whatever its names: an inode."""

    numbers = itertools.count(1)

    def __init__(self, content=b""):
        self.number = next(File.numbers)
        self.content = content  # as the programs see it now
        self.initial = content  # durable before the recording began

    def __repr__(self):
        return f"<file {self.number}>"


@dataclasses.dataclass
class Step:
    start: int
    end: int
    program: str


@dataclasses.dataclass
class Naming(Step):
    names: list  # of (path, File or None, the File that had the name before or None)


@dataclasses.dataclass
class Writing(Step):
    file: File
    offset: int
    data: bytes
    truncate: int | None = None  # the new size, and nothing is written

    def apply(self, content):
        if self.truncate is not None:
            return content[:self.truncate].ljust(self.truncate, b"\0")
        content = content.ljust(self.offset, b"\0")
        return content[:self.offset] + self.data + content[self.offset + len(self.data):]


@dataclasses.dataclass
class Sync(Step):
    target: object  # a File, or the path of a directory; None: the whole file system
    path: str  # by which it was opened
    root: str  # the directory we look at


@dataclasses.dataclass
class Ending(Step):
    process: int
    status: int
    files: list  # that it has made


@dataclasses.dataclass
class Sending(Step):
    """qmail-remote says that a server has taken a message."""

    sender: str
    recipients: list


class History:
    """Reads a recording; `steps` are what it comes to. `roots` are the directories looked at, each
    taken for a file system of its own; `before` is their content from before the recording.
    """

    def __init__(self, roots, before):
        self.roots = roots
        self.names = {path: File(content) for path, content in before.items()}
        self.initial = dict(self.names)
        self.steps = []
        self._last = dict(self.names)  # what each name meant last, for files opened by it
        self._appending = set()  # (process, descriptor)
        self._made = {}  # process: files

    def read(self, lines, cwd="/"):
        for call in system_calls.Reader(cwd).read(lines):
            handler = HANDLERS.get(call.name)
            if handler:
                handler(self, call)
            elif call.name not in system_calls.WITHOUT_EFFECT:
                self._refuse(call)
        return self

    def root_of(self, path):
        return next((root for root in self.roots if path and path.startswith(root + "/")), None)

    def _name(self, call, names):
        changes = [(path, file, self.names.get(path)) for path, file in names]
        for path, file in names:
            if file is None:
                self.names.pop(path, None)
            else:
                self.names[path] = self._last[path] = file
        self.steps.append(Naming(call.start, call.end, call.process.program, changes))

    def opened(self, call, path, flags):
        descriptor = call.process.leader.number, str(call.result)
        call.process.offsets[str(call.result)] = 0
        self._appending.discard(descriptor)
        if not self.root_of(path):
            return
        if "O_TMPFILE" in flags:
            self._refuse(call)
        if "O_APPEND" in flags:
            self._appending.add(descriptor)
        if "O_CREAT" in flags and path not in self.names:
            file = File()
            self._made.setdefault(call.process.leader.number, []).append(file)
            self._name(call, [(path, file)])
        elif "O_TRUNC" in flags and path in self.names:
            self._write(call, self.names[path], 0, b"", 0)

    def linked(self, call, old, new):
        if self.root_of(new):
            self._name(call, [(new, self.names[old])])

    def unlinked(self, call, path):
        if self.root_of(path):
            self._name(call, [(path, None)])

    def renamed(self, call, old, new):
        if self.root_of(old) != self.root_of(new):
            self._refuse(call)
        if self.root_of(new):
            self._name(call, [(new, self.names[old]), (old, None)])

    def _write(self, call, file, offset, data, truncate=None):
        step = Writing(call.start, call.end, call.process.program, file, offset, data, truncate)
        file.content = step.apply(file.content)
        self.steps.append(step)

    def _file(self, call):
        """The file of a descriptor, if it is one we look at."""
        path = call.descriptor(0)[1]
        if not self.root_of(path):
            return None
        # Not names[path]: the name may be gone, or may be another file's by now.
        return self._last.get(path)

    def wrote(self, call):
        number = call.descriptor(0)[0]
        if call.process.program == "qmail-remote" and number == "1":
            if b"\0K" in b"\0" + call.bytes_at(1):
                _, _, sender, *recipients = call.process.arguments
                self.steps.append(Sending(call.start, call.end, call.process.program, sender,
                                          recipients))
            return
        file = self._file(call)
        if not file:
            return
        at_end = (call.process.leader.number, number) in self._appending
        offset = len(file.content) if at_end else call.process.offsets[number]
        self._write(call, file, offset, call.bytes_at(1)[:call.result])
        call.process.offsets[number] = offset + call.result

    def wrote_at(self, call):
        if file := self._file(call):
            self._write(call, file, int(call.arguments[3]), call.bytes_at(1)[:call.result])

    def truncated(self, call):
        if file := self._file(call):
            self._write(call, file, 0, b"", int(call.arguments[1]))

    def sought(self, call):
        call.process.offsets[call.descriptor(0)[0]] = call.result

    def synced(self, call):
        path = call.descriptor(0)[1]
        root = next((root for root in self.roots if (path + "/").startswith(root + "/")), None)
        if root is None:
            return
        target = None if call.name == "syncfs" else self._last.get(path, path)
        self.steps.append(Sync(call.start, call.end, call.process.program, target, path, root))

    def ended(self, call):
        number = call.process.leader.number
        self.steps.append(Ending(call.start, call.end, call.process.program, number, call.result,
                                 self._made.pop(number, [])))

    def _refuse(self, call):
        """For a call that is not understood: fatal if it is about our files."""
        text = " ".join(call.arguments)
        raise NotModelled(f"{call.process.program}: {call.name}({text[:200]})")

    def unknown(self, call):
        paths = [call.descriptor(i)[1] for i in range(len(call.arguments))]
        if any(self.root_of(path) for path in paths):
            self._refuse(call)

    def unknown_name(self, call):
        if any(self.root_of(call.path(i)) for i, argument in enumerate(call.arguments)
               if argument.startswith('"')):
            self._refuse(call)


# What is done with each call of system_calls.STRACE that has succeeded.
HANDLERS = {
    "open": lambda self, call: self.opened(call, call.path(0), call.arguments[1]),
    "openat": lambda self, call: self.opened(call, call.path_at(1), call.arguments[2]),
    "creat": lambda self, call: self.opened(call, call.path(0), "O_CREAT|O_TRUNC"),
    "link": lambda self, call: self.linked(call, call.path(0), call.path(1)),
    "linkat": lambda self, call: self.linked(call, call.path_at(1), call.path_at(3)),
    "unlink": lambda self, call: self.unlinked(call, call.path(0)),
    "unlinkat": lambda self, call: self.unlinked(call, call.path_at(1)),
    "rename": lambda self, call: self.renamed(call, call.path(0), call.path(1)),
    "renameat": lambda self, call: self.renamed(call, call.path_at(1), call.path_at(3)),
    "renameat2": lambda self, call: self.renamed(call, call.path_at(1), call.path_at(3)),
    "write": History.wrote,
    "writev": History.wrote,
    "pwrite64": History.wrote_at,
    "ftruncate": History.truncated,
    "lseek": History.sought,
    "fsync": History.synced,
    "fdatasync": History.synced,
    "syncfs": History.synced,
    "exit": History.ended,
    # Used by none of our programs on these files; if one begins to, this must learn of it.
    **dict.fromkeys(("pwritev", "pwritev2", "fallocate", "copy_file_range", "sendfile", "splice"),
                    History.unknown),
    **dict.fromkeys(("truncate", "symlink", "symlinkat", "mkdir", "mkdirat", "rmdir", "openat2"),
                    History.unknown_name),
}
