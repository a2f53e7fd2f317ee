# Operating the mail system as an administrator does: qmailctl, the run scripts and their
# limits, connection rules, and the ways to start it without a supervisor.
# world: --bare-host relay.foreign.example
import os
import pathlib
import re
import signal
import subprocess
import unittest

from support import hosts, server, services, smtp
from support.case import WorldTest
from support.services import Log, Service
from support.wait import wait_until

QMAIL = pathlib.Path("/var/qmail")
RELAY = "relay.foreign.example"
SERVICES = ("qmail-send", "qmail-smtpd", "qmail-submission")


def qmailctl(*arguments, **options):
    return hosts.on(hosts.MAIN, "qmailctl", *arguments, **options).stdout


class Qmailctl(WorldTest):
    def test_stop_ends_every_service_and_start_brings_them_back(self):
        qmailctl("stop")
        for name in SERVICES:
            wait_until(lambda: Service(name).pid is None, f"{name} to stop")
        self.assertRegex(qmailctl("stat"), r"qmail-send: down \d+ seconds, normally up")
        qmailctl("start")
        for name in SERVICES:
            wait_until(lambda: Service(name).serves(), f"{name} to start")

    def test_restart_gives_every_service_a_new_process(self):
        before = {name: Service(name).pid for name in SERVICES}
        qmailctl("restart")
        for name in SERVICES:
            wait_until(lambda: Service(name).pid not in (None, before[name]), f"a new {name}")
            wait_until(lambda: Service(name).serves(), f"{name} to start")

    def test_pause_holds_deliveries_until_cont(self):
        qmailctl("pause")
        self.addCleanup(qmailctl, "cont")
        self.assertIn(", paused", qmailctl("stat"))
        hosts.as_user("alice", "qmail-inject", "alice", input="Subject: paused\n\n")
        self.assertIn("messages in queue: 1\n", qmailctl("stat"))
        self.assertEqual(services.maildir("alice"), [])
        qmailctl("cont")
        services.wait_for_mail("alice")
        services.empty_maildir("alice")

    def test_reload_reads_locals_and_virtualdomains_again(self):
        self.addCleanup(services.reload)
        self.set_control("locals", "localhost\nmail.example.org\nnewly.example\n")
        self.set_control("virtualdomains", "virtual.example:carol\n")
        virtual = QMAIL / "control/virtualdomains"
        os.utime(virtual, (0, 0))
        qmailctl("reload")
        wait_until(lambda: virtual.stat().st_atime, "virtualdomains to be read")
        for address in ("carol@newly.example", "any@virtual.example"):
            hosts.as_user("alice", "qmail-inject", address, input="Subject: there\n\n")
        self.log.wait_for(r"starting delivery \d+: msg \d+ to local carol@newly\.example")
        self.log.wait_for(r"starting delivery \d+: msg \d+ to local carol-any@virtual\.example")
        services.wait_for_mail("alice")  # carol-any has no mailbox
        for user in ("alice", "carol"):
            services.empty_maildir(user)

    def test_doqueue_flush_and_alrm_try_deferred_mail_at_once(self):
        self.add_dns("later.example MX 5 refused.test.")
        hosts.as_user("alice", "qmail-inject", "x@later.example", input="Subject: later\n\n")
        self.log.wait_for(r"delivery \d+: deferral: .*")
        for count, verb in enumerate(("doqueue", "flush", "alrm"), start=2):
            qmailctl(verb)
            wait_until(lambda: len(self.log.find_all(r"delivery \d+: deferral: .*")) == count,
                       f"another attempt after {verb}")
        self.add_dns(f"later.example MX 5 {RELAY}.")
        with server.ScriptedServer(server.ACCEPT_MAIL, host=RELAY):
            qmailctl("doqueue")
            self.log.wait_for(r"delivery \d+: success: .*")

    def test_queue_shows_each_message_with_its_recipients(self):
        self.add_dns("later.example MX 5 refused.test.")
        hosts.as_user("alice", "qmail-inject", "x@later.example", "y@later.example",
                      input="Subject: later\n\n")
        self.log.wait_for(r"delivery \d+: deferral: .*")
        shown = qmailctl("queue")
        self.assertIn("messages in queue: 1\nmessages in queue but not yet preprocessed: 0\n", shown)
        self.assertRegex(shown, r"#\d+ +\d+ +<alice@mail\.example\.org>")
        self.assertRegex(shown, r"\tremote\tx@later\.example\n\tremote\ty@later\.example\n")
        self.add_dns("later.example MX 0 .")
        qmailctl("doqueue")
        self.log.wait_for(r"bounce msg \d+ qp \d+")
        services.wait_for_mail("alice")
        services.empty_maildir("alice")

    def test_cdb_puts_connection_rules_into_force(self):
        rules = pathlib.Path("/etc/tcp.smtp")
        before = rules.read_text()
        self.addCleanup(qmailctl, "cdb")
        self.addCleanup(rules.write_text, before)
        rules.write_text("192.0.2.2:deny\n2001:db8::2:allow,RELAYCLIENT=\"\"\n:allow\n")
        self.assertEqual(qmailctl("cdb"), "/etc/tcp.smtp.cdb is up to date\n")
        with smtp.Client(address="192.0.2.1", from_host=RELAY) as denied:
            denied.expect_close()
        with smtp.connect(address="2001:db8::1", from_host=RELAY) as relaying:
            relaying.command("MAIL FROM:<a@foreign.example>", "250 ok")
            relaying.command("RCPT TO:<b@elsewhere.example>", "250 ok")

    def test_cdb_without_rules_says_where_to_get_them(self):
        os.rename("/etc/tcp.smtp", "/etc/aside")
        self.addCleanup(os.rename, "/etc/aside", "/etc/tcp.smtp")
        result = hosts.on(hosts.MAIN, "qmailctl", "cdb", check=False)
        self.assertEqual((result.returncode, result.stderr), (1, "qmailctl: there is no "
                         "/etc/tcp.smtp; scripts/install writes a first one\n"))

    def test_help_names_every_verb_and_anything_else_is_refused(self):
        text = qmailctl("help")
        for verb in ("start stop stat doqueue flush alrm queue reload hup pause cont restart cdb "
                     "help").split():
            self.assertRegex(text, rf"\b{verb}\b")
        self.assertEqual(hosts.on(hosts.MAIN, "qmailctl", "begin", check=False).returncode, 100)

    def test_is_for_root(self):
        result = hosts.as_user("alice", "qmailctl", "stop", check=False)
        self.assertEqual((result.returncode, result.stderr),
                         (1, "qmailctl: stop must be done as root\n"))


