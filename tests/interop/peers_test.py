"""Mail to and from other people's servers: Debian's Postfix, Exim and OpenSMTPD, each on a host of
its own, and a second Postern. Messages both ways, bounces both ways, and forwards in a circle."""
# world: --bare-host mail.postfix.example --bare-host mail.exim.example
# world: --bare-host mail.opensmtpd.example --host mail.postern.example
# unpack: postfix
# unpack: exim4-daemon-light
# unpack: opensmtpd
# unpack: python3-flufl.bounce
import concurrent.futures
import email
import re
import sys
import unittest

from support import hosts, peers, services, smtp
from support.case import WorldTest
from support.letters import AWKWARD, body_of, header_of, letter
from support.remote import deliver
from support.wait import wait_until

sys.path.append(f"{hosts.REPOSITORY}/build/interop/python3-flufl.bounce"
                "/usr/lib/python3/dist-packages")
from flufl.bounce import scan_message  # Mailman's reader of bounces

POSTFIX = peers.Postfix("postfix.example")
EXIM = peers.Exim("exim.example")
OPENSMTPD = peers.OpenSmtpd("opensmtpd.example")
POSTERN = "mail.postern.example"
ALL = (POSTFIX, EXIM, OPENSMTPD)
# Set for all tests: a server may keep its connection to us from one to the next.
CONTROL = {"badrcptto": "refused@example.org\n", "databytes": "1500000\n",
           "doublebounceto": "bob\n", "doublebouncehost": "example.org\n"}
PIPELINED = r"\n< RCPT .*\n< RCPT .*\n< DATA\n> 250 ok\n> 250 ok\n> 250 ok\n> 354 "
SECOND_TIME = ("\n\n<alice-loop@example.org>:\nThis message is looping: it already has my "
               "Delivered-To line. (#5.4.6)\n")
# A plugin of qmail-smtpd: bob's mail is welcome when it comes a second time.
GREYLIST = """#!/bin/sh
case $SMTPRCPTTO in bob@*) ;; *) exit 0 ;; esac
[ -e "/tmp/$SMTPMAILFROM" ] || echo "E450 greylisted, come again (#4.7.1)"
: >"/tmp/$SMTPMAILFROM"
"""
BROKEN = "#!/bin/sh\necho there is no room for this >&2\nexit 69\n"


