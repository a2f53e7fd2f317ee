# The smtproutes lines of the guides, against our own qmail-smtpd on another host.
# world: --host mail.provider.de --bare-host mx.elsewhere.example
from support import hosts, server, services, smtp
from support.case import WorldTest

RELAY = "mail.provider.de"
GUIDE = """\
:mail.provider.de dHJvdHRlbA== aWNo
testdomain.de:mail.provider.de:587 dHJvdHRlbA== aWNo
.testdomain.de:mail.provider.de dHJvdHRlbA== aWNo
intern.example:
"""
ACCOUNT = "trottel:{PLAIN}ich:alice:/home/alice\n"


def setUpModule():
    """The relay gets an account, and its SMTP service offers AUTH from then on."""
    path = hosts.files(RELAY) / "var/qmail/users/mailusers"
    path.write_text(path.read_text() + ACCOUNT)
    hosts.on(RELAY, "/var/qmail/bin/qmail-newmailusers")
    services.Service("qmail-smtpd", RELAY).restart()


class Guide(WorldTest):
    def setUp(self):
        super().setUp()
        self.set_control("smtproutes", GUIDE)
        self.add_dns("testdomain.de. MX 10 mx.elsewhere.example.\n"
                     "sub.testdomain.de. MX 10 mx.elsewhere.example.\n"
                     "intern.example. MX 10 mx.elsewhere.example.")
        self.mx = server.ScriptedServer(server.ACCEPT_MAIL_AND_CLOSE, host="mx.elsewhere.example")

    def tearDown(self):
        services.wait_for_empty_queue(RELAY)
        self.mx.__exit__(None)
        super().tearDown()

    def send(self, recipient):
        """Mail from alice; returns what the exchanger at the end of its way has got."""
        smtp.inject("alice@example.org", [recipient], "Subject: hello\n\nA message.\n",
                    address="127.0.0.1")
        peer = self.mx.wait_for_connections()[-1]
        self.assertIn(f"RCPT TO:<{recipient}>", peer.lines)
        return peer.data.decode()

    def test_everything_else_goes_through_the_provider(self):
        mail = self.send("joe@elsewhere.example")
        self.assertIn("(trottel@192.0.2.1)\r\n  by mail.provider.de with ESMTPA;", mail)
        self.log.wait_for(r"delivery \d+: success: 192\.0\.2\.2_accepted_message\./"
                          r"Remote_host_said:_250_ok_\d+_qp_\d+/")

    def test_a_domain_has_its_own_port(self):
        mail = self.send("joe@testdomain.de")
        self.assertIn("(trottel@192.0.2.1)\r\n  by mail.provider.de with ESMTPA;", mail)

    def test_a_dot_covers_subdomains(self):
        mail = self.send("joe@sub.testdomain.de")
        self.assertIn("(trottel@192.0.2.1)\r\n  by mail.provider.de with ESMTPA;", mail)

    def test_an_empty_relay_means_the_exchanger_itself(self):
        mail = self.send("joe@intern.example")
        self.assertNotIn("mail.provider.de", mail)


class Strangers(WorldTest):
    def test_the_provider_refuses_whoever_does_not_log_in(self):
        self.set_control("smtproutes", ":mail.provider.de\n")
        smtp.inject("alice@example.org", ["joe@elsewhere.example"], "Subject: x\n\nhello\n",
                    address="127.0.0.1")
        self.log.wait_for(r"delivery \d+: failure: 192\.0\.2\.2_does_not_like_recipient\./"
                          r"Remote_host_said:_553_sorry,_that_domain_isn't_in_my_list_of_allowed_"
                          r"rcpthosts_\(#5\.7\.1\)/Giving_up_on_192\.0\.2\.2\./")
        services.wait_for_mail("alice")
        services.empty_maildir("alice")

    def test_a_wrong_password_keeps_the_mail_until_it_is_put_right(self):
        self.set_control("smtproutes", ":mail.provider.de dHJvdHRlbA== ZmFsc2No\n")
        with server.ScriptedServer(server.ACCEPT_MAIL_AND_CLOSE, host="mx.elsewhere.example") as mx:
            smtp.inject("alice@example.org", ["joe@elsewhere.example"], "Subject: x\n\nhello\n",
                        address="127.0.0.1")
            self.log.wait_for(r"delivery \d+: deferral: Connected_to_192\.0\.2\.2_but_"
                              r"authentication_was_rejected_\(plain\)\.\./.*", seconds=40)
            self.set_control("smtproutes", GUIDE)
            services.Service("qmail-send").svc("a")
            mx.wait_for_connections()
