# The world itself: users, names, hosts, ports, and that nothing gets out of it.
# world: --host mx2.example.net --host backup.example.net --bare-host relay.foreign.example
import crypt
import pathlib
import pwd
import socket
import spwd
import unittest

from support import hosts, server, services, smtp
from support.case import WorldTest

HOSTS = {"mail.example.org": ("192.0.2.1", "2001:db8::1"),
         "mx2.example.net": ("192.0.2.2", "2001:db8::2"),
         "backup.example.net": ("192.0.2.3", "2001:db8::3"),
         "relay.foreign.example": ("192.0.2.4", "2001:db8::4")}


def dig(*arguments):
    return hosts.on(hosts.MAIN, "dig", "+short", "+tries=1", "+time=2", *arguments,
                    check=False).stdout.split("\n")[:-1]


class Machine(WorldTest):
    def test_is_called_mail_example_org(self):
        self.assertEqual(socket.gethostname(), "mail.example.org")
        self.assertEqual(socket.getfqdn(), "mail.example.org")

    def test_users_have_their_passwords_and_maildirs(self):
        for name in ("alice", "bob", "carol"):
            secret = spwd.getspnam(name).sp_pwdp
            self.assertEqual(crypt.crypt(f"{name}-password", secret), secret)
            home = pathlib.Path(pwd.getpwnam(name).pw_dir)
            for part in ("tmp", "new", "cur"):
                self.assertEqual((home / "Maildir" / part).owner(), name)
            self.assertEqual(hosts.as_user(name, "id", "-un").stdout, f"{name}\n")

    def test_users_do_not_read_each_others_mail(self):
        result = hosts.as_user("alice", "ls", "/home/bob/Maildir", check=False)
        self.assertIn("Permission denied", result.stderr)

    def test_the_repository_is_read_only(self):
        with self.assertRaises(OSError):
            (hosts.REPOSITORY / "made-by-a-world").touch()

    def test_the_file_system_of_the_real_machine_is_out_of_reach(self):
        kinds = {line.split()[1]: line.split()[2]
                 for line in pathlib.Path("/proc/mounts").read_text().splitlines()}
        self.assertEqual(kinds["/"], "overlay")
        self.assertEqual(kinds["/var/qmail"], "tmpfs")

    def test_process_1_is_the_hub(self):
        self.assertIn(b"world hub", pathlib.Path("/proc/1/cmdline").read_bytes())


class Hosts(WorldTest):
    def test_all_are_there_under_their_own_names(self):
        self.assertEqual(hosts.names(), sorted(HOSTS))
        for name in HOSTS:
            self.assertEqual(hosts.on(name, "hostname").stdout, f"{name}\n")

    def test_each_has_the_addresses_dns_says(self):
        for name, (v4, v6) in HOSTS.items():
            self.assertEqual((dig("A", name), dig("AAAA", name)), ([v4], [v6]))
            self.assertEqual((dig("-x", v4), dig("-x", v6)), ([f"{name}."], [f"{name}."]))
            held = hosts.on(name, "ip", "-brief", "address", "show", "eth0").stdout
            self.assertIn(f"{v4}/24", held)
            self.assertIn(f"{v6}/64", held)

    def test_have_file_systems_of_their_own(self):
        path = self.write_file("/etc/only-here", "x", host="relay.foreign.example")
        self.assertTrue(path.exists())
        self.assertFalse(pathlib.Path("/etc/only-here").exists())
        self.assertEqual(hosts.on("relay.foreign.example", "cat", "/etc/only-here").stdout, "x")

    def test_reach_each_other_over_both_protocols(self):
        script = ["S 220 hello", "C QUIT", "S 221 bye"]
        with server.ScriptedServer(script, host="relay.foreign.example", port=2525) as listener:
            for address in HOSTS["relay.foreign.example"]:
                for origin in HOSTS:
                    with smtp.Client(port=2525, address=address, from_host=origin) as client:
                        client.expect("220 hello")
                        client.command("QUIT", "221 bye")
            self.assertEqual(len(listener.wait_for_connections(8)), 8)

    def test_a_bare_host_runs_nothing(self):
        self.assertEqual(hosts.on("relay.foreign.example", "ss", "-Hltn").stdout, "")

    def test_a_command_keeps_its_exit_status_and_input_and_starts_in_root(self):
        result = hosts.on("mx2.example.net", "bash", "-c", "cat; pwd; exit 3", input="in\n",
                          check=False)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (3, "in\n/root\n", ""))

    def test_an_unknown_one_is_named_with_those_there_are(self):
        result = hosts.on(hosts.MAIN, "on", "nowhere.example", "true", check=False)
        self.assertEqual(result.returncode, 125)
        self.assertRegex(result.stderr, r"no host nowhere\.example here; there are: .*mx2\.example\.net")


