# qmail-remote finds the host a message goes to, and reports what becomes of it there.
# world: --bare-host mx1.foreign.example --bare-host mx2.foreign.example
import pathlib
import time

from support import hosts
from support.case import WorldTest
from support.remote import MESSAGE, deliver
from support.server import ACCEPT_MAIL, ScriptedServer

MX1, MX2 = "mx1.foreign.example", "mx2.foreign.example"  # 192.0.2.2 and .3, 2001:db8::2 and ::3
ACCEPTED = "K{} accepted message.\nRemote host said: 250 taken\n"
NO_CONNECTION = ["ZSorry, I wasn't able to establish an SMTP connection. (#4.4.1)\n"]
GREETED = ["S 220 mx ESMTP", "C EHLO *", "S 250 mx"]
TO_DATA = GREETED + ["C MAIL *", "S 250 ok", "C RCPT *", "S 250 ok", "C DATA", "S 354 go on"]


class Exchangers(WorldTest):
    def accepted_by(self, address, host="foreign.example"):
        self.assertEqual(deliver(host), ["r", ACCEPTED.format(address)])

    def test_the_best_one_gets_the_message(self):
        with ScriptedServer(ACCEPT_MAIL, host=MX1) as best, \
                ScriptedServer(ACCEPT_MAIL, host=MX2) as other:
            self.accepted_by("192.0.2.2")
            peer = best.wait_for_connections()[0]
        self.assertEqual(other.peers, [])
        self.assertEqual(peer.lines, ["EHLO mail.example.org", "MAIL FROM:<alice@example.org>",
                                      "RCPT TO:<joe@foreign.example>", "DATA", "QUIT"])
        wire = MESSAGE.replace("\n.", "\n..").replace("\n", "\r\n") + ".\r\n"
        self.assertEqual(peer.data.decode(), wire)

    def test_the_next_one_gets_it_when_the_best_is_down(self):
        with ScriptedServer(ACCEPT_MAIL, host=MX2):
            self.accepted_by("192.0.2.3")

    def test_the_next_one_gets_it_when_the_best_will_not_greet(self):
        for refusal in (["S 554 not here"], ["S 421 busy"], ["close"], ["reset"]):
            with self.subTest(refusal), ScriptedServer(refusal, host=MX1), \
                    ScriptedServer(ACCEPT_MAIL, host=MX2):
                self.accepted_by("192.0.2.3")

    def test_nobody_there_defers(self):
        self.assertEqual(deliver("foreign.example"), NO_CONNECTION)
        self.assertEqual(deliver("refused.test"), NO_CONNECTION)

    def test_equal_preferences_are_taken_at_random(self):
        self.add_dns(f"even.example. MX 10 {MX1}.\neven.example. MX 10 {MX2}.")
        with ScriptedServer(ACCEPT_MAIL, host=MX1) as one, \
                ScriptedServer(ACCEPT_MAIL, host=MX2) as two:
            for _ in range(40):  # all to one of them once in 2^39 times
                deliver("even.example")
            self.assertEqual(len(one.peers) + len(two.peers), 40)
            self.assertTrue(one.peers and two.peers)

    def test_ipv6_alone_is_enough(self):
        self.add_dns("six.example. MX 10 mx.six.example.\nmx.six.example. AAAA 2001:db8::3")
        with ScriptedServer(ACCEPT_MAIL, host=MX2):
            self.accepted_by("2001:db8::3", "six.example")

    def test_either_family_stands_in_for_the_other(self):
        for address, family in (("2001:db8::2", "::"), ("192.0.2.2", "0.0.0.0")):
            listening = "2001:db8::2" if family == "::" else "0.0.0.0"
            with self.subTest(address), ScriptedServer(ACCEPT_MAIL, host=MX1, address=listening):
                self.accepted_by(address)

    def test_a_host_without_exchanger_is_its_own(self):
        with ScriptedServer(ACCEPT_MAIL, host=MX2):
            self.accepted_by("192.0.2.3", MX2)

    def test_a_literal_needs_no_dns(self):
        with ScriptedServer(ACCEPT_MAIL, host=MX1):
            self.accepted_by("192.0.2.2", "[192.0.2.2]")
            self.accepted_by("2001:db8::2", "[IPv6:2001:db8::2]")

    def test_a_cname_is_followed_and_not_rewritten(self):
        self.add_dns("alias.example. CNAME foreign.example.")
        with ScriptedServer(ACCEPT_MAIL, host=MX1) as best:
            self.accepted_by("192.0.2.2", "alias.example")
            self.assertIn("RCPT TO:<joe@alias.example>", best.wait_for_connections()[0].lines)

    def test_long_answers_come_over_tcp(self):
        records = [f"long.example. MX {n} mx{n}.a-label-that-takes-room.long.example."
                   for n in range(1000, 1900)]
        self.add_dns("\n".join([*records, "long.example. MX 1 mx1.foreign.example."]))
        with ScriptedServer(ACCEPT_MAIL, host=MX1):
            self.accepted_by("192.0.2.2", "long.example")
        questions = pathlib.Path("/run/world/dns.log").read_text()
        self.assertIn("long.example. MX tcp NOERROR", questions)

    def test_a_truncated_answer_is_asked_for_again(self):
        self.add_dns('cut.example. TXT "world: truncate"\ncut.example. MX 1 mx1.foreign.example.')
        with ScriptedServer(ACCEPT_MAIL, host=MX1):
            self.accepted_by("192.0.2.2", "cut.example")


