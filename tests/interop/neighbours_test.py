"""What the software around qmail relies on, where Debian has no package of it: stand-ins, written from
the interfaces that these programs document, use Postern as the real ones use qmail. docs/NEIGHBOURS.md
has the list."""
# world: --bare-host client.example.net

import contextlib
import os
import pathlib
import poplib
import pwd
import re
import shutil
import subprocess
import unittest

from support import hosts, services, smtp
from support.case import WorldTest
from support.queueing import path_of, queue
from support.services import Service, wait_for_empty_queue, wait_for_mail
from support.wait import wait_until

QMAIL = pathlib.Path("/var/qmail")
PROGRAMS = pathlib.Path(__file__).parent / "neighbours"
VPOPMAIL = pathlib.Path("/home/vpopmail")
LOCAL = "/usr/local/bin"
SENDER = "ann@elsewhere.example"
MESSAGE = "Subject: test\n\nhello\n"


def place(program, *names, directory=LOCAL):
    """A stand-in, under each of the names that it answers to."""
    pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    copy = shutil.copy(PROGRAMS / program, directory)
    for name in names:
        os.link(copy, f"{directory}/{name}")


def setUpModule():
    place("vpopmail", "vadddomain", "vdelivermail", "vchkpw", directory=VPOPMAIL / "bin")
    place("ezmlm", "ezmlm-send", "ezmlm-weed", "ezmlm-return")
    place("relay-ctrl", "relay-ctrl-chdir", "relay-ctrl-allow", "relay-ctrl-check")
    place("tmda", "tmda-filter", "tmda-rfilter")
    for program in ("vmailmgr", "autorespond", "simscan", "qmHandle", "matchup"):
        place(program)


def mail_in(directory):
    return [path.read_bytes() for path in (directory / "new").iterdir()]


@contextlib.contextmanager
def serving(port, *command, **environment):
    """A chain of programs under tcpserver, as root starts it."""
    with subprocess.Popen(
            ["tcpserver", "-HR", "-l", "mail.example.org", "-x", "/etc/tcp.smtp.cdb", "0",
             str(port), *command], cwd="/", stdin=subprocess.DEVNULL,
            env={"PATH": f"/var/qmail/bin:{LOCAL}:/usr/bin:/bin"} | environment) as server:
        def listens():
            return hosts.on(hosts.MAIN, "ss", "-Hltn", f"sport = :{port}").stdout
        try:
            wait_until(listens, f"port {port}")
            yield
        finally:
            server.terminate()


def may_relay(from_host=hosts.MAIN, **where):
    with smtp.connect(from_host=from_host, **where) as client:
        client.command(f"MAIL FROM:<{SENDER}>", "250 *")
        client.line("RCPT TO:<carol@elsewhere.example>")
        return client.reply()[0].startswith("250")


class NeighbourTest(WorldTest):
    def setUp(self):
        super().setUp()
        for user in ("alice", "bob"):
            services.empty_maildir(user)

    def dot_qmail(self, extension, text):
        self.write_file(f"/home/alice/.qmail{extension}", text, user="alice")

    def make_for_alice(self, path):
        directory = pathlib.Path("/home/alice") / path
        directory.mkdir()
        shutil.chown(directory, "alice", "alice")
        self.addCleanup(shutil.rmtree, directory)
        return directory


