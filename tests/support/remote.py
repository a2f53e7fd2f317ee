"""qmail-remote as qmail-rspawn runs it: as qmailr, message on descriptor 0, report on 1."""

import grp
import os
import pwd
import subprocess
import tempfile

from support.wait import PATIENCE

MESSAGE = "From: alice@example.org\nSubject: hello\n\nA message.\n.with a dot\n"


def deliver(host, *recipients, sender="alice@example.org", message=MESSAGE):
    """The report: the records of its recipients, then the one of the message, as text."""
    with tempfile.TemporaryFile() as file:
        file.write(message.encode("utf-8", "surrogateescape"))
        file.seek(0)
        result = subprocess.run(
            ["/var/qmail/bin/qmail-remote", host, sender, *(recipients or [f"joe@{host}"])],
            stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            timeout=3 * PATIENCE, cwd="/", user=pwd.getpwnam("qmailr").pw_uid,
            group=grp.getgrnam("qmail").gr_gid, extra_groups=[],
            env={"PATH": os.environ["PATH"]})
    if result.returncode != 0 or result.stderr:
        raise AssertionError(f"qmail-remote: exit {result.returncode}, {result.stderr!r}")
    records = result.stdout.decode("utf-8", "surrogateescape").split("\0")
    if records.pop() != "":
        raise AssertionError(f"a record without its NUL: {result.stdout!r}")
    return records
