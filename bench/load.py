"""Who sends the mail: Postfix's smtp-source, and people who run sendmail."""

import dataclasses
import os
import pwd
import smtplib
import subprocess
import threading

from bench import fetch, mailbox
from bench.servers import server

SENDER = "load@client.example"


class LoadError(Exception):
    """A client was refused or broke off; the text is what it said."""


@dataclasses.dataclass(frozen=True)
class Load:
    messages: int
    sessions: int = server.SESSIONS
    size: int = 2048  # bytes of text
    reuse: bool = False  # one connection for many messages


def shares(total, parts):
    """`total` in so many whole parts that differ by one at most."""
    return [total // parts + (place < total % parts) for place in range(parts)]


def turns(load, most_a_session):
    """The load in parts in which no session needs to bring more than that."""
    if not load.reuse or most_a_session is None:
        return [load]
    most = load.sessions * most_a_session
    return [dataclasses.replace(load, messages=min(most, load.messages - begin))
            for begin in range(0, load.messages, most)]


def send_over_smtp(load, recipients, most_a_session=None):
    """Returns when every message has been accepted. The sessions are divided among the recipients: a
    server may limit how many messages one mailbox gets at a time."""
    for turn in turns(load, most_a_session):
        # An smtp-source gives the next message to whichever of its sessions is ready for one.
        sources = load.sessions if load.reuse and most_a_session else len(recipients)
        count = min(sources, turn.messages, turn.sessions)
        _wait([_start_source(turn, recipients[place % len(recipients)], sessions, messages)
               for place, (sessions, messages) in enumerate(
                   zip(shares(turn.sessions, count), shares(turn.messages, count)))])


def _start_source(load, recipient, sessions, messages):
    command = [program("smtp-source"), *(["-d"] if load.reuse else []), "-s", sessions,
               "-m", messages, "-l", load.size, "-f", SENDER, "-t", recipient, "127.0.0.1:25"]
    return subprocess.Popen([str(word) for word in command], env=environment(),
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def run_clients(client, arguments):
    """client(argument) for each of the arguments, all at the same time."""
    failures = []

    def run(argument):
        try:
            client(argument)
        except (OSError, smtplib.SMTPException) as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise LoadError(f"a client failed: {failures[0]}")


def inject_one(load, sendmail, recipients, group):
    """alice runs sendmail once, for all recipients. She counts as the server's: with some, it is
    her program that delivers."""
    _wait([_as_alice([sendmail, "-f", SENDER, *recipients], _message(load), group)])


def inject(load, sendmail, processes, group):
    """`processes` people run sendmail again and again. They count as the server's: their shell is
    the same for everyone, and what it starts is the server's own program."""
    text = _message(load)
    _wait([_start_injector(sendmail, place, messages, text, group)
           for place, messages in enumerate(shares(load.messages, processes))])


def _message(load):
    """The name of a file with a message in it."""
    text = "/run/bench-message"
    with open(text, "w", encoding="ascii") as file:
        file.write("Subject: load\n\n" + ("x" * 63 + "\n") * (load.size // 64))
    return text


def _start_injector(sendmail, place, messages, text, group):
    recipient = f"{mailbox.PEOPLE[place % len(mailbox.PEOPLE)]}@{server.DOMAIN}"
    loop = f'i=0; while [ $i -lt {messages} ]; do "$0" -f {SENDER} {recipient} <{text} || exit 1; i=$((i+1)); done'
    return _as_alice(["sh", "-c", loop, sendmail], "/dev/null", group)


def _as_alice(command, text, group):
    alice = pwd.getpwnam("alice")

    def become_alice():
        group.enter()
        os.setgroups([])
        os.setgid(alice.pw_gid)
        os.setuid(alice.pw_uid)

    with open(text, "rb") as message:
        return subprocess.Popen(command, preexec_fn=become_alice, cwd="/", stdin=message,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def program(name):
    return fetch.directory_of("postfix") / "usr/sbin" / name


def environment():
    """smtp-source and its kind find their libraries beside them."""
    return os.environ | {"LD_LIBRARY_PATH": str(fetch.directory_of("postfix") / "usr/lib/postfix")}


def _wait(clients):
    for client in clients:
        said = client.communicate()[1]
        if client.returncode != 0:
            raise LoadError(f"exit {client.returncode}: {said[-500:]}")