class Vpopmail(NeighbourTest):
    """Domains whose users are no users of the system."""

    @classmethod
    def setUpClass(cls):
        for command in ("groupadd -g 89 vchkpw", "useradd -r -u 89 -g 89 -d /home/vpopmail vpopmail"):
            subprocess.run(command.split(), check=True)
        (VPOPMAIL / "etc").mkdir()
        cls.rcpthosts = (QMAIL / "control/rcpthosts").read_bytes()
        for domain in ("one.example", "two.example"):
            hosts.on(hosts.MAIN, VPOPMAIL / "bin/vadddomain", domain, "secret")

    @classmethod
    def tearDownClass(cls):
        (QMAIL / "control/rcpthosts").write_bytes(cls.rcpthosts)
        for name in ("control/virtualdomains", "control/morercpthosts", "control/morercpthosts.cdb",
                     "users/assign", "users/cdb"):
            (QMAIL / name).unlink()
        services.reload()

    def account(self, domain):
        return VPOPMAIL / "domains" / domain / "postmaster"

    def test_its_files_compile_and_a_hangup_puts_them_into_force(self):
        self.assertEqual((QMAIL / "users/assign").read_text(), "".join(
            f"+{domain}-:{domain}:89:89:/home/vpopmail/domains/{domain}:-::\n"
            for domain in ("one.example", "two.example")) + ".\n")
        for domain in ("one.example", "two.example"):  # by rcpthosts, by morercpthosts.cdb
            log = services.Log()  # the next message may be from the same qmail-queue
            qp = smtp.inject(SENDER, [f"Postmaster@{domain.upper()}"], MESSAGE)
            box = self.account(domain) / "Maildir"
            (message,) = wait_until(lambda: mail_in(box), f"mail for {domain}")
            self.assertTrue(message.startswith(
                f"Return-Path: <{SENDER}>\nDelivered-To: {domain}-Postmaster@{domain.upper()}\n"
                .encode()), message)
            number = log.wait_for(rf"info msg (\d+): .* qp {qp} .*").group(1)
            log.wait_for(rf"starting delivery \d+: msg {number} to local "
                         rf"{domain}-Postmaster@{domain.upper()}")
            (file,) = (box / "new").iterdir()
            self.assertEqual((file.stat().st_uid, file.stat().st_gid), (89, 89))

    def test_an_account_that_is_not_there_bounces_under_the_address_the_sender_used(self):
        smtp.inject("alice@example.org", ["nobody@one.example"], MESSAGE)
        (bounce,) = wait_for_mail("alice")
        self.assertIn(b"\n<nobody@one.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
                      b"--- Below this line", bounce)

    def test_an_accounts_forward_goes_through_qmail_inject(self):
        forward = self.account("two.example") / ".qmail"
        forward.write_text("&bob@example.org\n")
        self.addCleanup(forward.unlink)
        queue(SENDER, ["postmaster@two.example"])
        self.assertIn(b"\nDelivered-To: two.example-postmaster@two.example\n",
                      wait_for_mail("bob")[0])

    def test_qmailadmins_aliases_have_colons_for_dots(self):
        alias = VPOPMAIL / "domains/one.example/.qmail-first:last"
        alias.write_text("&bob@example.org\n&alice@example.org\n")
        self.addCleanup(alias.unlink)
        queue(SENDER, ["First.Last@one.example"])
        wait_for_mail("bob")
        wait_for_mail("alice")

    def test_vchkpw_opens_the_mailbox_and_the_mail_server_for_its_address(self):
        rules = pathlib.Path("/etc/tcp.smtp.cdb")
        before = rules.read_bytes()
        self.addCleanup(rules.write_bytes, before)
        inbox = self.account("one.example") / "Maildir"
        (inbox / "new/1.mine").write_text("Subject: mine\n\nhello\n", encoding="ascii")
        shutil.chown(inbox / "new/1.mine", "vpopmail", "vchkpw")
        os.utime(inbox / "new/1.mine", (1, 1))  # the oldest is the first
        with serving(1100, "qmail-popup", "mail.example.org", f"{VPOPMAIL}/bin/vchkpw",
                     "qmail-pop3d", "Maildir"):
            with hosts.network_of("client.example.net"):
                self.assertFalse(may_relay("client.example.net"))
                client = poplib.POP3("mail.example.org", 1100)
                client.user("postmaster@one.example")
                client.pass_("secret")
                # Mail of other tests may still come; what was there at the login is listed.
                self.assertIn(b"Subject: mine", client.retr(1)[1])
                client.quit()
                self.assertTrue(may_relay("client.example.net"))
                client = poplib.POP3("mail.example.org", 1100)
                client.user("postmaster@one.example")
                with self.assertRaisesRegex(poplib.error_proto, "-ERR authorization failed"):
                    client.pass_("wrong")


