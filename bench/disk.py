"""The file system that every server's queue and mailboxes are on.

A journaled one on a loop device, unless a directory is given. It is mounted in a mount namespace of
this process: when the bench ends, however it ends, the kernel unmounts it and detaches the device.
"""

import contextlib
import os
import pathlib
import subprocess

from world import linux

from bench import REPOSITORY

KINDS = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q", "-f"), "tmpfs": None}
_PLACE = REPOSITORY / "build/bench"
# As large as a server's disk, because the size of the journal follows from it: below 16 GB ext4 makes one
# of 64 MB at most, which is full every second. The file is sparse.
_IMAGE_BYTES = 64 << 30
_GROUPS = "postern-bench"


class Disk:
    """Where the servers keep their files, and the control groups that their processes are put in."""

    def __init__(self, kind, directory):
        self.shared = _PLACE / str(os.getpid())
        self.directory = pathlib.Path(directory) if directory else self.shared / "disk"
        self.groups = self.shared / "groups" / _GROUPS
        self._kind = None if directory else kind
        self._made = []

    def __enter__(self):
        linux.unshare(linux.CLONE_NEWNS)
        linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
        for path in (self.shared / "disk", self.shared / "groups"):
            path.mkdir(parents=True)
        linux.mount("cgroup2", str(self.shared / "groups"), "cgroup2")
        if self._kind == "tmpfs":
            linux.mount("bench", str(self.directory), "tmpfs")
        elif self._kind:
            self._mount_image()
        return self

    def _mount_image(self):
        image = self.shared / "image"
        with open(image, "wb") as file:
            file.truncate(_IMAGE_BYTES)
        subprocess.run([*KINDS[self._kind], image], check=True)
        subprocess.run(["mount", "-o", "loop", image, self.directory], check=True)
        image.unlink()  # its space is free again as soon as nobody has it mounted

    def __exit__(self, *_):
        self.remove_groups()
        if self._kind:
            subprocess.run(["umount", "--lazy", self.directory], check=False)
        subprocess.run(["umount", "--lazy", self.shared / "groups"], check=False)
        for path in (self.shared / "disk", self.shared / "groups", self.shared):
            with contextlib.suppress(OSError):
                path.rmdir()

    def make_place(self, server):
        """A fresh directory for one server's files, and a fresh group for its processes."""
        place = self.directory / f"{server}.{os.getpid()}"
        place.mkdir()
        place.chmod(0o755)
        return place, self.make_group(server)

    def make_group(self, server):
        group = self.groups / f"{server}.{os.getpid()}"
        group.mkdir(parents=True)
        self._made.append(group)
        return group

    def remove_groups(self):
        """Only its own: those of a bench that runs beside this one have no processes yet while its
        servers are being started, and could be removed."""
        for group in (*self._made, self.groups):
            with contextlib.suppress(OSError):
                group.rmdir()
