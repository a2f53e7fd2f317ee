"""Debian packages, unpacked where nothing is installed: the other servers, and the load's programs."""

import pathlib
import subprocess
import sys

from bench import REPOSITORY

_UNPACKED = REPOSITORY / "build/interop"


class FetchError(Exception):
    """The package could not be had; the text says why."""


def unpack(package):
    """Fetches a package and what it needs, unless that has been done. Returns its directory."""
    directory = directory_of(package)
    if not (directory / "complete").exists():
        print(f"bench: fetching {package}", file=sys.stderr, flush=True)
    result = subprocess.run([REPOSITORY / "tests/interop/unpack", package], text=True,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if result.returncode != 0:
        raise FetchError(f"cannot fetch {package}: {result.stderr.strip()}")
    return directory


def directory_of(package):
    return pathlib.Path(_UNPACKED, package)


def install_into_world(package):
    """Lays an unpacked package over the world's file system, which forgets it when it ends."""
    source = directory_of(package)
    reading = subprocess.Popen(["tar", "-C", source, "--exclude=./complete", "-c", "."],
                               stdout=subprocess.PIPE)
    subprocess.run(["tar", "-C", "/", "--keep-directory-symlink", "-x"], stdin=reading.stdout,
                   check=True)
    if reading.wait() != 0:
        raise FetchError(f"cannot copy {source}")
    subprocess.run(["ldconfig"], check=True)