class Vmailmgr(NeighbourTest):
    """A virtual domain in the home of a system user."""

    def test_vdeliver_has_all_it_asks_for(self):
        self.make_for_alice("users")
        hosts.as_user("alice", QMAIL / "bin/maildirmake", "users/joe")
        self.dot_qmail("-default", "|vmailmgr\n")
        self.reload(virtualdomains="virtual.example:alice\n")
        queue("carol@example.org", ["joe@virtual.example"])
        queue("", ["joe@virtual.example"])  # empty, and set
        box = pathlib.Path("/home/alice/users/joe")
        wait_until(lambda: len(mail_in(box)) == 2, "mail for joe")
        services.empty_maildir("carol")
        queue("carol@example.org", ["jim@virtual.example"])
        self.assertIn(b"\n<jim@virtual.example>:\nInvalid or unknown virtual user 'jim'\n",
                      wait_for_mail("carol")[0])


class Ezmlm(NeighbourTest):
    """A list with an address for each member's bounces."""

    def setUp(self):
        super().setUp()
        self.list = self.make_for_alice("list")
        files = {"editor": "|ezmlm-send /home/alice/list\n",
                 "bouncer": "|ezmlm-weed\n|ezmlm-return /home/alice/list\n",
                 "num": "41", "subscribers": "bob@example.org alice-gone@example.org\n"}
        for name, text in files.items():
            self.write_file(self.list / name, text, user="alice")
        for extension, name in (("-list", "editor"), ("-list-return-default", "bouncer")):
            link = pathlib.Path(f"/home/alice/.qmail{extension}")  # as ezmlm-make does
            link.symlink_to(self.list / name)
            self.addCleanup(link.unlink)

    def bounced(self):
        path = self.list / "bounced"
        return sorted(path.read_text().splitlines()) if path.exists() else []

    def test_each_member_has_a_sender_and_each_bounce_says_whose(self):
        queue("ann@elsewhere.example", ["alice-list@example.org"])
        (message,) = wait_for_mail("bob")
        self.assertTrue(message.startswith(
            b"Return-Path: <alice-list-return-42-bob=example.org@example.org>\n"), message)
        self.assertIn(b"\nMailing-List: contact alice-list-help@example.org; run by ezmlm\n", message)
        # qmail-send's own bounce goes to the sender before it was expanded, all members in one.
        wait_until(lambda: self.bounced() == ["alice-gone@example.org 42"], "our bounce")
        queue("", ["alice-list-return-42-bob=example.org@example.org"])  # bob's host does not like it
        wait_until(lambda: self.bounced() == ["alice-gone@example.org 42", "bob@example.org 42"],
                   "the other host's bounce")

    def test_what_is_no_bounce_is_weeded_out(self):
        queue("ann@elsewhere.example", ["alice-list-return-42-bob=example.org@example.org"])
        self.log.wait_for(r"delivery \d+: success: did_0\+0\+1/")
        self.assertEqual(self.bounced(), [])

    def test_a_post_of_another_list_is_returned_to_its_poster(self):
        queue("bob@example.org", ["alice-list@example.org"], "Mailing-List: other\n\n")
        self.assertIn(b"message already has Mailing-List (#5.7.2)\n", wait_for_mail("bob")[0])


class PopBeforeSmtp(NeighbourTest):
    def test_a_descriptor_and_a_variable_go_along_the_whole_chain(self):
        directory = pathlib.Path("/var/spool/relay-ctrl")
        (directory / "allow").mkdir(parents=True)
        (directory / "allow").chmod(0o777)
        directory.chmod(0o700)  # a user comes to what is below it by the open descriptor only
        variables = {"RELAY_CTRL_DIR": str(directory / "allow")}
        with serving(1100, "relay-ctrl-chdir", "qmail-popup", "mail.example.org", "checkpassword",
                     "relay-ctrl-allow", "qmail-pop3d", "Maildir", **variables), \
             serving(2500, "relay-ctrl-chdir", "setuidgid", "qmaild", "relay-ctrl-check",
                     "qmail-smtpd", **variables):
            with hosts.network_of("client.example.net"):
                self.assertFalse(may_relay("client.example.net", port=2500))
                client = poplib.POP3("mail.example.org", 1100)
                client.user("alice")
                client.pass_("alice-password")
                client.quit()
                self.assertTrue(may_relay("client.example.net", port=2500))
        (noted,) = (directory / "allow").iterdir()
        self.assertEqual(noted.owner(), "alice")


