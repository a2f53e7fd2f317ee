# The small programs of .qmail files, run by qmail-local for real deliveries, and those for the
# prompt.
import re
import unittest

from support import hosts, services
from support.case import WorldTest

BIN = "/var/qmail/bin"


class ToolsTest(WorldTest):
    def setUp(self):
        super().setUp()
        for name in ("alice", "bob", "carol"):
            services.empty_maildir(name)

    def deliver(self, *lines, header="", body="hello\n", sender="carol@example.org"):
        """Mail from carol to bob, whose .qmail has these lines."""
        self.write_file("/home/bob/.qmail", "".join(f"{line}\n" for line in lines), user="bob",
                        mode=0o600)
        hosts.as_user("carol", f"{BIN}/qmail-inject", "-f", sender,
                      input=f"To: bob@example.org\n{header}\n{body}")
        services.wait_for_empty_queue()

    def received(self, name):
        return [message.decode() for message in services.maildir(name)]


class DotQmail(ToolsTest):
    def test_forward_sends_the_message_on(self):
        self.deliver(f"|{BIN}/forward alice@example.org 'carol@example.org'")
        for name in ("alice", "carol"):
            message, = self.received(name)
            self.assertTrue(message.startswith("Return-Path: <carol@example.org>\n"
                                               f"Delivered-To: {name}@example.org\n"))
            self.assertIn("\nDelivered-To: bob@example.org\n", message)
            self.assertTrue(message.endswith("\n\nhello\n"))

    def test_condredirect_sends_it_on_instead_if_told_to(self):
        line = f"|{BIN}/condredirect alice@example.org grep -q urgent"
        self.deliver(line, "./Maildir/", body="urgent\n")
        self.assertEqual([len(self.received(name)) for name in ("alice", "bob")], [1, 0])
        self.assertTrue(self.received("alice")[0].endswith("\n\nurgent\n"))
        self.deliver(line, "./Maildir/", body="dull\n")
        self.assertEqual([len(self.received(name)) for name in ("alice", "bob")], [1, 1])

    def test_bouncesaying_bounces_if_told_to(self):
        line = f"|{BIN}/bouncesaying 'No thanks. (#5.7.1)' grep -q lottery"
        self.deliver(line, "./Maildir/", body="win the lottery\n")
        bounce, = self.received("carol")
        self.assertIn("\n<bob@example.org>:\nNo thanks. (#5.7.1)\n\n", bounce)
        self.assertEqual(self.received("bob"), [])
        self.deliver(line, "./Maildir/")
        self.assertTrue(self.received("bob")[0].endswith("\n\nhello\n"))

    def test_bouncesaying_alone_always_bounces(self):
        self.deliver(f"|{BIN}/bouncesaying 'Gone.'", "./Maildir/")
        self.assertIn("\n<bob@example.org>:\nGone.\n\n", self.received("carol")[0])

    def test_except_turns_the_answer_round(self):
        self.deliver(f"|{BIN}/except grep -q lottery", "./Maildir/")
        self.assertEqual(len(self.received("bob")), 1)
        self.deliver(f"|{BIN}/except grep -q lottery", "./Maildir/", body="lottery\n")
        self.assertEqual([len(self.received(name)) for name in ("bob", "carol")], [1, 1])

    def test_preline_adds_the_lines_of_a_mailbox(self):
        self.deliver(f"|{BIN}/preline cat > all", f"|{BIN}/preline -f sh -c 'cat > no-from'",
                     f"|{BIN}/preline -dr head -n 1 > from", f"|{BIN}/preline true")
        def text(name):
            path = hosts.files() / "home/bob" / name
            self.addCleanup(path.unlink)
            return path.read_text()
        lines = text("all").split("\n")
        self.assertRegex(lines[0], r"^From carol@example\.org \w{3} \w{3} \d\d \d\d:\d\d:\d\d \d{4}$")
        self.assertEqual(lines[1:3], ["Return-Path: <carol@example.org>",
                                      "Delivered-To: bob@example.org"])
        self.assertEqual(text("no-from").split("\n")[:2], lines[1:3])
        self.assertEqual(text("from"), lines[0] + "\n")

    def test_preline_exits_as_the_program_does(self):
        self.deliver(f"|{BIN}/preline sh -c 'echo Not here.; exit 100'")
        self.assertIn("\nNot here.\n", self.received("carol")[0])

    def test_qreceipt_tells_the_sender_if_asked(self):
        line = f"|{BIN}/qreceipt bob@example.org"
        asking = "Notice-Requested-Upon-Delivery-To: Bob <BOB@example.org>\n"
        self.deliver(line, "./Maildir/", header=asking)
        services.wait_for_empty_queue()
        notice, = self.received("carol")
        self.assertTrue(notice.startswith("Return-Path: <>\n"))
        self.assertIn("\nSubject: success notice\n", notice)
        self.assertIn("\nbob@example.org,\n", notice)
        for header, sender in (("", "carol@example.org"), (asking, ""),
                               ("Notice-Requested-Upon-Delivery-To: al@x.y\n", "carol@example.org"),
                               ("Notice-Requested-Upon-Delivery-To: (\n", "carol@example.org")):
            self.deliver(line, "./Maildir/", header=header, sender=sender)
        self.assertEqual([len(self.received(name)) for name in ("bob", "carol")], [5, 1])

    def test_a_program_that_cannot_be_run_makes_the_message_wait(self):
        for tool in ("condredirect alice@example.org", "bouncesaying Gone", "except", "preline"):
            result = hosts.on(hosts.MAIN, "sh", "-c", f"{BIN}/{tool} /no/such < /etc/passwd",
                              check=False, env={"UFLINE": "", "RPLINE": "", "DTLINE": ""})
            self.assertEqual(result.returncode, 111, tool)
            self.assertIn("unable to run /no/such: No such file", result.stderr)

    def test_a_program_may_ask_for_the_message_to_wait(self):
        for tool in ("condredirect alice@example.org", "bouncesaying Gone", "except"):
            result = hosts.on(hosts.MAIN, "sh", "-c", f"{BIN}/{tool} sh -c 'exit 111' </etc/passwd",
                              check=False)
            self.assertEqual((result.returncode, result.stderr), (111, ""), tool)

    def test_wrong_use_is_permanent(self):
        for command in ("forward", "forward joe", "condredirect joe", "bouncesaying", "except",
                        "preline", "preline -z cat", "preline cat", "qreceipt", "qreceipt joe",
                        "predate", "mailsubj", "mailsubj x"):
            result = hosts.on(hosts.MAIN, "sh", "-c", f"{BIN}/{command}", check=False)
            self.assertEqual(result.returncode, 100, command)
            self.assertRegex(result.stderr, rf"^{command.split()[0]}: fatal: (usage: |\$.* not set)")


