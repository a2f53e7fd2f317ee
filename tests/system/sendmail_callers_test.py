# Programs that send mail find sendmail and call it each in its own way; here are their command
# lines, and some of the programs themselves.
import pathlib
import re
import unittest

from support import hosts, services
from support.case import WorldTest

SENDMAIL = "/usr/sbin/sendmail"
MESSAGE = "From: Al <alice>\nTo: bob@example.org\nSubject: hi\n\nhello\n.\nafter the dot\n"

# The program, and its arguments for a message from alice to bob.
CALLERS = (
    ("bsd-mailx", "-i -t"),
    ("bsd-mailx -r", "-i -t -f alice@example.org"),
    ("s-nail", "-i -- bob@example.org"),
    ("s-nail -r", "-i -f alice@example.org -- bob@example.org"),
    ("mutt", "-oem -oi -- bob@example.org"),
    ("mutt with dsn_notify", "-oem -oi -f alice@example.org -N failure -- bob@example.org"),
    ("mutt with dsn_return", "-oem -oi -B8BITMIME -R hdrs -- bob@example.org"),
    ("mailutils", "-oi -f alice@example.org -t"),
    ("PHP", "-t -i"),
    ("PHP with a sender", "-t -i -falice@example.org"),
    ("git", "-i bob@example.org"),
    ("MailTools", "-t"),
    ("Email::Sender", "-i -f alice@example.org -- bob@example.org"),
    ("Emacs", "-oi -f alice@example.org -t"),
    ("cron", "-FCronDaemon -i -B8BITMIME -oem bob"),
    ("atd", "-i bob"),
    ("sudo", "-t"),
    ("vacation", "-f alice -- bob@example.org"),
    ("nodemailer", "-i -f alice@example.org bob@example.org"),
    ("old programs", "-om -v -bm -em bob"),
)


class SendmailTest(WorldTest):
    def setUp(self):
        super().setUp()
        for name in ("alice", "bob", "carol"):
            services.empty_maildir(name)

    def sendmail(self, *arguments, message="", status=0, program=SENDMAIL, user="alice", **options):
        result = hosts.as_user(user, program, *arguments, input=message, check=False, **options)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def received(self, name="bob"):
        """The next message of a user, header and body."""
        message = services.wait_for_mail(name)[0].decode()
        services.empty_maildir(name)
        return message.split("\n\n", 1)


class CommandLines(SendmailTest):
    def test_every_caller_gets_its_message_through_a_lone_dot_and_all(self):
        for caller, arguments in CALLERS:
            with self.subTest(caller):
                self.sendmail(*arguments.split(), message=MESSAGE)
                header, body = self.received()
                self.assertEqual(body, "hello\n.\nafter the dot\n")
                self.assertRegex(header, "(?m)^From: Al <alice@mail.example.org>$")
                sender = re.search("alice@example.org|$", arguments)[0] or "alice@mail.example.org"
                self.assertTrue(header.startswith(f"Return-Path: <{sender}>\n"), header)

    def test_both_places_where_it_is_looked_for(self):
        for program in ("/usr/lib/sendmail", "/var/qmail/bin/sendmail"):
            self.sendmail("bob", message=MESSAGE, program=program)
            self.received()

    def test_the_sender_and_the_name_show_in_from(self):
        message = "To: bob\n\n"
        self.sendmail("-t", "-F", "Al \"X\" Ice", "-f", "ali@example.net", message=message)
        self.assertIn('\nFrom: "Al \\"X\\" Ice" <ali@example.net>\n', self.received()[0])
        self.sendmail("-t", "-f", "", message=message)
        header = self.received()[0]
        self.assertTrue(header.startswith("Return-Path: <>\n"))
        self.assertIn("\nFrom: alice@mail.example.org\n", header)

    def test_a_sender_with_a_line_end_adds_no_field(self):
        self.sendmail("-t", "-f", "mallory\nBcc: carol@example.org\nX-Evil: x@example.net",
                      message="To: bob\n\n")
        self.assertNotRegex(self.received()[0], "(?m)^(Bcc|X-Evil)")

    def test_line_ends_of_the_network_become_ours(self):
        self.sendmail("-t", message=MESSAGE.replace("\n", "\r\n"))
        header, body = self.received()
        self.assertNotIn("\r", header + body)
        self.assertEqual(body, "hello\n.\nafter the dot\n")

    def test_recipients_that_look_like_options(self):
        result = self.sendmail("-i", "--", "-t@example.org", message="\n",
                               env={"QMAILQUEUE": "/bin/false"}, status=111)
        self.assertNotIn("usage", result.stderr)

    def test_what_cannot_be_honoured_is_refused(self):
        for arguments in (["-bi"], ["-bv", "bob"], ["-bd"], ["-bt"], ["-z", "bob"], [], ["-i"]):
            self.assertIn("usage: sendmail", self.sendmail(*arguments, status=100).stderr)

    def test_running_the_queue_is_no_work(self):
        for arguments in (["-q"], ["-q30m"]):
            result = self.sendmail(*arguments)
            self.assertEqual((result.stdout, result.stderr), ("", ""))


