"""Other people's mail servers on hosts of a world: Debian's packages, unpacked and never installed
on the machine itself, with what their installation would ask for answered.

A test file names the host (`# world: --bare-host mail.exim.example`) and the package
(`# unpack: exim4-daemon-light`). Mail for the host's domain goes to Maildirs in the people's homes.
"""

import os
import pathlib
import re
import socket
import subprocess

from support import hosts, services
from support.wait import wait_until

_CONFIGURATIONS = hosts.REPOSITORY / "tests/interop/peers"


def install(host, package, *users):
    """Lays an unpacked package over a host's files, and makes system users."""
    hosts.install_unpacked(package, host)
    for user in users:
        hosts.on(host, "useradd", "--system", "--user-group", "--no-create-home", user)


def wait_for_port(host, port=25):
    def listens():
        try:
            socket.create_connection((hosts.address_of(host), port)).close()
            return True
        except ConnectionRefusedError:
            return False
    wait_until(listens, f"{host} to listen on port {port}")


class Peer:
    """A mail server at mail.DOMAIN. start() returns when it listens; stop() when it has ended."""

    package = ""
    users = ()
    queue_directories = ()  # where the messages are that wait, one file or more each
    queue_suffix = ""
    greylisted = "{}"  # a line of its list
    unknown_user = ""  # what it says of one
    pipelines = True  # sends commands before it has the answer to the one before
    mail_parameters = r" SIZE=\d+"  # what it adds to MAIL
    wants_smtputf8 = False  # for a header with UTF-8 in it
    queue_only = ()  # what its sendmail is told to leave a message for later
    most_hops = 0  # Received lines that it lets a message have
    too_many_hops = ""  # what it says of more

    def __init__(self, domain):
        self.domain = domain
        self.host = f"mail.{domain}"
        self.files = hosts.files(self.host)

    def on(self, *command, **options):
        return hosts.on(self.host, *command, **options)

    def start(self):
        install(self.host, self.package, *self.users)
        self.write("/etc/mailname", f"{self.domain}\n")
        self.copy("aliases", "/etc/aliases")
        self.greylist()
        self.configure()
        self.launch()
        wait_for_port(self.host)

    def write(self, path, text):
        """A file on its host, readable by all."""
        target = self.files / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(0o644)

    def copy(self, name, to):
        """One of the configurations in tests/interop/peers."""
        self.write(to, (_CONFIGURATIONS / name).read_text(encoding="utf-8"))

    def greylist(self, *addresses):
        """These recipients, and no others, are told to come again later."""
        some = ("nobody-at-all@postern.example", *addresses)  # OpenSMTPD guesses a list's kind
        self.write("/etc/greylisted",
                   "".join(f"{self.greylisted.format(address)}\n" for address in some))

    def send(self, sender, recipients, message):
        """A person of the peer sends a message (bytes), as a mail program would."""
        self.on("setpriv", "--reuid=bob", "--regid=bob", "--init-groups",
                "/usr/sbin/sendmail", "-i", *self.queue_only, "-f", sender or "<>", *recipients,
                input=message, text=False)

    def hold(self):
        """Has it keep what it is to send to other hosts."""
        raise NotImplementedError

    def release(self):
        """Has it send what it has kept."""
        raise NotImplementedError

    def flush(self):
        """Has it try at once what it has deferred."""
        raise NotImplementedError

    def mail_of(self, user, count=1):
        """A person's messages there, once there are so many."""
        return services.wait_for_mail(user, count, self.host)

    def sender_of(self, message):
        """The envelope sender of a delivered message, from the field that its server added."""
        found = re.match(rb"(?:[^\n]+\n)*?Return-Path: *<(.*)>\n", message, re.IGNORECASE)
        return found and found.group(1).decode()

    def queue(self):
        """The files of messages that wait there."""
        return [pathlib.Path(directory, name) for top in self.queue_directories
                for directory, _, names in os.walk(self.files / "var/spool" / top)
                for name in names if name.endswith(self.queue_suffix)]

    def wait_for_empty_queue(self):
        wait_until(lambda: not self.queue(), f"an empty queue at {self.host}")


