"""The command lines that administrators' guides show, as typed there: qmail-smtpd under tcpserver and
softlimit with somebody's checkpassword, tcprules' rules, and mail out of a shell."""

import contextlib
import os
import pathlib
import signal
import subprocess
import unittest

from support import hosts, services, smtp
from support.case import WorldTest
from support.services import Service
from support.wait import wait_until

PATH = f"/var/qmail/bin:{os.environ['PATH']}"

# What a checkpassword-compatible program does, in a shell: login and password from descriptor 3,
# then the program it was given.
CHECKER = """#!/bin/sh
fields=$(tr '\\0' '\\n' <&3)
[ "$*" = "{arguments}" ] || exit 2
[ "$fields" = "test@domain.de
testing" ] || exit 1
exec "$1"
"""


class RunScripts(WorldTest):
    def setUp(self):
        super().setUp()
        Service("qmail-smtpd").stop()  # port 25 is the test's
        self.addCleanup(Service("qmail-smtpd").start)
        self.set_control("smtproutes", "elsewhere.example:[192.0.2.1]\n")
        self.set_control("rcpthosts", "domain.de\n")

    def checker(self, path, arguments):
        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.write_file(path, CHECKER.format(arguments=arguments), mode=0o755)

    @contextlib.contextmanager
    def running(self, script):
        """A run script's text, run as supervise would."""
        settings = 'MAXSMTPD=20 UID_=$(id -u qmaild) GID_=$(id -g qmaild)\n'
        script = script.replace('"$UID"', '"$UID_"').replace('"$GID"', '"$GID_"')  # sh sets UID
        log = open("/tmp/run.log", "wb")
        child = subprocess.Popen(["/bin/sh", "-c", settings + script], stdout=log, stderr=log,
                                 stdin=subprocess.DEVNULL, start_new_session=True, cwd="/",
                                 env={"PATH": PATH})
        try:
            wait_until(self.somebody_listens, "port 25")
            yield
        finally:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait()
            wait_until(lambda: not self.somebody_listens(), "port 25 to be free again")

    @staticmethod
    def somebody_listens():
        return subprocess.run(["ss", "-Hltn", "sport = :25"], check=True,
                              stdout=subprocess.PIPE).stdout

    def log_in(self, greeting):
        with smtp.connect() as client:
            client.command("ehlo hostname", *greeting)
            client.command("auth login", "334 VXNlcm5hbWU6")
            client.command("dGVzdEBkb21haW4uZGU=", "334 UGFzc3dvcmQ6")
            client.command("dGVzdGluZw==", "235 ok, go ahead (#2.0.0)")
            client.command("mail from : asfik@cs.example.edu", "250 ok")
            client.command("rcpt to : someone@elsewhere.example", "250 ok")
            client.command("quit", "221 mail.example.org")
        with smtp.connect() as stranger:
            stranger.command("mail from : asfik@cs.example.edu", "250 ok")
            stranger.command("rcpt to : someone@elsewhere.example",
                             "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")
            stranger.command("quit", "221 mail.example.org")

    FORM_A = ["250-mail.example.org", "250-AUTH LOGIN CRAM-MD5 PLAIN",
              "250-AUTH=LOGIN CRAM-MD5 PLAIN", "250-PIPELINING", "250 8BITMIME"]

    def test_form_a_with_vchkpw(self):
        self.checker("/home/vpopmail/bin/vchkpw", "/bin/true")
        with self.running('''
exec softlimit -m 8000000 tcpserver -H -R -v -x /etc/tcp.smtp.cdb -c "$MAXSMTPD" \\
      -u "$UID" -g "$GID" 0 25 qmail-smtpd host.domain.de /home/vpopmail/bin/vchkpw /bin/true 2>&1
'''):
            self.log_in(self.FORM_A)

    def test_form_a_with_checkvpw_and_a_further_argument(self):
        self.checker("/usr/local/bin/checkvpw", "/bin/true maildir")
        with self.running('''
exec softlimit -m 8000000 tcpserver -H -R -v -x /etc/tcp.smtp.cdb -c "$MAXSMTPD" \\
  -u "$UID" -g "$GID" 0 25 \\
  qmail-smtpd digimon.cs.example.edu /usr/local/bin/checkvpw /bin/true maildir 2>&1
'''):
            self.log_in(self.FORM_A)

    def test_form_b_with_its_log_in_syslog(self):
        self.checker("/bin/checkpassword", "/bin/true")
        syslog = self.listen_as_syslog()
        with self.running('''
tcpserver -H -R -v -x /etc/tcp.smtp.cdb -u "$UID" -g "$GID" 0 smtp qmail-smtpd /bin/checkpassword /bin/true 2>&1 | splogger smtpd 3 &
wait
'''):
            self.log_in(["250-mail.example.org", "250-PIPELINING", "250-8BITMIME",
                         "250-AUTH LOGIN PLAIN", "250 SIZE 0"])
            self.assertIn("smtpd: ", syslog.recv(4096).decode())

    def test_relaying_by_address_with_tcprules(self):
        rules = pathlib.Path("/etc/tcp.smtp")
        before = rules.read_text()
        self.addCleanup(lambda: (rules.write_text(before), hosts.on(hosts.MAIN, "qmailctl", "cdb")))
        rules.write_text('127.:allow,RELAYCLIENT=""\n:allow\n')
        hosts.on(hosts.MAIN, "tcprules", "/etc/tcp.smtp.cdb", "/etc/tcp.smtp.tmp",
                 stdin=rules.open())
        with self.running('exec tcpserver -H -R -x /etc/tcp.smtp.cdb -u "$UID" -g "$GID" '
                          '0 25 qmail-smtpd 2>&1'):
            with smtp.connect(address="127.0.0.1") as client:
                client.command("MAIL FROM:<alice@example.org>", "250 ok")
                client.command("RCPT TO:<someone@elsewhere.example>", "250 ok")
                client.command("QUIT", "221 *")
            with smtp.connect(address="192.0.2.1") as client:
                client.command("MAIL FROM:<alice@example.org>", "250 ok")
                client.command("RCPT TO:<someone@elsewhere.example>", "553 *")
                client.command("QUIT", "221 *")


class Injection(WorldTest):
    def test_echo_to_joe(self):
        services.empty_maildir("bob")
        hosts.on(hosts.MAIN, "sh", "-c", "echo bob >/var/qmail/alias/.qmail-joe")
        self.addCleanup(pathlib.Path("/var/qmail/alias/.qmail-joe").unlink)
        hosts.on(hosts.MAIN, "sh", "-c", "echo to: joe | /var/qmail/bin/qmail-inject")
        (message,) = services.wait_for_mail("bob")
        self.assertIn(b"\nto: joe@mail.example.org\n", message)


if __name__ == "__main__":
    unittest.main()