class OtherModes(SendmailTest):
    def test_it_speaks_smtp(self):
        result = self.sendmail("-bs", message="EHLO me\r\nMAIL FROM:<alice@example.org>\r\n"
                               "RCPT TO:<bob@example.org>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\n"
                               "QUIT\r\n")
        replies = [line for line in result.stdout.replace("\r", "").split("\n")
                   if line and line[3] == " "]
        self.assertEqual([line[:3] for line in replies],
                         ["220", "250", "250", "250", "354", "250", "221"])
        self.assertEqual(self.received()[1], "hi\n")

    def test_it_lists_the_queue_for_root(self):
        carol = pathlib.Path("/home/carol")
        carol.chmod(0o1700)  # carol is editing her .qmail file: mail for her waits
        self.addCleanup(carol.chmod, 0o700)
        self.sendmail("carol", message=MESSAGE)
        self.log.wait_for("delivery [0-9]+: deferral: .*")
        listed = "carol@mail.example.org"
        services.wait_until(lambda: listed in hosts.on(hosts.MAIN, "mailq").stdout, "its files")
        self.assertIn(listed, hosts.on(hosts.MAIN, SENDMAIL, "-bp").stdout)
        self.assertNotEqual(self.sendmail("-bp", status=111).stderr, "")
        carol.chmod(0o700)
        services.Service("qmail-send").svc("a")
        self.received("carol")

    def test_newaliases_is_another_name_of_it(self):
        result = self.sendmail(program="newaliases")
        self.assertRegex(result.stdout, "^newaliases: nothing to rebuild: .*/alias/.qmail-NAME ")


class Programs(SendmailTest):
    def test_mutt(self):
        self.write_file("/home/alice/.muttrc", "set dsn_notify=failure,delay dsn_return=hdrs\n"
                        "set use_envelope_from=yes from=alice@example.org realname='Al Ice'\n",
                        user="alice")
        hosts.as_user("alice", "mutt", "-s", "from mutt", "-c", "carol@example.org", "--",
                      "bob@example.org", input="hello\n.\nend\n")
        for name in ("bob", "carol"):
            header, body = self.received(name)
            self.assertIn("\nSubject: from mutt\n", header)
            self.assertIn("\nFrom: Al Ice <alice@example.org>\n", header)
            self.assertTrue(header.startswith("Return-Path: <alice@example.org>\n"))
            self.assertEqual(body, "hello\n.\nend\n")

    def test_s_nail(self):
        hosts.as_user("alice", "s-nail", "-s", "from s-nail", "-r", "alice@example.org",
                      "bob@example.org", input="hello\n",
                      env={"MAILRC": "/dev/null", "mta": SENDMAIL})
        header, body = self.received()
        self.assertIn("\nSubject: from s-nail\n", header)
        self.assertTrue(header.startswith("Return-Path: <alice@example.org>\n"))
        self.assertEqual(body, "hello\n")

    def test_python(self):
        hosts.as_user("alice", "/usr/bin/python3", "-c", "import subprocess, email.message\n"
                      "m = email.message.EmailMessage()\n"
                      "m['To'] = 'B\\u00f6b <bob@example.org>'; m['Subject'] = 'p'\n"
                      "m.set_content('hello')\n"
                      f"subprocess.run(['{SENDMAIL}', '-t', '-oi'], input=bytes(m), check=True)")
        header, body = self.received()
        self.assertIn("\nTo: =?utf-8?", header)
        self.assertEqual(body, "hello\n")


if __name__ == "__main__":
    unittest.main()