class Prompt(ToolsTest):
    def test_mailsubj_sends_its_input(self):
        hosts.as_user("alice", f"{BIN}/mailsubj", "the subject", "bob@example.org",
                      "carol@example.org", input="hello\n")
        for name in ("bob", "carol"):
            message = services.wait_for_mail(name)[0].decode()
            self.assertIn("\nFrom: alice@mail.example.org\nSubject: the subject\n"
                          "To: bob@example.org, carol@example.org\n\nhello\n", message)

    def test_datemail_and_predate_add_a_local_date(self):
        hosts.as_user("alice", f"{BIN}/datemail", "-t", input="To: bob@example.org\n\nhello\n",
                      env={"TZ": "XYZ-5:30"})
        message = services.wait_for_mail("bob")[0].decode()
        self.assertEqual(re.findall(r"(?m)^Date: .* ([-+]\d{4})$", message), ["+0530"])
        result = hosts.on(hosts.MAIN, f"{BIN}/predate", "sh", "-c", "cat; exit 7", check=False,
                          input="x\n", env={"TZ": "XYZ8", "PATH": "/usr/bin:/bin"})
        self.assertEqual(result.returncode, 7)
        self.assertRegex(result.stdout, r"\ADate: \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d -0800\nx\n\Z")


if __name__ == "__main__":
    unittest.main()
