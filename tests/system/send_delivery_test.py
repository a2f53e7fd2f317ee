# What qmail-send does with the messages it finds: routing, its log, bounces.
import re

from support import hosts, services
from support.case import WorldTest
from support.queueing import queue
from support.services import wait_for_mail

BIN = "/var/qmail/bin"
BOUNCE_OPENING = b"""\
Hi. This is the qmail-send program at mail.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

"""


class SendTest(WorldTest):
    def setUp(self):
        super().setUp()
        for user in ("alice", "bob", "carol"):
            services.empty_maildir(user)

    def dot_qmail(self, user, extension, text):
        self.write_file(f"/home/{user}/.qmail-{extension}", text, user=user)

    def wait_for_end(self, qp):
        """The number of the message that this qmail-queue made, once it has left the queue."""
        message = self.log.wait_for(rf"info msg (\d+): .* qp {qp} .*").group(1)
        self.log.wait_for(f"end msg {message}")
        return message


class Logging(SendTest):
    def test_writes_the_lines_of_the_founding_excerpt(self):
        hosts.on(hosts.MAIN, f"{BIN}/qmail-inject", input="to: bob\n")
        self.log.wait_for(r"end msg \d+")
        services.wait_for_empty_queue()
        lines = "\n".join(self.log.lines())
        self.assertRegex(lines, re.compile(r"""\A
            new\ msg\ (?P<msg>\d+)\n
            info\ msg\ (?P=msg):\ bytes\ \d+\ from\ <root@mail\.example\.org>\ qp\ \d+\ uid\ 0\n
            starting\ delivery\ (?P<n>\d+):\ msg\ (?P=msg)\ to\ local\ bob@mail\.example\.org\n
            status:\ local\ 1/10\ remote\ 0/20\n
            delivery\ (?P=n):\ success:\ did_1\+0\+0/\n
            status:\ local\ 0/10\ remote\ 0/20\n
            end\ msg\ (?P=msg)\Z""", re.VERBOSE))

    def test_counts_the_bytes_of_the_queued_file(self):
        qp = queue("", ["bob@example.org"], "x\n")
        found = self.log.wait_for(rf"info msg \d+: bytes (\d+) from <> qp {qp} uid 0")
        received = wait_for_mail("bob")[0].split(b"Delivered-To: bob@example.org\n")[1]
        self.assertEqual(int(found.group(1)), len(received))

    def test_makes_one_word_of_what_strangers_send(self):
        self.dot_qmail("alice", "odd", "|echo 'two words 100%'; exit 100\n")
        queue("se nder\nnew msg 5@x.example", ["alice-odd@example.org", "a b%c@unknown.example"])
        self.log.wait_for(r"info msg .* from <se_nder/new_msg_5@x\.example> .*")
        self.log.wait_for(r"starting delivery .* to remote a_b_c@unknown\.example")
        self.log.wait_for(r"delivery \d+: failure: two_words_100_/")
        services.clear_queue()


class Routing(SendTest):
    def test_gives_a_virtual_domain_to_its_user(self):
        self.configure("qmail-send", virtualdomains="d.org:alice\n.d.org:alice-sub\nno.d.org:\n"
                                                    "ann@people.example:alice-ann\n")
        self.dot_qmail("alice", "default", "|echo $EXT@$HOST; exit 0\n")
        queue("a@x.example", ["Info@D.ORG", "x@www.d.org", "ann@people.example"])
        for address, text in (("alice-Info@D.ORG", "Info@D.ORG"),
                              ("alice-sub-x@www.d.org", "sub-x@www.d.org"),
                              ("alice-ann-ann@people.example", "ann-ann@people.example")):
            number = self.log.wait_for(
                rf"starting delivery (\d+): msg \d+ to local {re.escape(address)}").group(1)
            self.log.wait_for(rf"delivery {number}: success: {text}/did_0\+0\+1/")

    def test_undoes_percents_for_the_hosts_that_allow_it(self):
        self.configure("qmail-send", percenthack="example.org\n")
        queue("a@x.example", ["bob%mail.example.org@example.org"])
        self.log.wait_for(r"starting delivery \d+: msg \d+ to local bob@mail\.example\.org")
        wait_for_mail("bob")

    def test_adds_a_host_where_there_is_none(self):
        self.configure("qmail-send", envnoathost="example.org\n")
        queue("a@x.example", ["bob"])
        self.log.wait_for(r"starting delivery \d+: msg \d+ to local bob@example\.org")
        wait_for_mail("bob")

    def test_makes_a_list_sender_for_each_recipient(self):
        self.dot_qmail("alice", "sender", "|echo $SENDER\n")
        queue("list-@example.org-@[]", ["alice-sender@example.org"])
        self.log.wait_for(r"delivery \d+: success: list-alice-sender=example\.org@example\.org/.*")


