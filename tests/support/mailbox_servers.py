"""Debian's Dovecot and Courier, serving the Maildirs that qmail-local delivers to, in this world."""

import dataclasses
import imaplib
import pathlib
import poplib
import re
import subprocess
import types

from support import hosts
from support.examples import shown_file
from support.wait import PATIENCE, wait_until


@dataclasses.dataclass
class Server:
    """Where it listens, and how it calls a folder."""
    imap: int
    pop3: int
    folder: str

    def log_in(self, user="alice"):
        """An IMAP client with the mailbox open."""
        client = imaplib.IMAP4(hosts.MAIN, self.imap, timeout=PATIENCE)
        client.login(user, f"{user}-password")
        ask(client.select())
        return client

    def log_in_pop3(self, user="alice"):
        client = poplib.POP3(hosts.MAIN, self.pop3, timeout=PATIENCE)
        client.user(user)
        client.pass_(f"{user}-password")
        return client


DOVECOT = Server(imap=1143, pop3=1110, folder="Work")
COURIER = Server(imap=2143, pop3=2110, folder="INBOX.Work")


def ask(answer):
    """What an IMAP command brought; it must have gone well."""
    status, data = answer
    if status != "OK":
        raise AssertionError(f"the IMAP server said {status} {data}")
    return data


def fetch_all(client):
    """By UID: flags, and the message with the line ends of files. Marks nothing."""
    found = {}
    for item in ask(client.fetch("1:*", "(UID FLAGS BODY.PEEK[])")):
        if isinstance(item, tuple):
            head, body = item[0].decode(), item[1]
            flags = set(re.search(r"FLAGS \((.*?)\)", head).group(1).split()) - {r"\Recent"}
            found[int(re.search(r"UID (\d+)", head).group(1))] = types.SimpleNamespace(
                flags=flags, text=body.replace(b"\r\n", b"\n"), wire=body)
    return found


def uid_of(client, text):
    """The UID of the one message that contains the text."""
    (uid,) = [uid for uid, message in fetch_all(client).items() if text.encode() in message.text]
    return str(uid)


class Servers:
    """Both of them, as an administrator would set them up beside Postern; stop() ends them."""

    def __init__(self):
        for package in ("dovecot-imapd", "courier-imap"):
            hosts.install_unpacked(package)
        for user in ("dovecot", "dovenull", "courier"):
            hosts.on(hosts.MAIN, "useradd", "--system", "--no-create-home", user)
        self._start_dovecot()
        self._start_courier()
        for port in (DOVECOT.imap, DOVECOT.pop3, COURIER.imap, COURIER.pop3):
            wait_until(lambda: hosts.on(hosts.MAIN, "ss", "-Hltn", f"sport = :{port}").stdout,
                       f"somebody to listen on port {port}")

    def _start_dovecot(self):
        path = "/etc/dovecot/dovecot.conf"
        recipe = shown_file(hosts.REPOSITORY / "docs/COOKBOOK.md", path)
        rest = (hosts.REPOSITORY / "tests/interop/dovecot/mailboxes.conf").read_text()
        pathlib.Path(path).write_text(recipe + rest, encoding="utf-8")
        hosts.on(hosts.MAIN, "dpkg-statoverride", "--update", "--add", "root", "dovecot", "2755",
                 "/usr/lib/dovecot/checkpassword-reply")
        self._dovecot = subprocess.Popen(["/usr/sbin/dovecot", "-F"])

    def _start_courier(self):
        for directory, mode in (("/run/courier", "775"), ("/run/courier/authdaemon", "750"),
                                ("/var/lib/courier", "755")):
            hosts.on(hosts.MAIN, "install", "-d", "-o", "courier", "-g", "courier", "-m", mode,
                     directory)
        for service, port in (("imapd", COURIER.imap), ("pop3d", COURIER.pop3)):
            hosts.on(hosts.MAIN, "sed", "-i", f"s/^PORT=.*/PORT={port}/", f"/etc/courier/{service}")
        for service in ("authdaemond", "imapd", "pop3d"):
            self._courier(service, "start")

    @staticmethod
    def _courier(service, what):
        # Its daemons keep what they inherit; a pipe would never end.
        hosts.on(hosts.MAIN, f"/usr/sbin/{service}", what, stdout=subprocess.DEVNULL,
                 stderr=subprocess.DEVNULL)

    def stop(self):
        for service in ("pop3d", "imapd", "authdaemond"):
            self._courier(service, "stop")
        self._dovecot.terminate()
        self._dovecot.wait()