def setUpModule():
    starts = [start_postern, *(peer.start for peer in ALL)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for started in [pool.submit(start) for start in starts]:
            started.result()
    for peer in ALL:
        peer.write("/usr/local/bin/broken", BROKEN)
        peer.on("chmod", "0755", "/usr/local/bin/broken")
        peer.write("/home/carol/.forward", '"|/usr/local/bin/broken"\n')
        peer.on("chown", "carol:", "/home/carol/.forward")


def start_postern():
    """Here with the files above; the other host greylists bob's mail, and what is said to it is
    written down.
    """
    for name, text in CONTROL.items():
        services.set_control(name, text)
    services.Service("qmail-send").restart()
    services.set_control("databytes", CONTROL["databytes"], POSTERN)
    services.set_control("smtpplugins", "[rcpt]\n/usr/local/bin/greylist\n", POSTERN)
    files = hosts.files(POSTERN)
    (files / "usr/local/bin/greylist").write_text(GREYLIST, encoding="utf-8")
    (files / "usr/local/bin/greylist").chmod(0o755)
    run = files / "var/qmail/supervise/qmail-smtpd/run"
    run.write_text(run.read_text(encoding="utf-8")
                   .replace("set -- qmail-smtp-server ", "set -- tcpserver -H -R ")
                   .replace(" 0 25\n", " 0 25 env ENABLE_SPP= recordio qmail-smtpd\n"),
                   encoding="utf-8")
    services.Service("qmail-smtpd", POSTERN).restart()


def tearDownModule():
    for peer in ALL:
        peer.stop()


class PeerTest(WorldTest):
    """Begins with empty mailboxes."""

    def setUp(self):
        super().setUp()
        for user in ("alice", "carol", "bob"):
            services.empty_maildir(user)
            for peer in ALL:
                services.empty_maildir(user, peer.host)

    def bounce_to(self, user):
        """The one message that a person here has, sent by nobody."""
        (bounce,) = services.wait_for_mail(user)
        self.assertTrue(bounce.startswith(b"Return-Path: <>\n"), bounce)
        return bounce

    def assert_tells(self, bounce, recipient, *words):
        """List managers see whom it could not reach, and people why."""
        text = " ".join(bounce.decode("utf-8", "replace").split())
        found = scan_message(email.message_from_bytes(bounce))
        self.assertEqual({recipient.encode()}, found, text)
        for said in words:
            self.assertIn(said, text)


class Exchange:
    """What is to be shown with each peer: a mixin. Fails if mail is left in the peer's queue."""

    def tearDown(self):
        if self._outcome.success:
            self.peer.wait_for_empty_queue()
        super().tearDown()

    @staticmethod
    def wait_for_the_end_of_connections():
        wait_until(lambda: not services.processes("qmail-remote"),
                   "connections that have stayed for more mail to be closed")

    def at_peer(self, user):
        return f"{user}@{self.peer.domain}"

    def send_from_peer(self, *recipients, sender="bob", **parts):
        sender = sender and self.at_peer(sender)
        message = letter(sender or self.at_peer("postmaster"), recipients[0], **parts)
        self.peer.send(sender, recipients, message)
        return message

    def send_to_peer(self, recipient, sender="alice@example.org", **parts):
        message = letter(sender or "postmaster@example.org", recipient, **parts)
        hosts.as_user("alice", "/usr/sbin/sendmail", "-f", sender, recipient, input=message,
                      text=False)
        return message

    def bounce_to_peer(self):
        """The same as bounce_to(), for bob there."""
        (bounce,) = self.peer.mail_of("bob")
        self.assertEqual("", self.peer.sender_of(bounce), bounce)
        return bounce

    def test_a_letter_from_there_arrives_whole(self):
        sent = self.send_from_peer("alice@example.org", "carol@example.org", attachment=1_000_000)
        for user in ("alice", "carol"):
            (got,) = services.wait_for_mail(user)
            self.assertEqual(body_of(sent), body_of(got))
            self.assertRegex(header_of(got), rf"^Return-Path: <{self.at_peer('bob')}>\n"
                             rf"Delivered-To: {user}@example.org\n")
            self.assertIn("by mail.example.org with ESMTP;", header_of(got))
        self.assertEqual(1, len(self.log.find_all(r"new msg \d+")))  # both in one transaction

    def test_a_letter_to_there_arrives_whole(self):
        sent = self.send_to_peer(self.at_peer("bob"), attachment=1_000_000,
                                 body=AWKWARD + b"\n" + b"y" * 5000)
        (got,) = self.peer.mail_of("bob")
        self.assertEqual(body_of(sent), body_of(got))
        self.assertEqual("alice@example.org", self.peer.sender_of(got))

    def test_a_header_in_utf_8_to_there_arrives_whole(self):
        self.send_to_peer(self.at_peer("bob"), subject="Grüße")
        self.assertIn("Subject: Grüße\n", header_of(self.peer.mail_of("bob")[0]))

    def test_a_header_in_utf_8_from_there(self):
        self.send_from_peer("alice@example.org", subject="Grüße")
        if self.peer.wants_smtputf8:
            self.assertIn(b"SMTPUTF8 is required, but was not offered", self.bounce_to_peer())
        else:
            self.assertIn("Subject: Grüße\n", header_of(services.wait_for_mail("alice")[0]))

    def test_mail_from_nobody_both_ways(self):
        self.send_from_peer("alice@example.org", sender="")
        (got,) = services.wait_for_mail("alice")
        self.assertTrue(got.startswith(b"Return-Path: <>\n"))
        self.send_to_peer(self.at_peer("bob"), sender="")
        (got,) = self.peer.mail_of("bob")
        self.assertEqual("", self.peer.sender_of(got))

    def test_several_recipients_in_one_transaction(self):
        sent = letter("alice@example.org", self.at_peer("bob"))
        report = deliver(self.peer.domain, *map(self.at_peer, ("bob", "nobody-here", "alice")),
                         message=sent.decode("utf-8", "surrogateescape"))
        self.assertEqual(["r", "h", "r", "K"], [record[:1] for record in report], report)
        for user in ("bob", "alice"):
            (got,) = self.peer.mail_of(user)
            self.assertEqual(body_of(sent), body_of(got))

    def test_what_is_too_large_for_us_goes_back_there(self):
        self.send_from_peer("alice@example.org", attachment=1_200_000)
        self.assert_tells(self.bounce_to_peer(), "alice@example.org")
        self.assertEqual([], self.log.find_all(r"new msg \d+"))

    def test_what_is_too_large_for_them_comes_back(self):
        self.send_to_peer(self.at_peer("bob"), attachment=1_600_000)
        self.assert_tells(self.bounce_to("alice"), self.at_peer("bob"),
                          "takes no more than 2000000. (#5.3.4)")

    def test_our_bounce_reaches_the_sender_there(self):
        sent = self.send_from_peer("nobody-here@example.org")
        bounce = self.bounce_to_peer()
        self.assert_tells(bounce, "nobody-here@example.org")
        text = body_of(bounce)
        self.assertTrue(text.startswith(b"Hi. This is the qmail-send program at mail.example.org."))
        self.assertIn(b"\n\n<nobody-here@example.org>:\nSorry, no mailbox here by that name. "
                      b"(#5.1.1)\n\n--- Below this line is a copy of the message.\n\n", text)
        self.assertIn(body_of(sent), text)

    def test_our_refusal_makes_a_bounce_there(self):
        self.send_from_peer("refused@example.org", "alice@example.org")
        self.assert_tells(self.bounce_to_peer(), "refused@example.org",
                          "sorry, mail to that recipient is not accepted (#5.7.1)")
        services.wait_for_mail("alice")

    def test_their_refusal_makes_a_bounce_with_their_words(self):
        sent = self.send_to_peer(self.at_peer("nobody-here"))
        bounce = self.bounce_to("alice")
        self.assert_tells(bounce, self.at_peer("nobody-here"), self.peer.unknown_user,
                          "does not like recipient. Remote host said: 550 ")
        self.assertIn(body_of(sent), bounce)

    def test_what_they_give_up_later_comes_back_from_nobody(self):
        self.send_to_peer(self.at_peer("carol"))
        bounce = self.bounce_to("alice")
        self.log.wait_for(r"delivery \d+: success: .*accepted_message.*")
        self.assert_tells(bounce, self.at_peer("carol"))

    def test_a_bounce_that_bounces_there_goes_to_the_postmaster(self):
        self.send_from_peer("nobody-here@example.org", sender="nobody-there")
        (bounce,) = services.wait_for_mail("bob")
        self.assertTrue(bounce.startswith(b"Return-Path: <#@[]>\n"))
        self.assertIn(b"but the bounce bounced!\n\n<" + self.at_peer("nobody-there").encode()
                      + b">:\n", bounce)

    def test_what_they_want_later_is_tried_again(self):
        self.wait_for_the_end_of_connections()  # they would be served as they have begun
        self.peer.greylist(self.at_peer("bob"))
        self.send_to_peer(self.at_peer("bob"))
        self.log.wait_for(r"delivery \d+: deferral: .*Remote_host_said:_45\d_.*greylisted,"
                          r"_come_again.*")
        self.assertEqual([], services.maildir("bob", self.peer.host))
        self.peer.greylist()
        self.wait_for_the_end_of_connections()
        services.Service("qmail-send").svc("a")
        self.peer.mail_of("bob")

    def test_what_we_want_later_is_tried_again(self):
        said = services.Log("qmail-smtpd", POSTERN)
        self.send_from_peer("bob@postern.example")
        said.wait_for(r"\d+ > 450 greylisted, come again \(#4\.7\.1\).*")
        services.empty_maildir("bob", POSTERN)

        def arrived():
            self.peer.flush()
            return services.maildir("bob", POSTERN)
        self.assertEqual(1, len(wait_until(arrived, "the second attempt")))

    def test_a_circle_of_forwards_ends_in_a_bounce(self):
        self.write_file("/home/alice/.qmail-loop", f"&{self.at_peer('loop')}\n", user="alice")
        self.send_to_peer("alice-loop@example.org", sender="carol@example.org")
        self.assert_ends(SECOND_TIME)

    def test_a_circle_without_traces_ends_by_counting_hops(self):
        self.write_file("/home/alice/.qmail-hops", "|/var/qmail/bin/qmail-inject -a -f"
                        f" carol@example.org {self.at_peer('hops')}\n", user="alice")
        self.send_to_peer("alice-hops@example.org", sender="carol@example.org",
                          hops=self.peer.most_hops - 8)
        self.assert_ends(self.peer.too_many_hops)
        self.assertGreater(len(self.log.find_all(r"starting .* to local alice-hops@.*")), 1)

    def assert_ends(self, reason):
        """Carol is told why, once, and nothing goes on."""
        bounce = self.bounce_to("carol")
        self.assertIn(reason, bounce.decode("utf-8", "replace"))
        self.peer.wait_for_empty_queue()
        services.wait_for_empty_queue()
        self.assertEqual([bounce], services.maildir("carol"))


class WithPostfix(Exchange, PeerTest):
    peer = POSTFIX


class WithExim(Exchange, PeerTest):
    peer = EXIM

    def test_asks_us_whether_there_is_such_a_sender(self):
        def reply_to(sender):
            return deliver("exim.example", "bob@exim.example", sender=sender)[0]
        EXIM.write("/etc/exim4/local_sender_callout", "*@example.org\n")
        self.addCleanup((EXIM.files / "etc/exim4/local_sender_callout").unlink)
        self.assertEqual("r", reply_to("alice@example.org"))
        refusal = reply_to("refused@example.org")
        self.assertEqual("h", refusal[:1])
        self.assertIn("550-Response: 553 sorry, mail to that recipient is not accepted (#5.7.1)\n",
                      refusal)
        asked = EXIM.on("exim_dumpdb", "/var/spool/exim4", "callout").stdout
        self.assertRegex(asked, r"alice@example\.org.* callout=accept")


class WithOpenSmtpd(Exchange, PeerTest):
    peer = OPENSMTPD


class Dialogue(PeerTest):
    """What they say to the second Postern, written down by ucspi-tcp's recordio."""

    def setUp(self):
        super().setUp()
        self.smtpd_log = services.Log("qmail-smtpd", POSTERN)

    def dialogue(self, peer, messages):
        """The connection by which a peer has brought so many messages, one line after another."""
        found = {}
        for line in self.smtpd_log.lines():
            pid, _, said = line.partition(" ")
            found[pid] = found.get(pid, "") + said.rstrip() + "\n"
        return next((said for said in found.values()
                     if said.count(f"\n< MAIL FROM:<bob@{peer.domain}>") == messages
                     and said.count("\n> 250 ok 1") == messages), None)

    def test_each_peer_sends_several_messages_through_one_connection(self):
        recipients = ["alice@postern.example", "carol@postern.example"]
        for peer in ALL:
            sender = f"bob@{peer.domain}"
            with self.subTest(peer=peer.domain):
                peer.hold()
                for _ in range(3):
                    peer.send(sender, recipients, letter(sender, recipients[0]))
                peer.release()
                said = wait_until(lambda: self.dialogue(peer, 3),
                                  f"three messages from {peer.domain} in one connection")
                self.assertRegex(said, rf"\n< MAIL FROM:<{sender}>{peer.mail_parameters}\n")
                self.assertEqual(3 if peer.pipelines else 0, len(re.findall(PIPELINED, said)), said)
        for user in ("alice", "carol"):
            self.assertEqual(9, len(services.wait_for_mail(user, 9, POSTERN)))


class TwoPosterns(PeerTest):
    """Circles of forwards between us and our like."""

    def forward(self, name, instruction):
        """The same for alice here and for bob there: each sends to the other."""
        for host, user, other in ((hosts.MAIN, "alice", f"bob-{name}@postern.example"),
                                  (POSTERN, "bob", f"alice-{name}@example.org")):
            self.write_file(f"/home/{user}/.qmail-{name}", instruction.format(other), user,
                            host=host)

    def send_round(self, name, sender="carol@example.org"):
        smtp.inject(sender, [f"alice-{name}@example.org"], "Subject: x\n\nround\n",
                    address="127.0.0.1")

    def assert_ends(self, bounce, user, reason):
        """This was all that the person got, and nothing goes on."""
        self.assertIn(reason, bounce.decode())
        for host in (hosts.MAIN, POSTERN):
            services.wait_for_empty_queue(host)
        self.assertEqual([bounce], services.maildir(user))

    def test_a_circle_ends_where_a_message_comes_a_second_time(self):
        self.forward("loop", "&{}\n")
        self.send_round("loop")
        self.assert_ends(self.bounce_to("carol"), "carol", SECOND_TIME)

    def test_a_circle_with_its_sender_in_it_ends_with_the_postmaster(self):
        self.forward("loop", "&{}\n")
        self.send_round("loop", sender="alice-loop@example.org")
        (bounce,) = services.wait_for_mail("bob")
        self.assertTrue(bounce.startswith(b"Return-Path: <#@[]>\n"), bounce)
        self.assertIn(b"but the bounce bounced!" + SECOND_TIME.encode(), bounce)
        self.assert_ends(bounce, "bob", SECOND_TIME)

    def test_a_circle_without_traces_ends_by_counting_hops(self):
        self.forward("hops", "|/var/qmail/bin/qmail-inject -a -fcarol@example.org {}\n")
        self.send_round("hops")
        self.assert_ends(self.bounce_to("carol"), "carol", "Remote host said: 554 too many hops, "
                         "this message is looping (#5.4.6)\n")
        self.assertGreater(len(self.log.find_all(r"starting .* to local alice-hops@.*")), 10)


if __name__ == "__main__":
    unittest.main()
