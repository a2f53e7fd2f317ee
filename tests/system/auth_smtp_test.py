# Logging in over SMTP with checkmailuser behind qmail-smtpd: each mechanism, both kinds of secret,
# both forms of the command line, under the run script's limits and as qmaild.
import pathlib
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import hosts, services
from support.case import WorldTest
from support.services import Service

TEXT = pathlib.Path("/var/qmail/users/mailusers")
COMPILED = pathlib.Path("/var/qmail/users/mailusers.cdb")


def swaks(port, mechanism, user, password, to="bob@example.org"):
    """The exit status of swaks: 0 sent, 28 authentication failed."""
    return subprocess.run(
        ["swaks", "--silent", "3", "--server", "127.0.0.1", "--port", str(port),
         "--from", "someone@example.net", "--to", to, "--auth", mechanism, "--auth-user", user,
         "--auth-password", password],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        check=False).returncode


class LoggingIn(WorldTest):
    def setUp(self):
        super().setUp()
        services.empty_maildir("bob")
        sha512 = hosts.on(hosts.MAIN, "openssl", "passwd", "-6", "ann-password").stdout.strip()
        self.write_file(TEXT, "tim@example.org:{PLAIN}tim-password:alice:/home/alice\n"
                        f"ann@example.org:{{CRYPT}}{sha512}:alice:/home/alice\n", mode=0o600)
        hosts.on(hosts.MAIN, "/var/qmail/bin/qmail-newmailusers")
        self.addCleanup(Service("qmail-smtpd").restart)
        self.addCleanup(COMPILED.unlink)
        Service("qmail-smtpd").restart()

    def assert_logs_in(self, port, mechanism, user, password):
        services.empty_maildir("bob")
        self.assertEqual(swaks(port, mechanism, user, password), 0, mechanism)
        message = services.wait_for_mail("bob")[0].decode()
        self.assertRegex(message, rf"\({user}@127\.0\.0\.1\)\n  by \S+ with ESMTPA; ")

    def test_with_each_mechanism_on_both_ports(self):
        for port in (25, 587):
            for mechanism in ("LOGIN", "PLAIN", "CRAM-MD5"):
                self.assert_logs_in(port, mechanism, "tim@example.org", "tim-password")
            for mechanism in ("LOGIN", "PLAIN"):
                self.assert_logs_in(port, mechanism, "ann@example.org", "ann-password")

    def test_is_refused_with_a_wrong_password(self):
        attempts = (("LOGIN", "tim@example.org", "wrong"), ("PLAIN", "ann@example.org", "wrong"),
                    ("CRAM-MD5", "tim@example.org", "wrong"),
                    ("CRAM-MD5", "ann@example.org", "ann-password"),
                    ("LOGIN", "nobody@example.org", "tim-password"))
        with ThreadPoolExecutor() as pool:  # each is made to wait five seconds
            statuses = list(pool.map(lambda attempt: swaks(25, *attempt), attempts))
        self.assertEqual(statuses, [28] * len(attempts))

    def test_works_in_the_form_without_a_host_name(self):
        run = pathlib.Path("/var/qmail/supervise/qmail-smtpd/run")
        self.addCleanup(run.write_text, run.read_text())
        run.write_text("#!/bin/sh\nSMTPAUTH=+cram\nexport SMTPAUTH\n"
                       "exec softlimit -m 4000000 tcpserver -H -R -u $(id -u qmaild) "
                       "-g $(id -g qmaild) 0 25 /var/qmail/bin/qmail-smtpd "
                       "/var/qmail/bin/checkmailuser /bin/true 2>&1\n")
        Service("qmail-smtpd").restart()
        for mechanism in ("LOGIN", "PLAIN", "CRAM-MD5"):
            self.assert_logs_in(25, mechanism, "tim@example.org", "tim-password")
        self.assertEqual(swaks(25, "CRAM-MD5", "tim@example.org", "wrong"), 28)


if __name__ == "__main__":
    unittest.main()
