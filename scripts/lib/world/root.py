"""A host's own file system: the real machine's as a starting point, every change kept in memory."""

import os
import pathlib
import stat

from world import linux
from world.plan import visible_directories

# Where a real machine may have further file systems that programs need.
SYSTEM_DIRECTORIES = ("/usr", "/usr/local", "/etc", "/opt", "/root", "/var", "/var/lib")
# Fresh and empty in every host. /var/qmail is its own file system: the queue wants real links.
EMPTY_DIRECTORIES = {
    "/tmp": "mode=1777", "/var/tmp": "mode=1777", "/run": "mode=0755", "/home": "mode=0755",
    "/mnt": "mode=0755", "/var/qmail": "mode=0755", "/var/log": "mode=0755",
}
DEVICES = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9),
           "tty": (5, 0), "ptmx": (5, 2)}


def stage_directory(plan):
    """An existing directory that can be mounted over without hiding anything a world needs."""
    needed = [*visible_directories(plan), *plan.zones, plan.queue_dir or pathlib.Path("/var")]
    for place in map(pathlib.Path, ("/mnt", "/media", "/srv", "/opt", "/home")):
        if place.is_dir() and not any(path.is_relative_to(place) for path in needed):
            return place
    raise OSError("no unused directory among /mnt, /media, /srv, /opt and /home to mount on")


def enter_new_root(plan, host, stage):
    """Builds the host's file system below `stage` and makes it this process's root."""
    root = stage / "root" / host.name
    _overlay("/", root, stage / "changes" / host.name / "root")
    for directory in SYSTEM_DIRECTORIES:
        if os.path.ismount(directory):
            _overlay(directory, root / directory[1:],
                     stage / "changes" / host.name / directory.replace("/", "_"))
    for directory, options in EMPTY_DIRECTORIES.items():
        _mount_on(root, directory, "tmpfs", options)
    if plan.queue_dir and host.is_main:
        linux.bind(str(plan.queue_dir), str(root / "var/qmail"))
    _make_kernel_directories(root)
    _show(root, stage / "world", "/run/world")
    for directory in visible_directories(plan):
        _show(root, directory, directory, read_only=directory not in plan.shares)
    linux.become_root_directory(str(root))


def _overlay(lower, target, changes):
    for directory in (target, changes / "upper", changes / "work"):
        directory.mkdir(parents=True, exist_ok=True)
    data = f"lowerdir={lower},upperdir={changes}/upper,workdir={changes}/work"
    linux.mount("overlay", str(target), "overlay", 0, data)


def _mount_on(root, directory, kind, options=None):
    target = root / directory[1:]
    target.mkdir(parents=True, exist_ok=True)
    linux.mount(kind, str(target), kind, 0, options)


def _show(root, source, place, read_only=False):
    target = root / str(place)[1:]
    target.mkdir(parents=True, exist_ok=True)
    linux.bind(str(source), str(target), read_only)


def _make_kernel_directories(root):
    _mount_on(root, "/proc", "proc")
    _mount_on(root, "/sys", "sysfs")
    _mount_on(root, "/dev", "tmpfs", "mode=0755")
    device = root / "dev"
    for name, (major, minor) in DEVICES.items():
        os.mknod(device / name, stat.S_IFCHR, os.makedev(major, minor))
        os.chmod(device / name, 0o666)
    for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{target}", device / name)
    _mount_on(root, "/dev/shm", "tmpfs", "mode=1777")
    _show(root, "/dev/pts", "/dev/pts")  # so that the terminal of an interactive shell has a name
    loops = ["loop-control", *(f"loop{number}" for number in range(16))]
    for name in loops:  # file systems made for a test
        if os.path.exists(f"/dev/{name}"):
            original = os.stat(f"/dev/{name}")
            os.mknod(device / name, original.st_mode, original.st_rdev)