class Names(WorldTest):
    def test_a_domains_first_host_is_its_best_mx(self):
        self.assertEqual(dig("MX", "example.org"), ["10 mail.example.org."])
        self.assertEqual(sorted(dig("MX", "example.net")),
                         ["10 mx2.example.net.", "20 backup.example.net."])

    def test_unknown_names_do_not_exist_and_known_ones_may_have_no_record(self):
        full = hosts.on(hosts.MAIN, "dig", "nowhere.example").stdout
        self.assertIn("status: NXDOMAIN", full)
        for name in ("example.org", "org"):  # org exists because names below it do
            full = hosts.on(hosts.MAIN, "dig", "TXT", name).stdout
            self.assertIn("status: NOERROR", full)
            self.assertIn("ANSWER: 0", full)

    def test_records_can_be_added_and_replaced_while_it_runs(self):
        self.add_dns("new.example A 192.0.2.77\n"
                     "mail.example.org A 192.0.2.78\n"
                     "*.wild.example MX 5 new.example.\n"
                     "alias.example CNAME new.example.")
        self.assertEqual(dig("A", "new.example"), ["192.0.2.77"])
        self.assertEqual(dig("A", "mail.example.org"), ["192.0.2.78"])
        self.assertEqual(dig("AAAA", "mail.example.org"), ["2001:db8::1"])
        self.assertEqual(dig("MX", "any.thing.wild.example"), ["5 new.example."])
        self.assertEqual(dig("A", "alias.example"), ["new.example.", "192.0.2.77"])

    def test_a_large_answer_is_truncated_over_udp_and_whole_over_tcp(self):
        self.add_dns("\n".join(f"large.example MX {n} mx{n}.large.example." for n in range(200)))
        self.assertEqual(len(dig("MX", "large.example")), 200)
        refused = hosts.on(hosts.MAIN, "dig", "+ignore", "+noedns", "MX", "large.example").stdout
        self.assertRegex(refused, "flags:[a-z ]* tc")

    def test_trouble_can_be_had(self):
        for name, status in (("servfail.test", "SERVFAIL"), ("below.servfail.test", "SERVFAIL")):
            self.assertIn(f"status: {status}", hosts.on(hosts.MAIN, "dig", name).stdout)
        self.assertIn("timed out", hosts.on(hosts.MAIN, "dig", "+tries=1", "+time=1",
                                            "timeout.test", check=False).stdout)
        self.assertEqual(dig("MX", "nomx.test"), ["0 ."])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("refused.test", 25), timeout=5)
        with self.assertRaises(TimeoutError):
            socket.create_connection(("silent.test", 25), timeout=0.3)

    def test_questions_are_logged(self):
        dig("A", "asked-for.example")
        log = pathlib.Path("/run/world/dns.log").read_text(encoding="utf-8")
        self.assertIn("asked-for.example. A udp NXDOMAIN 0\n", log)


class Suite(WorldTest):
    def test_is_as_the_layout_says(self):
        result = hosts.on(hosts.MAIN, hosts.REPOSITORY / "scripts/install", "--check", check=False)
        self.assertEqual((result.returncode, result.stdout),
                         (0, "everything is as scripts/layout says\n"))

    def test_greets_on_25_and_587_over_both_protocols(self):
        for name in ("mail.example.org", "mx2.example.net"):
            for address in HOSTS[name]:
                for port in (25, 587):
                    with smtp.Client(address=address, port=port) as client:
                        client.expect(f"220 {name} ESMTP")

    def test_strangers_may_write_to_local_users_only(self):
        with smtp.connect(from_host="relay.foreign.example") as client:
            client.command("MAIL FROM:<x@foreign.example>", "250 ok")
            client.command("RCPT TO:<alice@example.org>", "250 ok")
            client.command("RCPT TO:<x@example.com>", "553 *")

    def test_programs_on_the_machine_may_relay(self):
        with smtp.connect(address="127.0.0.1") as client:
            client.command("MAIL FROM:<alice@example.org>", "250 ok")
            client.command("RCPT TO:<x@example.com>", "250 ok")

    def test_mail_from_one_host_arrives_on_another(self):
        smtp.inject("x@foreign.example", ["bob@example.org"], "Subject: one\n\nhello\n",
                    from_host="relay.foreign.example")
        self.assertIn(b"hello", services.wait_for_mail("bob")[-1])
        hosts.as_user("alice", "qmail-inject", "bob@example.net", input="Subject: two\n\nthere\n")
        there = services.wait_for_mail("bob", host="mx2.example.net")
        self.assertIn(b"there", there[-1])

    def test_the_command_log_shows_what_the_services_that_run_have_said(self):
        never_started = pathlib.Path("/var/log/qmail/qmail-never-started")
        never_started.mkdir()
        self.addCleanup(never_started.rmdir)
        hosts.as_user("alice", "qmail-inject", "bob@example.org", input="Subject: three\n\n")
        end = self.log.wait_for(r"end msg \d+").group()
        result = hosts.on(hosts.MAIN, hosts.REPOSITORY / "scripts/lib/world/bin/log", check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, rf"(?m)^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ {end}$")

    def test_an_address_of_either_protocol_that_does_not_answer_is_remembered(self):
        self.set_control("timeoutconnect", "1\n")
        self.add_dns("both.example MX 5 silent.test.")
        hosts.as_user("alice", "qmail-inject", "x@both.example", input="Subject: silence\n\n")
        self.log.wait_for(r"delivery \d+: deferral: .*")
        for name in ("tcpto", "tcpto6"):
            self.assertNotEqual(pathlib.Path("/var/qmail/queue/lock", name).read_bytes().strip(b"\0"),
                                b"", name)
        services.clear_queue()

    def test_a_backup_mx_keeps_nothing_for_itself(self):
        locals_file = hosts.files("backup.example.net") / "var/qmail/control/locals"
        self.assertNotIn("\nexample.net\n", locals_file.read_text())

    def test_qmailctl_stops_and_starts_everything(self):
        hosts.on(hosts.MAIN, "qmailctl", "stop")
        for name in ("qmail-send", "qmail-smtpd", "qmail-submission"):
            services.wait_until(lambda: services.Service(name).pid is None, f"{name} to stop")
        hosts.on(hosts.MAIN, "qmailctl", "start")
        for name in ("qmail-send", "qmail-smtpd", "qmail-submission"):
            services.Service(name).start()
        self.assertIn("up (pid", hosts.on(hosts.MAIN, "qmailctl", "stat").stdout)


if __name__ == "__main__":
    unittest.main()