class RunScripts(WorldTest):
    def limits(self, name):
        """The memory limits of a service's tcpserver, in bytes."""
        text = pathlib.Path(f"/proc/{Service(name).pid}/limits").read_text()
        return re.search(r"Max address space +(\S+)", text).group(1)

    def test_with_mail_accounts_port_25_offers_auth(self):
        with smtp.Client() as client:
            client.expect("220 mail.example.org ESMTP")
            client.command("EHLO me", "250-mail.example.org", "250-AUTH LOGIN CRAM-MD5 PLAIN",
                           "250-AUTH=LOGIN CRAM-MD5 PLAIN", "250-PIPELINING", "250 8BITMIME")
        self.assertEqual(self.limits("qmail-smtpd"), "32000000")

    def test_submission_wants_a_login_even_for_local_recipients(self):
        with smtp.Client(port=587) as client:
            client.expect("220 mail.example.org ESMTP")
            client.command("EHLO me", "250-mail.example.org", "250-PIPELINING", "250-8BITMIME",
                           "250-AUTH LOGIN PLAIN CRAM-MD5", "250 SIZE 0")
            client.command("MAIL FROM:<alice@example.org>",
                           "530 Authorization required (#5.7.1) ")
        self.assertEqual(self.limits("qmail-submission"), "32000000")

    def test_without_mail_accounts_port_25_offers_no_auth_and_lives_in_8_mb(self):
        accounts = QMAIL / "users/mailusers.cdb"
        accounts.rename(QMAIL / "users/aside")
        self.addCleanup(Service("qmail-smtpd").restart)
        self.addCleanup((QMAIL / "users/aside").rename, accounts)
        Service("qmail-smtpd").restart()
        with smtp.Client() as client:
            client.expect("220 mail.example.org ESMTP")
            client.command("EHLO me", "250-mail.example.org", "250-PIPELINING", "250 8BITMIME")
            serving = services.processes("qmail-smtpd", hosts.MAIN)
            text = pathlib.Path(f"/proc/{serving[0]}/limits").read_text()
            self.assertRegex(text, r"Max address space +8000000 ")
            self.assertIn("250 ok", client.send_mail("a@foreign.example", ["alice@example.org"],
                                                     "Subject: small\n\n"))
        services.wait_for_mail("alice")
        services.empty_maildir("alice")

    def test_a_service_that_cannot_start_says_in_its_log_what_to_mend(self):
        cases = (("qmail-smtpd", "concurrencyincoming", "twenty\n",
                  'qmail-smtpd/run: control/concurrencyincoming holds "twenty": write .*'),
                 ("qmail-submission", "concurrencyincoming", "\n",
                  'qmail-submission/run: control/concurrencyincoming holds "": write .*'),
                 ("qmail-smtpd", "me", "",
                  "qmail-smtpd/run: control/me holds no name: write .*"),
                 ("qmail-submission", "me", None,
                  "head: cannot open '/var/qmail/control/me' .*"),
                 ("qmail-send", "defaultdelivery", "",
                  r"rc: control/defaultdelivery says nothing: write \./Maildir/ .*"),
                 ("qmail-send", "defaultdelivery", None,
                  "cat: /var/qmail/control/defaultdelivery: No such file .*"))
        for name, file, text, wanted in cases:
            with self.subTest(service=name, file=file, text=text):
                kept = (QMAIL / "control" / file).read_text()
                log = Log(name)
                Service(name).stop()
                try:
                    if text is None:
                        (QMAIL / "control" / file).unlink()
                    else:
                        (QMAIL / "control" / file).write_text(text)
                    Service(name).svc("u")
                    log.wait_for(wanted)
                finally:
                    (QMAIL / "control" / file).write_text(kept)
                wait_until(Service(name).serves, f"{name} to start")

    def test_without_its_trigger_qmail_send_says_so(self):
        log = Log("qmail-send")
        trigger = QMAIL / "queue/lock/trigger"
        Service("qmail-send").stop()
        trigger.rename("/var/qmail/aside")
        Service("qmail-send").svc("u")
        log.wait_for("warning: unable to open lock/trigger: No such file or directory; "
                     "new mail is not seen at once")
        Service("qmail-send").stop()
        (QMAIL / "aside").rename(trigger)
        Service("qmail-send").start()

    def test_no_more_connections_are_served_than_concurrencyincoming_says(self):
        self.configure("qmail-smtpd", concurrencyincoming="1\n")
        with smtp.Client() as first:
            first.expect("220 *")
            second = smtp.Client(seconds=0.3)
            with self.assertRaisesRegex(AssertionError, "no answer"):
                second.expect("220 *")
            first.command("QUIT", "221 *")
            first.expect_close()
            second.socket.settimeout(20)
            second.expect("220 *")
            second.socket.close()

    def test_each_service_logs_into_its_own_directory_as_qmaill(self):
        for name in SERVICES:
            self.assertEqual(pathlib.Path("/var/log/qmail", name, "current").owner(), "qmaill")
        log = Log("qmail-submission")
        with smtp.connect(port=587, from_host=RELAY):
            log.wait_for(r"tcpserver: ok \d+ .*:587 .*192\.0\.2\.2.*|tcpserver: ok .*2001:db8::2.*")

    def test_a_service_that_dies_is_back_at_once(self):
        for name in SERVICES:
            before = Service(name).pid
            os.kill(before, signal.SIGKILL)
            wait_until(lambda: Service(name).pid not in (None, before), f"a new {name}")
            wait_until(lambda: Service(name).serves(), f"{name} to serve")
        hosts.as_user("alice", "qmail-inject", "alice", input="Subject: still\n\n")
        services.wait_for_mail("alice")
        services.empty_maildir("alice")


