# Mail leaves through a relay that is not ours: Debian's Postfix, with Dovecot's SASL.
# world: --bare-host mail.provider.de
# unpack: postfix
# unpack: dovecot-imapd dovecot-pop3d
import subprocess

from support import hosts, peers, services, smtp
from support.case import WorldTest
from support.remote import deliver
from support.wait import wait_until

RELAY = "mail.provider.de"
LOGIN = "dHJvdHRlbA== aWNo"  # trottel, ich
SPOOL = "var/spool/relay"
AUTH_SOCKET = "/var/spool/postfix/private/auth"


def on(*command):
    return hosts.on(RELAY, *command)


def setUpModule():
    peers.install(RELAY, "postfix", "postfix", "postdrop")
    peers.install(RELAY, "dovecot-imapd", "dovecot", "dovenull")
    interop = hosts.REPOSITORY / "tests/interop"
    on("cp", interop / "postfix/main.cf", interop / "postfix/master.cf", "/etc/postfix/")
    on("cp", interop / "dovecot/dovecot.conf", interop / "dovecot/users", "/etc/dovecot/")
    on("install", "-d", "-o", "nobody", f"/{SPOOL}")
    on("install", "-d", "-o", "postfix", "/var/lib/postfix")
    on("install", "-d", "/var/spool/postfix")
    # Postfix closes every descriptor it might have, one after another.
    on("prlimit", "--nofile=1024", "/usr/sbin/postfix", "start")
    peers.wait_for_port(RELAY, 2504)
    global dovecot
    dovecot = subprocess.Popen(["on", RELAY, "/usr/sbin/dovecot", "-F"])
    wait_until(lambda: on("ss", "-Hlx", "src", AUTH_SOCKET).stdout, "Dovecot to listen")


def tearDownModule():
    on("/usr/sbin/postfix", "stop")
    dovecot.terminate()
    dovecot.wait()


def in_spool(name):
    path = hosts.files(RELAY) / SPOOL / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


class Postfix(WorldTest):
    def setUp(self):
        super().setUp()
        self.clear()

    def clear(self):
        (hosts.files(RELAY) / SPOOL / "delivered").unlink(missing_ok=True)

    def relayed(self):
        return wait_until(lambda: "A message." in in_spool("delivered") and in_spool("delivered"),
                          "Postfix's delivery")

    def test_strangers_are_refused(self):
        self.set_control("smtproutes", ":mail.provider.de\n")
        report = deliver("elsewhere.example")
        self.assertTrue(report[0].startswith("h192.0.2.2 does not like recipient.\n"
                                             "Remote host said: 554 5.7.1 "), report)

    def test_each_mechanism_is_accepted(self):
        for port, name in ((2501, "CRAM-MD5"), (2502, "PLAIN"), (2503, "LOGIN"),
                           (587, "CRAM-MD5")):
            with self.subTest(name=name, port=port):
                self.clear()
                self.set_control("smtproutes", f":mail.provider.de:{port} {LOGIN}\n")
                report = deliver("elsewhere.example")
                self.assertEqual(report[0], "r")
                self.assertRegex(report[1], r"^K192\.0\.2\.2 accepted message\.\n")
                mail = self.relayed()
                self.assertIn("(Authenticated sender: trottel)", mail)
                self.assertIn("Return-Path: <alice@example.org>", mail)
                self.assertIn("A message.\n.with a dot\n", mail)
                self.assertIn(f"sasl_method={name}, sasl_username=trottel",
                              in_spool("postfix.log"))

    def test_a_wrong_password_keeps_the_mail(self):
        for port, step in ((2501, "username+digest"), (2502, "plain"), (2503, "password"),
                           (25, "plain")):
            with self.subTest(port=port):
                self.set_control("smtproutes", f":mail.provider.de:{port} dHJvdHRlbA== ZmFsc2No\n")
                report, = deliver("elsewhere.example")
                self.assertTrue(report.startswith(
                    "ZConnected to 192.0.2.2 but authentication was rejected "
                    f"({step})..\nRemote host said: 535 5.7.8 "), report)

    def test_a_relay_that_offers_no_auth_keeps_the_mail(self):
        self.set_control("smtproutes", f":mail.provider.de:2504 {LOGIN}\n")
        report, = deliver("elsewhere.example")
        self.assertTrue(report.startswith("ZConnected to 192.0.2.2 but it offers none of AUTH"))

    def test_mail_leaves_the_queue_through_it(self):
        self.set_control("smtproutes", f":mail.provider.de {LOGIN}\n")
        smtp.inject("alice@example.org", ["joe@elsewhere.example"],
                    "Subject: hello\n\nA message.\n", address="127.0.0.1")
        self.log.wait_for(r"delivery \d+: success: 192\.0\.2\.2_accepted_message\..*")
        self.relayed()
        services.wait_for_empty_queue()
