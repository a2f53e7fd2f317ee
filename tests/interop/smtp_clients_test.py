"""Other people's SMTP clients log in on the real ports and their mail arrives: swaks with each
mechanism, msmtp, curl, Python's smtplib. CRAM-MD5, PLAIN and LOGIN as each of them implements it."""

import smtplib
import unittest

from support import hosts, services
from support.case import WorldTest
from support.wait import wait_until

ALICE, PASSWORD = "alice@example.org", "alice-password"
ELSEWHERE = "someone@elsewhere.example"
BODY = "Subject: {subject}\n\n.dot first\n\nlast line\n"


class SmtpClients(WorldTest):
    def setUp(self):
        super().setUp()
        services.empty_maildir("bob")

    def arrived(self, subject, logged_in=True):
        """Bob has one message with this subject, its body whole, from somebody who logged in."""
        (message,) = services.wait_for_mail("bob")
        text = message.replace(b"\r\n", b"\n").decode("utf-8")
        self.assertIn(f"Subject: {subject}\n", text)
        self.assertIn("\n\n.dot first\n\nlast line\n", text)
        self.assertEqual(logged_in, f"({ALICE}@" in text, text)
        self.assertIn(" with ESMTPA; " if logged_in else " with ESMTP; ", text)

    def swaks(self, *options, check=True, port=25):
        return hosts.on(hosts.MAIN, "swaks", "--server", "mail.example.org", "--port", port,
                        "--from", ALICE, "--to", "bob@example.org", "--h-Subject", "swaks",
                        "--body", ".dot first\n\nlast line\n", *options, check=check)

    def test_swaks_without_login_reaches_local_users(self):
        self.swaks()
        self.arrived("swaks", logged_in=False)

    def test_swaks_logs_in_with_each_mechanism(self):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            for port in (25, 587):
                with self.subTest(mechanism=mechanism, port=port):
                    services.empty_maildir("bob")
                    said = self.swaks("--auth", mechanism, "--auth-user", ALICE,
                                      "--auth-password", PASSWORD, port=port).stdout
                    self.assertIn("235 ok, go ahead (#2.0.0)", said)
                    self.arrived("swaks")

    def test_swaks_with_a_wrong_password_is_refused_with_each_mechanism(self):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            with self.subTest(mechanism=mechanism):
                result = self.swaks("--auth", mechanism, "--auth-user", ALICE,
                                    "--auth-password", "wrong", check=False)
                self.assertNotEqual(0, result.returncode)
                self.assertIn("535 authorization failed (#5.7.0)", result.stdout)
        self.assertEqual([], services.maildir("bob"))

    def test_swaks_with_pipelining(self):
        self.swaks("--pipeline", "--auth", "PLAIN", "--auth-user", ALICE,
                   "--auth-password", PASSWORD)
        self.arrived("swaks")

    def test_msmtp_logs_in_with_each_mechanism(self):
        for mechanism in ("plain", "login", "cram-md5"):
            with self.subTest(mechanism=mechanism):
                services.empty_maildir("bob")
                self.write_file("/root/msmtprc", f"account default\nhost mail.example.org\n"
                                f"port 587\ntls off\nauth {mechanism}\nuser {ALICE}\n"
                                f"password {PASSWORD}\nfrom {ALICE}\n", mode=0o600)
                hosts.on(hosts.MAIN, "msmtp", "-C", "/root/msmtprc", "bob@example.org",
                         input=BODY.format(subject="msmtp"))
                self.arrived("msmtp")

    def test_curl_logs_in_with_each_mechanism(self):
        self.write_file("/root/letter", BODY.format(subject="curl").replace("\n", "\r\n"))
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
            with self.subTest(mechanism=mechanism):
                services.empty_maildir("bob")
                hosts.on(hosts.MAIN, "curl", "--silent", "--show-error", "--login-options",
                         f"AUTH={mechanism}", "--user", f"{ALICE}:{PASSWORD}",
                         "--mail-from", ALICE, "--mail-rcpt", "bob@example.org",
                         "-T", "/root/letter", "smtp://mail.example.org:587/laptop.example.org")
                self.arrived("curl")

    def test_smtplib_logs_in_and_its_helpers_work(self):
        with smtplib.SMTP("mail.example.org", 587, timeout=20) as client:
            client.login(ALICE, PASSWORD)
            self.assertEqual(252, client.verify("bob")[0])
            self.assertEqual(502, client.docmd("EXPN", "list")[0])
            self.assertEqual(214, client.docmd("HELP")[0])
            self.assertEqual(250, client.noop()[0])
            self.assertEqual({}, client.sendmail(ALICE, ["bob@example.org"],
                                                 BODY.format(subject="smtplib")))
        self.arrived("smtplib")

    def test_smtplib_with_each_mechanism_it_has(self):
        for mechanism in ("auth_cram_md5", "auth_plain", "auth_login"):
            with self.subTest(mechanism=mechanism), \
                 smtplib.SMTP("mail.example.org", timeout=20) as client:
                client.ehlo()
                client.user, client.password = ALICE, PASSWORD
                name = mechanism.removeprefix("auth_").replace("_", "-").upper()
                code, _ = client.auth(name, getattr(client, mechanism))
                self.assertEqual(235, code)

    def test_smtplib_learns_which_recipient_was_refused(self):
        with smtplib.SMTP("mail.example.org", timeout=20) as client:
            refused = client.sendmail(ALICE, ["bob@example.org", ELSEWHERE],
                                      BODY.format(subject="smtplib"))
        self.assertEqual({ELSEWHERE: (553, b"sorry, that domain isn't in my list of allowed "
                                           b"rcpthosts (#5.7.1)")}, refused)
        self.arrived("smtplib", logged_in=False)

    def test_one_connection_carries_many_messages(self):
        with smtplib.SMTP("mail.example.org", timeout=20) as client:
            for number in range(50):
                client.sendmail(ALICE, ["bob@example.org"], BODY.format(subject=f"number {number}"))
        messages = services.wait_for_mail("bob", 50)
        self.assertEqual(50, len({message.split(b"Subject: ")[1].split(b"\n")[0].strip()
                                  for message in messages}))

    def test_a_client_that_vanishes_after_its_login_leaves_nothing(self):
        client = smtplib.SMTP("mail.example.org", 587, timeout=20)
        client.login(ALICE, PASSWORD)
        client.docmd("MAIL", f"FROM:<{ALICE}>")
        client.docmd("RCPT", "TO:<bob@example.org>")
        client.docmd("DATA")
        client.sock.sendall(b"Subject: cut off\r\n\r\nhalf a li")
        client.close()
        services.wait_for_empty_queue()
        self.assertEqual([], services.maildir("bob"))
        wait_until(lambda: not services.processes("qmail-smtpd"), "qmail-smtpd to end")


if __name__ == "__main__":
    unittest.main()
