"""The hosts of a world as a test sees them: files, programs and network."""

import contextlib
import ctypes
import os
import pathlib
import pwd
import socket
import subprocess
import threading

MAIN = "mail.example.org"
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
_HOSTS = pathlib.Path("/run/world/hosts")
_CLONE_NEWNET = 0x40000000


def names():
    """All hosts of this world."""
    return sorted(path.name for path in _HOSTS.iterdir())


def files(host=MAIN):
    """The root directory of a host, as a path this process can use."""
    return pathlib.Path("/") if host == MAIN else pathlib.Path(f"/proc/{pid(host)}/root")


def on(host, *command, check=True, text=True, **options):
    """Runs a command on a host, as root; returns the CompletedProcess with its output."""
    prefix = [] if host == MAIN else ["on", host]
    return _run([*prefix, *map(str, command)], check=check, text=text, **options)


def as_user(user, *command, check=True, text=True, **options):
    """Runs a command on the main host as a user, with that user's groups, home and environment."""
    entry = pwd.getpwnam(user)
    environment = {"PATH": os.environ["PATH"], "HOME": entry.pw_dir, "USER": user,
                   "LOGNAME": user, "SHELL": entry.pw_shell} | options.pop("env", {})
    return _run(list(map(str, command)), check=check, text=text,
                **({"cwd": entry.pw_dir} | options), env=environment, user=user,
                group=entry.pw_gid, extra_groups=os.getgrouplist(user, entry.pw_gid))


def _run(command, check, **options):
    if "stdin" not in options and "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    result = subprocess.run(command, check=False,
                            **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options))
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {result.returncode}\n"
                             f"stdout: {result.stdout}\nstderr: {result.stderr}")
    return result


def install_unpacked(package, host=MAIN):
    """Puts what tests/interop/unpack has fetched where it would be if it were installed."""
    unpacked = REPOSITORY / "build/interop" / package
    parts = [unpacked / part for part in ("etc", "usr") if (unpacked / part).exists()]
    on(host, "cp", "-a", *parts, "/")
    on(host, "ldconfig")


@contextlib.contextmanager
def network_of(host):
    """Sockets that this thread makes inside the block belong to the host's network."""
    if host == MAIN:
        yield
        return
    with open("/proc/thread-self/ns/net", "rb") as here, \
         open(f"/proc/{pid(host)}/ns/net", "rb") as there:
        _enter(there)
        try:
            yield
        finally:
            _enter(here)


def address_of(host, family=socket.AF_INET):
    """A host's address from the world's DNS, IPv4 unless asked otherwise."""
    return socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)[0][4][0]


def _enter(namespace):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace.fileno(), _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"setns in thread {threading.get_ident()}")


def pid(host):
    """A process that lives as long as the host, in its namespaces."""
    try:
        return int((_HOSTS / host).read_text(encoding="ascii"))
    except FileNotFoundError:
        raise AssertionError(f"no host {host} in this world; there are: {', '.join(names())}; "
                             "add it in the test's `# world: --host ...` line") from None