class OtherWaysToStart(WorldTest):
    def stop_service(self, name):
        Service(name).stop()
        self.addCleanup(Service(name).start)

    def test_rc_alone_with_its_log_on_standard_output(self):
        self.stop_service("qmail-send")
        process = subprocess.Popen([QMAIL / "rc"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        self.assertEqual(process.stdout.readline(), "status: local 0/10 remote 0/20\n")
        process.terminate()
        self.assertIn("status: exiting\n", process.stdout.read())
        self.assertEqual(process.wait(), 0)

    def test_with_splogger_to_syslog(self):
        self.stop_service("qmail-send")
        syslog = self.listen_as_syslog()
        process = subprocess.Popen(["qmail-start", "./Maildir/", "splogger", "qmail"],
                                   env={"PATH": "/var/qmail/bin:/usr/bin:/bin"}, cwd="/")
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        line = syslog.recv(2000).decode()
        # Facility mail (2), level info (6).
        self.assertRegex(line, r"<22>.* qmail: \d+\.\d{6} status: local 0/10 remote 0/20")

    def test_smtp_from_an_inetd_through_tcp_env(self):
        with server.ScriptedServer(self.serve_as_inetd, port=2525) as inetd:
            with smtp.Client(port=2525, address="192.0.2.1", from_host=RELAY) as client:
                client.expect("220 mail.example.org ESMTP")
                client.command("HELO client.example", "250 mail.example.org")
                client.send_mail("a@foreign.example", ["alice@example.org"], "Subject: inetd\n\n")
                client.command("QUIT", "221 mail.example.org")
            inetd.wait_for_connections()
        message = services.wait_for_mail("alice")[0].decode()
        self.assertRegex(message, r"Received: from relay\.foreign\.example \(HELO client\.example\) "
                                  r"\(192\.0\.2\.2\)\n  by mail\.example\.org with E?SMTP; ")
        services.empty_maildir("alice")

    def serve_as_inetd(self, peer):
        """smtp stream tcp nowait qmaild /var/qmail/bin/tcp-env tcp-env /var/qmail/bin/qmail-smtpd"""
        peer.socket.settimeout(None)
        subprocess.run(["tcp-env", QMAIL / "bin/qmail-smtpd"], executable=QMAIL / "bin/tcp-env",
                       stdin=peer.socket, stdout=peer.socket, user="qmaild", group="nofiles",
                       extra_groups=[], env={"PATH": "/usr/bin:/bin"}, cwd="/", check=False)


class Config(WorldTest):
    def test_takes_the_hosts_name_and_every_name_of_its_addresses(self):
        for name in ("me", "defaultdomain", "plusdomain", "locals", "rcpthosts"):
            self.set_control(name, "")
        hosts.on(hosts.MAIN, "ip", "address", "add", "192.0.2.80/24", "dev", "eth0")
        self.addCleanup(hosts.on, hosts.MAIN, "ip", "address", "del", "192.0.2.80/24", "dev", "eth0")
        self.add_dns("80.2.0.192.in-addr.arpa PTR other.example.org.")
        hosts.on(hosts.MAIN, QMAIL / "configure/config")
        control = QMAIL / "control"
        self.assertEqual((control / "me").read_text(), "mail.example.org\n")
        self.assertEqual((control / "locals").read_text(), "mail.example.org\nother.example.org\n")
        self.assertEqual((control / "rcpthosts").read_text(),
                         "mail.example.org\nother.example.org\n")


if __name__ == "__main__":
    unittest.main()