class DotQmailPrograms(NeighbourTest):
    def test_an_autoresponder_answers_once_and_no_bounce(self):
        self.make_for_alice("away")
        self.write_file("/home/alice/away/message", "Subject: away\n\nBack on Monday.\n")
        self.dot_qmail("", "|autorespond away/message away\n./Maildir/\n")
        # One after another: the autoresponder keeps no lock, so two at a time would both answer.
        for count, sender in enumerate(("bob@example.org", "bob@example.org", "", "#@[]"), 1):
            queue(sender, ["alice@example.org"])
            wait_for_mail("alice", count)
        wait_for_empty_queue()
        (answer,) = services.maildir("bob")
        self.assertIn(b"Return-Path: <>\nDelivered-To: bob@example.org\n", answer)
        self.assertIn(b"\nDelivered-To: alice@example.org\n", answer)
        queue("bob@example.org", ["alice@example.org"], answer.decode())  # back to where it is from
        self.log.wait_for(r"delivery \d+: failure: This_message_is_looping:.*")

    def test_a_challenge_holds_a_message_until_its_answer_comes(self):
        self.make_for_alice(".tmda")
        hosts.as_user("alice", "mkdir", ".tmda/pending")
        hosts.as_user("alice", "touch", ".tmda/confirmed")
        self.dot_qmail("", "|preline tmda-filter\n./Maildir/\n")
        self.dot_qmail("-confirm-default", "|preline tmda-rfilter\n")
        queue("bob@example.org", ["alice@example.org"], "Subject: first\n\n")
        (challenge,) = wait_for_mail("bob")
        self.assertIn(b"Return-Path: <alice@example.org>\n", challenge)
        self.assertEqual(services.maildir("alice"), [])
        answer = re.search(rb"\nReply-To: (alice-confirm-\S+)\n", challenge).group(1).decode()
        queue("bob@example.org", [answer])
        (first,) = wait_for_mail("alice")
        self.assertIn(b"\nSubject: first\n", first)
        self.assertTrue(first.startswith(b"Return-Path: <bob@example.org>\n"))
        queue("bob@example.org", ["alice@example.org"], "Subject: second\n\n")
        self.assertIn(b"\nSubject: second\n", b"".join(wait_for_mail("alice", 2)))
        queue("bob@example.org", [answer])
        self.assertIn(b"\nThis confirmation is no longer valid. (#5.1.1)\n", wait_for_mail("bob", 2)[1])


class Scanner(NeighbourTest):
    def say(self, text, **environment):
        """One message to qmail-smtpd as qmaild runs it; the reply to the message."""
        commands = ["HELO x", f"MAIL FROM:<{SENDER}>", "RCPT TO:<bob@example.org>", "DATA",
                    "", text, ".", "QUIT", ""]
        entry = pwd.getpwnam("qmaild")
        said = subprocess.run([QMAIL / "bin/qmail-smtpd"], input="\r\n".join(commands), text=True,
                              stdout=subprocess.PIPE, user=entry.pw_uid, group=entry.pw_gid,
                              extra_groups=[], check=True,
                              env={"QMAILQUEUE": f"{LOCAL}/simscan", "TCPREMOTEIP": "192.0.2.77",
                                   "PATH": os.environ["PATH"]} | environment).stdout
        return said.splitlines()[-2]

    def test_refuses_with_its_reason_and_hands_on_the_rest(self):
        self.assertEqual(self.say("EICAR"), "554 Your email was rejected because it contains a virus "
                                            "(192.0.2.77)")
        self.assertRegex(self.say("clean", RELAYCLIENT=""), r"\A250 ok \d+ qp \d+\Z")
        (message,) = wait_for_mail("bob")
        self.assertIn(b"\nX-Scanned: from 192.0.2.77, a relay client\nReceived: from unknown ", message)
        # The scanner's own child has made the trace line, and runs as its caller.
        self.assertRegex(message, rb"\nReceived: \(qmail \d+ invoked from network\); ")


