"""A file system on a loop device whose power can be cut, to be used inside a world.

The cut is the shutdown call that ext4 and XFS have for such tests, with the flag that leaves the
journal unflushed: from that moment nothing reaches the device any more, and every call fails. What
the device holds then is copied, and the copy is what is mounted afterwards. Unmounting the
original would not do: without a journal, ext4 writes out what it had only in memory.

Nothing has to be released by hand. The mount belongs to the world's mount namespace, the device
detaches itself when the mount goes (autoclear), and the image lies in the world's memory; the kernel
takes all three away when the world ends, however it ends.
"""

import dataclasses
import fcntl
import os
import pathlib
import stat
import struct
import subprocess

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN: _IOR('X', 125, __u32)
_NO_LOG_FLUSH = 2
_LOOP_MAJOR, _LOOP_DEVICES = 7, 64


@dataclasses.dataclass(frozen=True)
class Kind:
    """How a kind of file system is made, mounted, and looked through after a cut."""
    make: tuple
    options: str
    megabytes: int
    check: tuple
    repair: tuple = ()  # what stands in for a journal's replay


_EXT4 = ("mkfs.ext4", "-q", "-F")
_E2FSCK = ("e2fsck", "-fn")
KINDS = {
    "ext4": Kind(_EXT4, "data=ordered", 256, _E2FSCK),
    "ext4-writeback": Kind(_EXT4, "data=writeback", 256, _E2FSCK),
    "ext4-nojournal": Kind((*_EXT4, "-O", "^has_journal"), "defaults", 256, _E2FSCK,
                           repair=("e2fsck", "-fy")),
    "xfs": Kind(("mkfs.xfs", "-q", "-f"), "defaults", 320, ("xfs_repair", "-n")),
}


class CutDevice:
    """One file system, mounted on a directory."""

    def __init__(self, kind, image, mount_point):
        self._kind = KINDS[kind]
        self._image = pathlib.Path(image)
        self._mount_point = str(mount_point)
        self._directory = None
        _make_device_nodes()
        pathlib.Path(mount_point).mkdir(parents=True, exist_ok=True)
        with open(self._image, "wb") as image:
            image.truncate(self._kind.megabytes << 20)
        _run(*self._kind.make, self._image)
        self._mount()

    def cut(self):
        """Cuts the power: what has not reached the device by now never will. The file system stays
        mounted, dead, until mount_again(), so that whoever used it can be killed in between."""
        fcntl.ioctl(self._directory, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))

    def mount_again(self):
        """The power is back: replays the journal, checks the file system, mounts it."""
        _run("cp", "--sparse=always", self._image, f"{self._image}.cut")
        self.unmount()
        os.replace(f"{self._image}.cut", self._image)
        if self._kind.repair:
            _run(*self._kind.repair, self._image, fine=(0, 1))  # 1: mended
        else:
            self._mount()
            self.unmount()
        _run(*self._kind.check, self._image)
        self._mount()

    def sync(self):
        os.sync()

    def remove(self):
        self.unmount()
        self._image.unlink()

    def unmount(self):
        os.close(self._directory)
        _run("umount", self._mount_point)

    def _mount(self):
        _run("mount", "-o", f"loop,{self._kind.options}", self._image, self._mount_point)
        self._directory = os.open(self._mount_point, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _make_device_nodes():
    """A world has nodes for the loop devices that the machine had; mount may make further ones."""
    for number in range(_LOOP_DEVICES):
        path = f"/dev/loop{number}"
        if not os.path.exists(path):
            os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(_LOOP_MAJOR, number))


def _run(*command, fine=(0,)):
    result = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if result.returncode not in fine:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {result.returncode}\n"
                             + result.stdout.decode(errors="replace"))
