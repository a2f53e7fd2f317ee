"""One host of a world: its files, its network, and the suite running in it."""

import os
import pathlib
import signal
import socket
import subprocess
import time

from world import network, root, users
from world.plan import REPOSITORY, WIRE_V4

QMAIL = pathlib.Path("/var/qmail")
TOOLS = REPOSITORY / "scripts/lib/world/bin"
PATH = f"{TOOLS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{QMAIL}/bin"
READY_SECONDS = 30
# Services that the installer leaves to the administrator.
FURTHER = ("qmail-pop3d",)
# What the real machine's own mail system may have left, here where Postern is installed afresh.
FOREIGN = ("/etc/tcp.smtp", "/etc/tcp.smtp.cdb", "/etc/service", "/service")


class HostError(Exception):
    """The host could not be brought up; the text says why."""


def bring_up(plan, host, stage, wait_for_cable):
    """Turns this process, which is in namespaces of its own, into the running host."""
    root.enter_new_root(plan, host, stage)
    socket.sethostname(host.name)
    _write_system_files(plan, host)
    users.make_homes()
    wait_for_cable()
    network.make_interface(host)
    pathlib.Path("/run/world/hosts", host.name).write_text(f"{os.getpid()}\n", encoding="utf-8")
    if plan.suite and not host.bare:
        _install(plan, host)
        _start_services(plan)
        if not plan.partial:
            _wait_for_services(host)


def environment(plan):
    """What services and COMMAND see."""
    kept = {name: os.environ[name] for name in ("TERM", "COLORTERM", "LANG", "LC_ALL")
            if name in os.environ}
    return kept | {"PATH": PATH, "HOME": "/root", "USER": "root", "LOGNAME": "root",
                   "SHELL": "/bin/bash", "PYTHONDONTWRITEBYTECODE": "1",
                   "POSTERN_WORLD": "1", "POSTERN_BUILD": str(plan.build)} | plan.environment


def _write_system_files(plan, host):
    short = host.name.split(".")[0]
    files = {
        "/etc/hostname": f"{host.name}\n",
        "/etc/mailname": f"{host.name}\n",
        "/etc/hosts": f"127.0.0.1 localhost\n::1 localhost\n{host.v4} {host.name} {short}\n",
        "/etc/resolv.conf": f"nameserver {WIRE_V4}\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\ngshadow: files\n"
                              "hosts: files dns\nservices: files\nprotocols: files\n",
    }
    for name, text in files.items():
        path = pathlib.Path(name)
        path.unlink(missing_ok=True)  # resolv.conf may be a link to somewhere in /run
        path.write_text(text, encoding="utf-8")
    users.write_user_database()


def _remove(path):
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        subprocess.run(["rm", "-rf", str(path)], check=True)


def _install(plan, host):
    for foreign in (*FOREIGN, *_links()):
        _remove(pathlib.Path(foreign))
    control = QMAIL / "control"
    control.mkdir(exist_ok=True)
    for name, text in _control_files(host).items():
        if not (control / name).exists():  # a queue directory may bring its own
            (control / name).write_text(text, encoding="utf-8")
    mailusers = QMAIL / "users/mailusers"
    if not mailusers.exists():
        mailusers.parent.mkdir(exist_ok=True)
        mailusers.write_text(_mailusers(host), encoding="utf-8")
    pathlib.Path("/etc/service").mkdir(exist_ok=True)
    command = [REPOSITORY / "scripts/install", "--quiet", "--enable",
               *(word for service in FURTHER for word in ("--with", service)),
               "--build", plan.build]
    if plan.partial:
        command.append("--partial")
    if subprocess.run(command, env=environment(plan), check=False).returncode != 0:
        raise HostError("scripts/install failed")
    if (QMAIL / "bin/qmail-newmailusers").exists():
        subprocess.run([QMAIL / "bin/qmail-newmailusers"], env=environment(plan), check=True)


def _links():
    """The links outside /var/qmail that the installer makes, such as /usr/sbin/sendmail."""
    rows = (line.split() for line in (REPOSITORY / "scripts/layout").read_text().splitlines())
    return [row[4] for row in rows if row and row[0] == "link"]


def _control_files(host):
    accepted = ["localhost", host.name, host.domain]
    local = accepted if host.owns_domain else accepted[:2]
    return {"me": _lines(host.name), "defaultdomain": _lines(host.domain),
            "plusdomain": _lines(host.domain), "locals": _lines(*local),
            "rcpthosts": _lines(*accepted), "defaultdelivery": _lines("./Maildir/"),
            "concurrencyincoming": _lines("20")}


def _mailusers(host):
    """Mail accounts with the people's own passwords; CRAM-MD5 and APOP need them in the clear. Each
    has two names: SMTP clients tend to log in with an address, POP3 clients with a user's name.
    """
    return _lines(*(f"{login}:{{PLAIN}}{name}-password:{name}:/home/{name}"
                    for name in users.PEOPLE for login in (f"{name}@{host.domain}", name)))


def _lines(*texts):
    """Each text once."""
    return "".join(f"{text}\n" for text in dict.fromkeys(texts))


def _start_services(plan):
    log = open("/var/log/svscan", "wb")
    subprocess.Popen(["svscan", "/etc/service"], env=environment(plan), cwd="/",
                     stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                     preexec_fn=restore_signals)


def stop_services(plan):
    """Ends every host's services as an administrator would, and waits for them."""
    script = ("cd /etc/service && svc -dx * */log && "
              "for service in * */log; do while svok $service; do sleep 0.01; done; done")
    stopping = [subprocess.Popen([TOOLS / "on", host.name, "timeout", "20", "sh", "-c", script],
                                 env=environment(plan))
                for host in plan.hosts if plan.suite and not host.bare]
    for process in stopping:
        process.wait()


def restore_signals():
    """For a child between fork and exec: what a world ignores, its programs do not."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGTTOU):
        signal.signal(number, signal.SIG_DFL)


def _wait_for_services(host):
    deadline = time.monotonic() + READY_SECONDS
    waiting = {"qmail-send": _send_listens, "port 25": lambda: _greets(host.v4, 25),
               "port 587": lambda: _greets(host.v4, 587),
               "port 110": lambda: _greets(host.v4, 110, b"+OK ")}
    while waiting:
        waiting = {what: ready for what, ready in waiting.items() if not ready()}
        if waiting and time.monotonic() > deadline:
            raise HostError(f"not ready after {READY_SECONDS} s: {', '.join(waiting)}\n{_logs()}")
        if waiting:
            time.sleep(0.01)


def _send_listens():
    """qmail-send holds the reading end of the trigger for as long as it runs."""
    try:
        os.close(os.open(QMAIL / "queue/lock/trigger", os.O_WRONLY | os.O_NONBLOCK))
        return True
    except OSError:
        return False


def _greets(address, port, greeting=b"220"):
    try:
        with socket.create_connection((address, port), timeout=READY_SECONDS) as connection:
            connection.sendall(b"QUIT\r\n")
            return connection.makefile("rb").read().startswith(greeting)
    except OSError:
        return False


def _logs():
    """The end of every log, for the person who must find out what is wrong."""
    paths = [pathlib.Path("/var/log/svscan"), *pathlib.Path("/var/log/qmail").glob("*/current")]
    return "".join(f"--- {path}\n{path.read_text(errors='replace')[-2000:]}\n" for path in paths)