class NothingToReach(WorldTest):
    def test_a_null_mx_is_final(self):
        self.assertEqual(deliver("nomx.test"),
                         ["DSorry, nomx.test takes no mail: it has a null MX. (#5.1.10)\n"])

    def test_an_unknown_name_is_final(self):
        self.assertEqual(deliver("nowhere.test"),
                         ["DSorry, I couldn't find any host named nowhere.test. (#5.1.2)\n"])
        self.assertEqual(deliver("no\nway.test", "joe@foreign.example"),
                         ["DSorry, I couldn't find any host named no?way.test. (#5.1.2)\n"])

    def test_a_name_without_address_is_final(self):
        self.add_dns('bare.example. TXT "nothing"\nlost.example. MX 10 nowhere.test.')
        for host in ("bare.example", "lost.example"):
            self.assertEqual(deliver(host), [
                "DSorry, I couldn't find a mail exchanger or IP address. (#5.4.4)\n"])

    def test_dns_in_trouble_is_not(self):
        self.add_dns("some.example. MX 10 servfail.test.")
        for host in ("servfail.test", "some.example"):
            self.assertEqual(deliver(host),
                             ["ZSorry, I couldn't find any host by that name. (#4.1.2)\n"])

    def test_ourselves_are_no_way_out(self):
        ours = [("A", "192.0.2.1"), ("AAAA", "2001:db8::1"), ("A", "127.0.0.1"), ("A", "0.0.0.0"),
                ("AAAA", "::"), ("AAAA", "::1"), ("AAAA", "::ffff:192.0.2.1")]
        self.add_dns("\n".join(f"self{n}.example. MX 10 a{n}.example.\n"
                               f"a{n}.example. {kind} {address}"
                               for n, (kind, address) in enumerate(ours)))
        named = [f"self{n}.example" for n in range(len(ours))]
        for host in ("loop.test", "[127.0.0.1]", "[192.0.2.1]", *named):
            with self.subTest(host):
                self.assertEqual(deliver(host), [
                    "DSorry. Although I'm listed as a best-preference MX or A for that host,\n"
                    "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n"])

    def test_a_backup_exchanger_sends_only_to_better_ones(self):
        self.add_dns(f"backed.example. MX 10 {MX1}.\nbacked.example. MX 20 mail.example.org.\n"
                     f"backed.example. MX 30 {MX2}.")
        with ScriptedServer(ACCEPT_MAIL, host=MX2) as worse:
            self.assertEqual(deliver("backed.example"), NO_CONNECTION)
            self.assertEqual(worse.peers, [])

    def test_a_silent_host_is_left_alone_after_two_timeouts(self):
        self.set_control("timeoutconnect", "1\n")
        self.add_dns("quiet.example. A 192.0.2.254")
        tcpto = pathlib.Path("/var/qmail/queue/lock/tcpto")
        self.addCleanup(tcpto.write_bytes, bytes(1024))
        self.assertEqual(deliver("quiet.example"), NO_CONNECTION)
        record = tcpto.read_bytes()[:16]
        self.assertEqual(record[:5], bytes([192, 0, 2, 254, 1]))
        self.assertAlmostEqual(int.from_bytes(record[8:12], "little"), time.time(), delta=60)
        tcpto.write_bytes(record[:4] + b"\2" + record[5:] + bytes(1008))
        self.set_control("timeoutconnect", "1000\n")  # would take longer than this test may
        self.assertEqual(deliver("quiet.example"), NO_CONNECTION)

    def test_a_silent_ipv6_address_has_a_file_of_its_own(self):
        self.set_control("timeoutconnect", "1\n")
        self.add_dns("quiet6.example. AAAA 2001:db8::254")
        tcpto = pathlib.Path("/var/qmail/queue/lock/tcpto6")
        self.addCleanup(tcpto.write_bytes, bytes(2048))
        self.assertEqual(deliver("quiet6.example"), NO_CONNECTION)
        self.assertEqual(tcpto.read_bytes()[:17],
                         bytes.fromhex("20010db8000000000000000000000254") + b"\1")


