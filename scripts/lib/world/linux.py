"""The few Linux calls that a world and the bench need and Python's library does not offer."""

import ctypes
import os

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x40000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 0x2, 0x4, 0x8
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
PR_SET_PDEATHSIG = 1
IN_MOVED_TO, IN_CREATE = 0x80, 0x100

_libc = ctypes.CDLL(None, use_errno=True)
_pivot_root = {"x86_64": 155, "aarch64": 41, "riscv64": 41}


def _checked(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _bytes(text):
    return None if text is None else os.fsencode(text)


def unshare(flags):
    _checked(_libc.unshare(flags), "unshare")


def mount(source, target, kind=None, flags=0, data=None):
    """mount(2). The error says what was mounted where."""
    result = _libc.mount(_bytes(source), _bytes(target), _bytes(kind), ctypes.c_ulong(flags),
                         _bytes(data))
    _checked(result, f"mount {kind or source} on {target}")


def bind(source, target, read_only=False):
    """Shows `source` at `target` as well, with everything mounted below it."""
    mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY)


def become_root_directory(directory):
    """Makes `directory`, a mount point, the root; what was mounted before is gone."""
    os.chdir(directory)
    _checked(_libc.syscall(ctypes.c_long(_pivot_root[os.uname().machine]), b".", b"."),
             "pivot_root")
    _checked(_libc.umount2(b".", MNT_DETACH), "umount old root")
    os.chdir("/")


def die_with_parent(signal):
    _checked(_libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(int(signal))), "prctl")


def watch_directory(directory, events):
    """An inotify(7) descriptor that tells of them."""
    descriptor = _libc.inotify_init1(os.O_CLOEXEC)
    _checked(min(descriptor, 0), "inotify_init1")
    watch = _libc.inotify_add_watch(descriptor, _bytes(directory), ctypes.c_uint32(events))
    _checked(min(watch, 0), f"inotify_add_watch {directory}")
    return descriptor


def set_process_title(title):
    """What ps shows: cut to the room the command line had."""
    fields = open("/proc/self/stat", encoding="utf-8").read().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])  # arg_start and arg_end, proc(5)
    text = os.fsencode(title)[:end - start - 1]
    ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)
