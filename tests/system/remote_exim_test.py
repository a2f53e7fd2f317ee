# Mail leaves through a relay that is not ours: Debian's Exim, which wants a login.
# world: --bare-host mail.provider.de
# unpack: exim4-daemon-light
import subprocess

from support import hosts, peers, services, smtp
from support.case import WorldTest
from support.remote import deliver
from support.wait import wait_until

RELAY = "mail.provider.de"
LOGIN = "dHJvdHRlbA== aWNo"  # trottel, ich
DELIVERED = "var/spool/relay/delivered"


def setUpModule():
    global exim
    peers.install(RELAY, "exim4-daemon-light", "Debian-exim")
    hosts.on(RELAY, "install", "-d", "-o", "Debian-exim", "/var/spool/relay")
    hosts.on(RELAY, "install", "-m", "0644", hosts.REPOSITORY / "tests/interop/exim.conf",
             "/etc/exim4/exim4.conf")
    exim = subprocess.Popen(["on", RELAY, "/usr/sbin/exim4", "-bdf", "-q1h"])
    peers.wait_for_port(RELAY, 2504)


def tearDownModule():
    exim.terminate()
    exim.wait()


def delivered():
    path = hosts.files(RELAY) / DELIVERED
    return path.read_text(encoding="utf-8") if path.exists() else ""


class Exim(WorldTest):
    def setUp(self):
        super().setUp()
        (hosts.files(RELAY) / DELIVERED).unlink(missing_ok=True)

    def relayed(self):
        return wait_until(lambda: "A message." in delivered() and delivered(), "Exim's delivery")

    def test_strangers_are_refused(self):
        self.set_control("smtproutes", ":mail.provider.de\n")
        report = deliver("elsewhere.example")
        self.assertEqual(report, ["h192.0.2.2 does not like recipient.\nRemote host said: "
                                  "550 relaying is for customers\n", "DGiving up on 192.0.2.2.\n"])

    def test_each_mechanism_is_accepted(self):
        for port, name in ((2501, "cram"), (2502, "plain"), (2503, "login"), (587, "cram")):
            with self.subTest(name=name, port=port):
                (hosts.files(RELAY) / DELIVERED).unlink(missing_ok=True)
                self.set_control("smtproutes", f":mail.provider.de:{port} {LOGIN}\n")
                report = deliver("elsewhere.example")
                self.assertEqual(report[0], "r")
                self.assertRegex(report[1], r"^K192\.0\.2\.2 accepted message\.\n")
                mail = self.relayed()
                self.assertIn("with esmtpa (Exim", mail)
                self.assertIn("Envelope-to: joe@elsewhere.example", mail)
                self.assertIn("Return-path: <alice@example.org>", mail)
                self.assertIn("A message.\n.with a dot\n", mail)
                log = (hosts.files(RELAY) / "var/spool/relay/main.log").read_text()
                self.assertIn(f"A={name}:trottel", log)

    def test_a_wrong_password_keeps_the_mail(self):
        for port, step in ((2501, "username+digest"), (2502, "plain"), (2503, "password"),
                           (25, "plain")):
            with self.subTest(port=port):
                self.set_control("smtproutes", f":mail.provider.de:{port} dHJvdHRlbA== ZmFsc2No\n")
                self.assertEqual(deliver("elsewhere.example"), [
                    "ZConnected to 192.0.2.2 but authentication was rejected "
                    f"({step})..\nRemote host said: 535 Incorrect authentication data\n"])

    def test_a_relay_that_offers_no_auth_keeps_the_mail(self):
        self.set_control("smtproutes", f":mail.provider.de:2504 {LOGIN}\n")
        report, = deliver("elsewhere.example")
        self.assertTrue(report.startswith("ZConnected to 192.0.2.2 but it offers none of AUTH"))
        self.assertEqual(delivered(), "")

    def test_plain_credentials_after_bars(self):
        self.set_control("smtproutes", ":mail.provider.de|trottel|ich\n")
        self.assertEqual(deliver("elsewhere.example")[0], "r")
        self.relayed()

    def test_the_sender_chooses_the_relay(self):
        self.set_control("smtproutes", ":refused.test\n")
        self.set_control("authsenders", "@example.org:mail.provider.de:587|trottel|ich\n")
        self.assertEqual(deliver("elsewhere.example")[0], "r")
        self.relayed()


class Suite(WorldTest):
    """Through the queue: what is refused stays there until it is put right."""

    def setUp(self):
        super().setUp()
        (hosts.files(RELAY) / DELIVERED).unlink(missing_ok=True)

    def send_with(self, route):
        self.set_control("smtproutes", route)
        smtp.inject("alice@example.org", ["joe@elsewhere.example"],
                    "Subject: hello\n\nA message.\n", address="127.0.0.1")

    def mend(self):
        """Mail that was kept leaves once the route is right."""
        self.assertTrue(services.queue())
        self.set_control("smtproutes", f":mail.provider.de {LOGIN}\n")
        services.Service("qmail-send").svc("a")
        self.log.wait_for(r"delivery \d+: success: 192\.0\.2\.2_accepted_message\..*")
        wait_until(lambda: "A message." in delivered(), "Exim's delivery")

    def test_right_credentials(self):
        self.send_with(f":mail.provider.de {LOGIN}\n")
        self.log.wait_for(r"delivery \d+: success: 192\.0\.2\.2_accepted_message\..*")
        wait_until(lambda: "A message." in delivered(), "Exim's delivery")

    def test_a_wrong_password(self):
        self.send_with(":mail.provider.de dHJvdHRlbA== ZmFsc2No\n")
        self.log.wait_for(r"delivery \d+: deferral: Connected_to_192\.0\.2\.2_but_authentication_"
                          r"was_rejected_\(plain\)\.\./Remote_host_said:_535_.*")
        self.mend()

    def test_no_auth_offered(self):
        self.send_with(f":mail.provider.de:2504 {LOGIN}\n")
        self.log.wait_for(r"delivery \d+: deferral: Connected_to_192\.0\.2\.2_but_it_offers_none_"
                          r".*")
        self.mend()

    def test_base64_that_does_not_decode(self):
        self.send_with(":mail.provider.de trottel geheim!\n")
        line = self.log.wait_for(r"delivery \d+: deferral: control/smtproutes,_line_\":mail\."
                                 r"provider\.de\.\.\.\":_the_user_name_is_not_base64:.*")
        self.assertNotIn("geheim", line.group())
        self.mend()