class QueueTools(NeighbourTest):
    def qm_handle(self, *arguments):
        return hosts.on(hosts.MAIN, f"{LOCAL}/qmHandle", *arguments).stdout

    def test_the_queue_is_listed_counted_tried_and_thinned_out(self):
        self.dot_qmail("-wait", "|[ -e /home/alice/go ]  || exit 111\n")
        numbers = []
        for name in ("keep", "drop"):
            qp = queue(f"{name}@x.example", ["bob@example.org", "alice-wait@example.org", "nobody@example.org"],
                       f"Subject: {name}\n\n")
            number = self.log.wait_for(rf"info msg (\d+): .* qp {qp} .*").group(1)
            wait_until(lambda: path_of("bounce", number).exists(), "a bounce")
            wait_until(lambda: path_of("local", number).read_bytes() ==
                       b"Dbob@example.org\0Talice-wait@example.org\0Dnobody@example.org\0", "a deferral")
            numbers.append(number)
        keep, drop = numbers
        self.assertEqual(sorted(self.qm_handle("-l").splitlines()), sorted(
            f"{number}|{name}@x.example|Subject: {name}|local:Dbob@example.org"
            "|local:Talice-wait@example.org|local:Dnobody@example.org|bounce"
            for number, name in ((keep, "keep"), (drop, "drop"))))
        self.assertEqual(self.qm_handle("-s"),
                         "messages in local: 2\nmessages in remote: 0\nmessages in todo: 0\n")
        self.qm_handle("-d", drop)
        wait_until(Service("qmail-send").serves, "qmail-send")
        self.assertEqual(hosts.on(hosts.MAIN, QMAIL / "bin/qmail-qstat").stdout,
                         "messages in queue: 1\nmessages in queue but not yet preprocessed: 0\n")
        # The bounce of what is kept goes to x.example, which nobody has: let it end here.
        self.reload(virtualdomains="x.example:bob\n")
        self.write_file("/home/bob/.qmail-keep", "./Maildir/\n", user="bob")
        self.write_file("/home/alice/go", "")
        self.qm_handle("-a")
        self.log.wait_for(f"end msg {keep}")
        self.assertIsNone(self.log.find(f"end msg {drop}"))
        wait_for_mail("bob", 3)  # two copies and the bounce

    def test_the_log_adds_up(self):
        sent = {"bob@example.org": "k", "nobody@example.org": "d", "alice-wait@example.org": "z"}
        self.dot_qmail("-wait", "|exit 111\n")
        before = self.matchup()
        qp = queue("alice@example.org", list(sent), MESSAGE)
        self.log.wait_for(r"delivery \d+: deferral: .*")
        self.write_file("/home/alice/.qmail-wait", "#\n", user="alice")
        Service("qmail-send").svc("a")
        wait_for_empty_queue()
        lines = self.matchup()[len(before):]
        results = {tuple(line.split()[1:3]) for line in lines if line[0] == "d"}
        self.assertLessEqual({(r, f"local.{a}") for a, r in sent.items()}, results)
        (message,) = (line.split() for line in lines if line[0] == "m" and line.split()[6] == str(qp))
        size = len(MESSAGE) + len(f"Received: (qmail {qp} invoked by uid 0); 2 Aug 2002 15:16:26 -0000\n")
        self.assertIn(int(message[1]), (size, size + 1))  # a day of the month has one figure or two
        self.assertEqual(message[2:], ["2", "1", "1", "<alice@example.org>", str(qp), "0"])

    @staticmethod
    def matchup():
        directory = pathlib.Path("/var/log/qmail/qmail-send")
        log = b"".join(path.read_bytes() for path in
                       [*sorted(directory.glob("@*")), directory / "current"])
        return subprocess.run([f"{LOCAL}/matchup"], input=log, stdout=subprocess.PIPE,
                              check=True).stdout.decode().splitlines()


if __name__ == "__main__":
    unittest.main()
