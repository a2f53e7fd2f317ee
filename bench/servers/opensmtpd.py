"""OpenSMTPD: the files of Debian's package, and its example of a configuration with two lines more."""

import pathlib
import shutil
import subprocess

from bench import fetch
from bench.servers import server

_CONFIGURATION = pathlib.Path("/etc/smtpd.conf")
_ACTIONS = f"""
action "sink" relay host smtp://127.0.0.1:{server.SINK_PORT}
match from any for domain "{server.DOMAIN}" action "local"
match from local for domain "{server.RELAYED}" action "sink"
"""
_FIRST_RULE = "\nmatch for local"


class OpenSmtpd(server.Server):
    name = "opensmtpd"
    title = "OpenSMTPD"
    most_messages = 100  # "452 4.5.3 Too many messages sent" after that
    most_recipients = 1000  # "Too many recipients" in a session, its sendmail's too
    package = "opensmtpd"
    queue = tuple(f"/var/spool/smtpd/{name}" for name in ("queue", "incoming", "temporary"))
    no_logins = "it takes no password without TLS"

    def install(self, place):
        fetch.install_into_world(self.package)
        server.add_system_user("opensmtpd", home="/var/lib/opensmtpd/empty")
        server.add_system_user("opensmtpq")
        pathlib.Path("/var/lib/opensmtpd/empty").mkdir(parents=True, exist_ok=True)
        shutil.chown("/usr/sbin/smtpctl", "root", "opensmtpq")
        pathlib.Path("/usr/sbin/smtpctl").chmod(0o2755)
        spool = pathlib.Path("/var/spool/smtpd")
        spool.mkdir()
        spool.chmod(0o711)
        server.put_on_disk(place, str(spool))
        server.write("/etc/aliases", "postmaster: root\n")
        debian = _CONFIGURATION.read_text(encoding="utf-8")
        server.write(_CONFIGURATION, debian.replace(_FIRST_RULE, _ACTIONS + _FIRST_RULE, 1))

    def start(self):
        self._daemon = subprocess.Popen(["smtpd", "-F"], preexec_fn=self.group.enter)
        server.wait_for_greeting()

    def stop(self):
        self._daemon.terminate()
        self._daemon.wait()
        server.wait_for_silence()

    def version(self):
        said = subprocess.run(["smtpd", "-h"], stderr=subprocess.PIPE, text=True, check=False).stderr
        return said.split()[2]