class Reports(WorldTest):
    def report(self, script, *recipients, **options):
        with ScriptedServer(script, host=MX1):
            return deliver("foreign.example", *recipients, **options)

    def test_refusals(self):
        cases = {
            "ZConnected to 192.0.2.2 but greeting failed.\nRemote host said: 421 busy\n":
                ["S 421 busy"],
            "ZConnected to 192.0.2.2 but my name was rejected.\nRemote host said: 550 who\n":
                ["S 220 hi", "C EHLO *", "S 500 what", "C HELO mail.example.org", "S 550 who"],
            "ZConnected to 192.0.2.2 but sender was rejected.\nRemote host said: 451 wait\n":
                GREETED + ["C MAIL *", "S 451 wait"],
            "DConnected to 192.0.2.2 but sender was rejected.\n"
            "Remote host said: 550-no\n550 never\n":
                GREETED + ["C MAIL *", "S 550-no", "S 550 never"],
        }
        for report, script in cases.items():
            with self.subTest(report):
                self.assertEqual(self.report(script), [report])

    def test_refusals_after_recipients(self):
        cases = {
            "D192.0.2.2 failed on DATA command.\nRemote host said: 554 no\n":
                TO_DATA[:-1] + ["S 554 no"],
            "Z192.0.2.2 failed after I sent the message.\nRemote host said: 452 full\n":
                TO_DATA + ["data", "S 452 full"],
            "D192.0.2.2 failed after I sent the message.\nRemote host said: 554 virus\n":
                TO_DATA + ["data", "S 554 virus"],
            "ZConnected to 192.0.2.2 but connection died. (#4.4.2)\n": TO_DATA[:-1] + ["close"],
            "ZConnected to 192.0.2.2 but connection died. Possible duplicate! (#4.4.2)\n":
                TO_DATA + ["data", "close"],
        }
        for report, script in cases.items():
            with self.subTest(report):
                self.assertEqual(self.report(script), ["r", report])

    def test_each_recipient_has_its_own(self):
        script = GREETED + ["C MAIL *", "S 250 ok", "C RCPT TO:<a@*", "S 250 ok", "C RCPT TO:<b@*",
                            "S 550 no b", "C RCPT TO:<c@*", "S 451-later", "S 451 perhaps",
                            "C DATA", "S 354 go on", "data", "S 250 taken"]
        self.assertEqual(
            self.report(script, "a@foreign.example", "b@foreign.example", "c@foreign.example"),
            ["r", "h192.0.2.2 does not like recipient.\nRemote host said: 550 no b\n"
             "Giving up on 192.0.2.2.\n",
             "s192.0.2.2 does not like recipient.\nRemote host said: 451-later\n451 perhaps\n"
             "Giving up on 192.0.2.2.\n",
             ACCEPTED.format("192.0.2.2")])

    def test_pipelining_is_used_when_offered(self):
        def behaviour(peer):
            peer.follow(["S 220 mx", "C EHLO *", "S 250-mx", "S 250-SIZE 100000",
                         "S 250 PIPELINING"])
            commands = [peer.read_line() for _ in range(4)]  # all before the first reply
            peer.say("250 ok\r\n550 no\r\n250 ok\r\n354 go on" if len(commands) == 4 else "554 no")
            peer.follow(["data", "S 250 taken", "C QUIT"])
        self.assertEqual(self.report(behaviour, "a@foreign.example", "b@foreign.example"),
                         ["h192.0.2.2 does not like recipient.\nRemote host said: 550 no\n"
                          "Giving up on 192.0.2.2.\n", "r",
                          ACCEPTED.format("192.0.2.2")])

    def test_a_message_for_nobody_is_an_empty_one(self):
        def behaviour(peer):
            peer.follow(["S 220 mx", "C EHLO *", "S 250-mx", "S 250 PIPELINING", "C MAIL *",
                         "C RCPT *", "C DATA", "S 250 ok", "S 550 no", "S 354 go on", "data",
                         "S 554 for nobody", "C QUIT"])
        with ScriptedServer(behaviour, host=MX1) as mx:
            self.assertEqual(deliver("foreign.example"),
                             ["h192.0.2.2 does not like recipient.\nRemote host said: 550 no\n",
                              "DGiving up on 192.0.2.2.\n"])
            self.assertEqual(mx.wait_for_connections()[0].data, b".\r\n")

    def test_garbage_defers(self):
        for garbage in ("S SSH-2.0-OpenSSH_9.2", r"raw b'\x16\x03\x01\x00\xff'", "S 2x0 hi"):
            with self.subTest(garbage):
                report, = self.report([garbage, "hold"])
                self.assertRegex(report, r"^ZConnected to 192\.0\.2\.2 but it answered against the "
                                         r"SMTP protocol\. \(#4\.5\.0\)\n")

    def test_a_reply_without_end_defers(self):
        def behaviour(peer):
            for _ in range(100000):
                peer.say("220-" + 70 * "x")
        report, = self.report(behaviour)
        self.assertIn("SMTP protocol", report)
        self.assertLess(len(report), 6000)

    def test_a_server_that_does_not_answer_is_given_up(self):
        self.set_control("timeoutremote", "1\n")
        self.assertEqual(self.report(["hold"]),
                         ["ZConnected to 192.0.2.2 but connection died. (#4.4.2)\n"])


