# Foreign exchangers as they are, and what the queue does about them.
# world: --bare-host mx.foreign.example
import pathlib
import time

from support import server, services, smtp
from support.case import WorldTest
from support.server import ACCEPT_MAIL, ACCEPT_MAIL_AND_CLOSE, ScriptedServer
from support.wait import wait_until

MX = "mx.foreign.example"
TO_DATA = ["S 220 mx ESMTP", "C EHLO *", "S 250 mx", "C MAIL *", "S 250 ok", "C RCPT *", "S 250 ok",
           "C DATA", "S 354 go on", "data"]
GREYLIST = ["S 220 mx ESMTP", "C EHLO *", "S 250 mx", "C MAIL *", "S 250 ok", "C RCPT *",
            "S 451 4.7.1 greylisted, come again", "C QUIT", "S 221 bye"]


def retry():
    services.Service("qmail-send").svc("a")


def connections_tried():
    """By anybody on this host, since it was started."""
    names, values = (line.split() for line in pathlib.Path("/proc/net/snmp").read_text().splitlines()
                     if line.startswith("Tcp:"))
    return int(values[names.index("ActiveOpens")])


def mx_that_ends(when):
    """A host that takes mail, and ends a connection so, once it has delivered a message."""
    def serve(peer):
        peer.delivered = []
        peer.say("220 mx ESMTP")
        while (line := peer.read_line()) != "QUIT":
            verb = line[:4]
            if verb == "MAIL" and peer.delivered and when.endswith("at MAIL"):
                if when == "421 at MAIL":
                    peer.say("421 closing")
                return
            if verb == "RCPT":
                recipient = line[len("RCPT TO:<"):].partition("@")[0]
            if verb == "DATA":
                peer.say("354 go on")
                peer.read_data()
                peer.delivered.append(recipient)
            peer.say("250 ok")
            if verb == "DATA" and when in ("close", "421"):
                if when == "421":
                    peer.say("421 closing")
                return
    return serve


def delivered_to(server):
    return [name for peer in server.peers for name in peer.delivered]


