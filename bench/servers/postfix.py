"""Postfix: the files of Debian's package, and the answers that its installation asks for."""

import pathlib
import shutil
import subprocess

from bench import REPOSITORY, fetch
from bench.servers import server

_SHARED = pathlib.Path("/usr/share/postfix")
_ANSWERS = f"""
myhostname = {server.HOST}
mydestination = $myhostname, {server.DOMAIN}, localhost
mynetworks = 127.0.0.0/8 [::1]/128
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
inet_protocols = all
home_mailbox = Maildir/
transport_maps = hash:/etc/postfix/transport
"""
_PERMISSIONS = REPOSITORY / "tests/interop/peers/postfix-permissions"


class Postfix(server.Server):
    name = "postfix"
    title = "Postfix"
    package = "postfix"
    queue = tuple(f"/var/spool/postfix/{name}" for name in
                  ("maildrop", "incoming", "active", "deferred", "defer", "bounce"))
    no_logins = "its package brings nothing that checks passwords (Dovecot or saslauthd would)"

    def install(self, place):
        fetch.install_into_world("postfix")
        server.add_system_user("postfix", "postdrop", home="/var/spool/postfix")
        etc = pathlib.Path("/etc/postfix")
        shutil.copy(_SHARED / "master.cf.dist", etc / "master.cf")
        shutil.copy(_SHARED / "dynamicmaps.cf", etc / "dynamicmaps.cf")
        server.write(etc / "main.cf", (_SHARED / "main.cf.debian").read_text() + _ANSWERS)
        server.write(etc / "transport", f"{server.RELAYED} smtp:[127.0.0.1]:{server.SINK_PORT}\n")
        server.write("/etc/aliases", "postmaster: root\n")
        for directory in ("/var/spool/postfix", "/var/lib/postfix"):
            server.put_on_disk(place, directory)
        for command in ([_PERMISSIONS], ["newaliases"],
                        ["postmap", etc / "transport"],
                        ["/usr/lib/postfix/configure-instance.sh", "-"]):
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    def start(self):
        self.run("postfix", "start")
        server.wait_for_greeting()

    def stop(self):
        # It fails where many processes end so slowly that it ends them by force.
        subprocess.run(["postfix", "stop"], check=False, stderr=subprocess.DEVNULL)
        server.wait_for_silence()

    def configure_connections(self, count):
        setting = ["-e", f"default_process_limit={count}"] if count else ["-X", "default_process_limit"]
        subprocess.run(["postconf", *setting], check=True)

    def version(self):
        return subprocess.run(["postconf", "-h", "mail_version"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.strip()