class Bodies(WorldTest):
    def sent(self, message):
        with ScriptedServer(ACCEPT_MAIL, host=MX1) as mx:
            report = deliver("foreign.example", message=message)
            return report, mx.wait_for_connections()[0].data

    def test_bare_crs_never_end_a_message(self):
        report, data = self.sent("a\r.\rb\r\n.\r\nc\r\r\n\r.\r\nd\n")
        self.assertEqual(data, b"a . b\r\n..\r\nc \r\n .\r\nd\r\n.\r\n")
        self.assertEqual(report[0], "r")

    def test_nul_and_8_bit_pass(self):
        _, data = self.sent("x\0y\n\udcff\udce4\n")
        self.assertEqual(data, b"x\0y\r\n\xff\xe4\r\n.\r\n")

    def test_a_partial_last_line_is_refused(self):
        report, data = self.sent("Subject: x\n\nhalf")
        self.assertEqual(report, ["r", "DSMTP cannot transfer messages with partial final lines. "
                                       "(#5.6.2)\n"])
        self.assertFalse(data.endswith(b"\r\n.\r\n"))


class Invocation(WorldTest):
    def test_too_few_arguments(self):
        result = hosts.on(hosts.MAIN, "/var/qmail/bin/qmail-remote", "host", "sender")
        self.assertEqual(result.stdout, "DI (qmail-remote) was invoked improperly. (#5.3.5)\n\0")

    def test_addresses_that_would_be_commands_go_nowhere(self):
        for sender, recipient in (("a@x", "b@foreign.example>\r\nDATA"),
                                  ("a\n@x", "b@foreign.example")):
            report, = deliver("foreign.example", recipient, sender=sender)
            self.assertRegex(report, r"^DSorry, SMTP cannot carry .* \(#5\.1\.[37]\)\n$")

    def test_the_program_is_static_and_small(self):
        program = pathlib.Path("/var/qmail/bin/qmail-remote").read_bytes()
        self.assertNotIn(b"/ld-linux", program)