class Bounces(SendTest):
    def test_returns_a_message_with_every_reason(self):
        self.configure("qmail-send", virtualdomains="virt.example:alice-virt\n")
        self.dot_qmail("alice", "virt-x", "|echo this box; echo; echo is full; exit 100\n")
        message = "Subject: lost\n\nThe body.\n"
        qp = queue("bob@example.org", ["nobody@example.org", "x@virt.example"], message)
        number = self.wait_for_end(qp)
        bounce = wait_for_mail("bob")[0]
        head, _, body = bounce.partition(b"\n\n")
        self.assertTrue(head.startswith(b"Return-Path: <>\nDelivered-To: bob@example.org\n"
                                        b"Received: (qmail "), head)
        self.assertRegex(head, rb"\nDate: \d+ \w+ \d+ [0-9:]+ -0000\n"
                               rb"From: MAILER-DAEMON@mail\.example\.org\nTo: bob@example\.org\n"
                               rb"Subject: failure notice$")
        self.assertTrue(body.startswith(BOUNCE_OPENING), body)
        notes, _, copy = body[len(BOUNCE_OPENING):].partition(
            b"--- Below this line is a copy of the message.\n\n")
        self.assertEqual(sorted(notes.split(b"\n\n")), [
            b"",
            b"<nobody@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)",
            b"<x@virt.example>:\nthis box\n/is full"])
        self.assertTrue(copy.startswith(b"Return-Path: <bob@example.org>\nReceived: (qmail "), copy)
        self.assertTrue(copy.endswith(b"\n" + message.encode()), copy)
        bounce_qp = self.log.wait_for(rf"bounce msg {number} qp (\d+)").group(1)
        self.log.wait_for(rf"info msg \d+: bytes \d+ from <> qp {bounce_qp} uid \d+")

    def test_sends_a_bounce_of_a_bounce_to_the_postmaster(self):
        self.configure("qmail-send", doublebounceto="carol\n", doublebouncehost="example.org\n",
                       bouncefrom="daemon\n", bouncehost="bounces.example.org\n")
        self.wait_for_end(queue("", ["nobody@example.org"], "Subject: failure notice\n\nhi\n"))
        bounce = wait_for_mail("carol")[0]
        self.assertTrue(bounce.startswith(b"Return-Path: <#@[]>\n"), bounce)
        self.assertIn(b"\nFrom: daemon@bounces.example.org\nTo: carol@example.org\n", bounce)
        self.assertIn(b"\n\nHi. This is the qmail-send program at bounces.example.org.\n"
                      b"I tried to deliver a bounce message to this address, but the bounce "
                      b"bounced!\n\n<nobody@example.org>:\n", bounce)
        self.assertIn(b"\n\n--- Below this line is the original bounce.\n\nReturn-Path: <>\n",
                      bounce)

    def test_discards_a_triple_bounce(self):
        message = self.wait_for_end(queue("#@[]", ["nobody@example.org"]))
        self.log.wait_for(f"triple bounce: discarding bounce/{message}")
        services.wait_for_empty_queue()

    def test_returns_a_list_message_to_the_list(self):
        self.wait_for_end(queue("bob-@example.org-@[]", ["nobody@example.org"]))
        self.log.wait_for(r"starting delivery \d+: msg \d+ to local bob-@example\.org")
        services.clear_queue()

    def test_gives_up_a_message_that_is_too_old(self):
        self.configure("qmail-send", queuelifetime="0\n")
        self.dot_qmail("alice", "later", "|echo not now; exit 111\n")
        self.log = services.Log()
        queue("bob@example.org", ["alice-later@example.org"])
        services.Service("qmail-send").svc("a")
        self.log.wait_for(r"delivery \d+: deferral: not_now/")

        def try_again():
            services.Service("qmail-send").svc("a")
            return self.log.find(
                r"delivery \d+: failure: not_now/I'm_not_going_to_try_again;_this_message_has_"
                r"been_in_the_queue_too_long\./")
        services.wait_until(try_again, "the last try")
        self.assertIn(b"<alice-later@example.org>:\nnot now\nI'm not going to try again; this "
                      b"message has been in the queue too long.\n\n---", wait_for_mail("bob")[0])