class Postfix(Peer):
    package = "postfix"
    users = ("postfix", "postdrop")
    queue_directories = tuple(f"postfix/{name}" for name in
                              ("maildrop", "incoming", "active", "deferred", "corrupt", "hold"))
    unknown_user = "User unknown in local recipient table"
    wants_smtputf8 = True
    most_hops = 50
    too_many_hops = "Remote host said: 554 5.4.0 Error: too many hops\n"
    mail_parameters = r" SIZE=\d+ BODY=8BITMIME"
    greylisted = "{} 450 4.2.0 greylisted, come again"

    def configure(self):
        self.on("mkdir", "-p", "/var/spool/postfix", "/var/lib/postfix")
        self.on(_CONFIGURATIONS / "postfix-permissions")
        self.on("cp", "/usr/share/postfix/master.cf.dist", "/etc/postfix/master.cf")
        debian = (self.files / "usr/share/postfix/main.cf.debian").read_text(encoding="utf-8")
        ours = (_CONFIGURATIONS / "postfix.cf").read_text(encoding="utf-8")
        self.write("/etc/postfix/main.cf", debian + ours)
        # A process of smtpd each connection, so that it reads the list of the greylisted anew.
        self.on("postconf", "-P", "smtp/inet/max_use=1")
        self.on("newaliases")
        self.on("/usr/lib/postfix/configure-instance.sh", "-")

    def greylist(self, *addresses):
        super().greylist(*addresses)
        os.utime(self.files / "etc/greylisted", (1, 1))  # it waits for a new file to become old

    def launch(self):
        # Postfix closes every descriptor it might have, one after another.
        self.on("prlimit", "--nofile=1024", "/usr/sbin/postfix", "start")

    def stop(self):
        self.on("/usr/sbin/postfix", "stop")

    def hold(self):
        pass  # it keeps its connection to the second Postern instead (postfix.cf)

    def release(self):
        pass

    def flush(self):
        self.on("postqueue", "-f")


class Exim(Peer):
    package = "exim4-daemon-light"
    users = ("Debian-exim",)
    queue_directories = ("exim4/input",)
    queue_suffix = "-H"
    unknown_user = "Unrouteable address"
    most_hops = 30
    too_many_hops = "X-Failed-Recipients: hops@exim.example\n"  # why is only in its log

    def configure(self):
        self.on("install", "-d", "-o", "Debian-exim", "-g", "Debian-exim", "/var/lib/exim4",
                "/var/spool/exim4", "/var/log/exim4")
        self.copy("exim-answers", "/etc/exim4/update-exim4.conf.conf")
        self.copy("exim-greylisting", "/etc/exim4/greylisting")
        self.copy("exim-macros", "/etc/exim4/conf.d/main/00_macros")
        self.on("update-exim4.conf")

    def launch(self):
        self._daemon = subprocess.Popen(["on", self.host, "/usr/sbin/exim4", "-bdf", "-q1h"])

    def stop(self):
        self._daemon.terminate()
        self._daemon.wait()

    def hold(self):
        self.queue_only = ["-odq"]

    def release(self):
        self.queue_only = []
        self.on("/usr/sbin/exim4", "-qqff")  # finds out first what goes to the same host

    def flush(self):
        self.on("/usr/sbin/exim4", "-qff")


class OpenSmtpd(Peer):
    package = "opensmtpd"
    users = ("opensmtpd", "opensmtpq")
    queue_directories = ("smtpd/queue", "smtpd/incoming", "smtpd/offline")
    unknown_user = "Invalid recipient"
    most_hops = 100
    too_many_hops = "Remote host said: 500 5.4.6 Routing loop detected: Loop detected\n"
    pipelines = False
    mail_parameters = ""

    def configure(self):
        self.on("mkdir", "-p", "/var/lib/opensmtpd/empty")
        self.on("chown", "root:opensmtpq", "/usr/sbin/smtpctl")
        self.on("chmod", "2755", "/usr/sbin/smtpctl")
        self.copy("smtpd.conf", "/etc/smtpd.conf")

    def sender_of(self, message):
        return super().sender_of(message) or ""  # it adds no field for an empty one

    def greylist(self, *addresses):
        super().greylist(*addresses)
        self.on("sh", "-c", "! test -e /var/run/smtpd.sock || smtpctl update table greylisted")

    def launch(self):
        self._daemon = subprocess.Popen(["on", self.host, "/usr/sbin/smtpd", "-d"])

    def stop(self):
        self._daemon.terminate()
        self._daemon.wait()

    def hold(self):
        self.on("smtpctl", "pause", "mta")

    def release(self):
        self.on("smtpctl", "resume", "mta")

    def flush(self):
        self.on("smtpctl", "schedule", "all")