class Foreign(WorldTest):
    def send(self, recipient="joe@foreign.example"):
        smtp.inject("alice@example.org", [recipient], "Subject: hello\n\nA message.\n",
                    address="127.0.0.1")

    def wait_for_deferral(self, text):
        self.log.wait_for(rf"delivery \d+: deferral: {text}")
        self.assertTrue(services.queue()["mess"])

    def wait_for_success(self):
        self.log.wait_for(r"delivery \d+: success: 192\.0\.2\.2_accepted_message\./"
                          r"Remote_host_said:_250_taken/")

    def wait_for_bounce(self, text, recipient="joe@foreign.example"):
        bounce, = services.wait_for_mail("alice")
        self.addCleanup(services.empty_maildir, "alice")
        self.assertIn(f"<{recipient}>:\n{text}".encode(), bounce)

    def test_a_host_that_is_down_gets_it_when_it_is_up(self):
        self.send()
        self.wait_for_deferral(r"Sorry,_I_wasn't_able_to_establish_an_SMTP_connection\._"
                               r"\(#4\.4\.1\)/")
        with ScriptedServer(ACCEPT_MAIL, host=MX):
            retry()
            self.wait_for_success()

    def test_a_program_tries_a_host_that_is_down_for_one_message_after_another(self):
        deferral = r"delivery \d+: deferral: Sorry,_I_wasn't_able_to_establish.*"
        programs = []
        for number in range(1, 6):
            self.send()
            wait_until(lambda: len(self.log.find_all(deferral)) == number, "a deferral")
            programs += services.processes("qmail-remote")
        self.assertLess(len(set(programs)), len(programs), programs)
        success = r"delivery \d+: success: 192\.0\.2\.2_accepted_message\./.*"
        with ScriptedServer(mx_that_ends("never"), host=MX):
            retry()
            wait_until(lambda: len(self.log.find_all(success)) == 5, "5 successes")

    def test_many_messages_for_a_host_that_is_down_get_there_when_it_is_up(self):
        count = 300
        with smtp.connect(address="127.0.0.1") as client:
            for _ in range(count):
                client.send_mail("alice@example.org", ["joe@foreign.example"],
                                 "Subject: hello\n\nA message.\n")
        deferral = (r"delivery \d+: deferral: Sorry,_I_wasn't_able_to_establish_an_SMTP_connection\._"
                    r"\(#4\.4\.1\)/")
        wait_until(lambda: len(self.log.find_all(deferral)) == count, "all deferrals")
        before = connections_tried()
        retry()
        wait_until(lambda: len(self.log.find_all(deferral)) == 2 * count, "all deferrals again")
        self.assertLess(connections_tried() - before, count)  # if each were tried, 2 addresses each
        time.sleep(0.1)  # so long qmail-rspawn may say of one message what the last try has said
        success = r"delivery \d+: success: 192\.0\.2\.2_accepted_message\./.*"
        with ScriptedServer(mx_that_ends("never"), host=MX) as mx:
            retry()
            wait_until(lambda: len(self.log.find_all(success)) == count, "all successes")
            self.assertEqual(len(delivered_to(mx)), count)
        self.assertEqual(len(self.log.find_all(deferral)), 2 * count)

    def test_a_greylisting_host_gets_it_the_second_time(self):
        with ScriptedServer([GREYLIST, ACCEPT_MAIL], host=MX):
            self.send()
            self.wait_for_deferral(r"192\.0\.2\.2_does_not_like_recipient\./Remote_host_said:_451_"
                                   r"4\.7\.1_greylisted,_come_again/Giving_up_on_192\.0\.2\.2\./")
            retry()
            self.wait_for_success()

    def test_a_host_that_closes_after_data_gets_it_again(self):
        with ScriptedServer([TO_DATA + ["close"], ACCEPT_MAIL_AND_CLOSE], host=MX) as mx:
            self.send()
            self.wait_for_deferral(r"Connected_to_192\.0\.2\.2_but_connection_died\._"
                                   r"Possible_duplicate!_\(#4\.4\.2\)/")
            retry()
            self.wait_for_success()
            first, second = mx.wait_for_connections(2)
            self.assertEqual(first.data, second.data)

    def test_a_message_for_many_at_a_host_goes_out_in_few_transactions(self):
        answers = {"unknown": "550 5.1.1 no such user", "busy": "450 4.2.1 come again"}

        def mx(peer):
            peer.say("220 mx ESMTP")
            while True:
                line = peer.read_line()
                name = line[len("RCPT TO:<"):].partition("@")[0]
                if line == "DATA":
                    peer.say("354 go on")
                    peer.read_data()
                    peer.say("250 taken")
                elif line == "QUIT":
                    return
                else:
                    peer.say(answers.get(name, "250 ok"))

        self.addCleanup(services.empty_maildir, "alice")
        names = [f"joe{number}" for number in range(48)]
        names[10:10] = answers
        with ScriptedServer(mx, host=MX) as server:
            smtp.inject("alice@example.org", [f"{name}@foreign.example" for name in names],
                        "Subject: hello\n\nA message.\n", address="127.0.0.1")
            refused = r"192\.0\.2\.2_does_not_like_recipient\./Remote_host_said:_"
            self.log.wait_for(rf"delivery \d+: failure: {refused}550_5\.1\.1_no_such_user/"
                              r"Giving_up_on_192\.0\.2\.2\./")
            self.log.wait_for(rf"delivery \d+: deferral: {refused}450_4\.2\.1_come_again/"
                              r"Giving_up_on_192\.0\.2\.2\./")
            success = r"delivery \d+: success: 192\.0\.2\.2_accepted_message\./.*"
            wait_until(lambda: len(self.log.find_all(success)) == 48, "48 successes")
            del answers["busy"]
            retry()
            wait_until(lambda: len(self.log.find_all(success)) == 49, "the last success")
            taken = [line for peer in server.peers for line in peer.lines if line[:4] == "RCPT"]
            self.assertEqual(len(taken), 51)
            # 20 at a time, by concurrencyremote; and busy's second.
            self.assertLessEqual(len(server.peers), 8)
        services.wait_for_mail("alice")

    def send_one_by_one(self, count):
        success = r"delivery \d+: success: 192\.0\.2\.2_accepted_message\./.*"
        before = len(self.log.find_all(success))
        for number in range(count):
            self.send(f"joe{number}@foreign.example")
            wait_until(lambda: len(self.log.find_all(success)) > before + number, "a success")

    def test_a_connection_serves_a_burst_of_messages(self):
        with ScriptedServer(mx_that_ends("never"), host=MX) as mx:
            self.send_one_by_one(20)
            self.assertLess(len(mx.peers), 20)
            self.assertEqual(delivered_to(mx), [f"joe{number}" for number in range(20)])

    def test_a_host_that_ends_its_connections_gets_every_message_once(self):
        for end in ("close", "421", "close at MAIL", "421 at MAIL"):
            with ScriptedServer(mx_that_ends(end), host=MX) as mx:
                self.send_one_by_one(3)
                self.assertEqual(delivered_to(mx), ["joe0", "joe1", "joe2"], end)
        self.assertFalse(self.log.find(r"delivery \d+: deferral: .*"))

    def test_controls_take_effect_at_once_although_a_connection_is_open(self):
        with ScriptedServer(mx_that_ends("never"), host=MX) as mx, \
             ScriptedServer(mx_that_ends("never"), host=MX, port=2525) as relay:
            self.send_one_by_one(1)
            self.set_control("helohost", "other.example.org\n")
            self.send_one_by_one(1)
            self.set_control("smtproutes", f"foreign.example:{MX}:2525\n")
            self.send_one_by_one(1)
            names = [peer.lines[0] for peer in mx.peers + relay.peers]
            self.assertEqual(names, ["EHLO mail.example.org"] + 2 * ["EHLO other.example.org"])

    def test_a_refused_recipient_bounces(self):
        script = GREYLIST[:-3] + ["S 550-5.1.1 no such", "S 550 5.1.1 user here", "C QUIT"]
        with ScriptedServer(script, host=MX):
            self.send()
            self.wait_for_bounce("192.0.2.2 does not like recipient.\nRemote host said: "
                                 "550-5.1.1 no such\n550 5.1.1 user here\n"
                                 "Giving up on 192.0.2.2.\n")

    def test_a_refused_message_bounces(self):
        with ScriptedServer(TO_DATA + ["S 554 5.7.1 spam", "C QUIT"], host=MX):
            self.send()
            self.wait_for_bounce("192.0.2.2 failed after I sent the message.\n"
                                 "Remote host said: 554 5.7.1 spam\n")

    def test_a_null_mx_bounces(self):
        self.send("joe@nomx.test")
        self.wait_for_bounce("Sorry, nomx.test takes no mail: it has a null MX. (#5.1.10)\n",
                             "joe@nomx.test")

    def test_a_domain_that_points_at_us_bounces(self):
        self.send("joe@loop.test")
        self.wait_for_bounce(
            "Sorry. Although I'm listed as a best-preference MX or A for that host,\n"
            "it isn't in my control/locals file, so I don't treat it as local. (#5.4.6)\n",
            "joe@loop.test")

    def test_a_control_file_that_makes_no_sense_keeps_the_mail(self):
        self.set_control("timeoutremote", "twenty\n")
        self.send()
        self.wait_for_deferral(r"Unable_to_read_control_files\._\(#4\.3\.0\)/control/timeoutremote_"
                               r"holds_.twenty.:_write_a_whole_number_of_seconds_there/")
        self.set_control("timeoutremote", None)
        with ScriptedServer(ACCEPT_MAIL, host=MX):
            retry()
            self.wait_for_success()
