"""mlmmj manages a list from .qmail files in the home of alias, as its own README for qmail says:
people join, write, leave, and a member whose mail bounces is found out."""
# unpack: mlmmj

import pathlib
import re
import unittest

from support import hosts, services
from support.case import WorldTest
from support.wait import wait_until

LIST = pathlib.Path("/var/spool/mlmmj/friends")
ALIAS = pathlib.Path("/var/qmail/alias")


def setUpModule():
    hosts.install_unpacked("mlmmj")
    LIST.parent.mkdir(parents=True)
    answers = "example.org\nalice@example.org\nen\ny\n"  # domain, owner, language, chown
    hosts.on(hosts.MAIN, "mlmmj-make-ml", "-L", "friends", "-c", "alias", input=answers)
    (LIST / "control/delimiter").write_text("-\n", encoding="ascii")
    for name in (".qmail-friends", ".qmail-friends-default"):
        (ALIAS / name).write_text(f"|/usr/bin/mlmmj-receive -F -L {LIST}/\n", encoding="ascii")


class List(WorldTest):
    def setUp(self):
        super().setUp()
        for name in ("alice", "bob", "carol"):
            services.empty_maildir(name)

    def write(self, user, to, subject="", body=""):
        hosts.as_user(user, "sendmail", "-i", "-f", f"{user}@example.org", to,
                      input=f"From: {user}@example.org\nTo: {to}\nSubject: {subject}\n\n{body}")

    def read(self, user):
        """The one message that comes."""
        (message,) = services.wait_for_mail(user)
        services.wait_for_empty_queue()
        self.assertEqual(1, len(services.maildir(user)))
        services.empty_maildir(user)
        return message.decode()

    def confirm(self, user, request):
        """Asks for something and answers the question whether it was really the user who asked."""
        self.write(user, f"friends-{request}@example.org")
        question = self.read(user)
        self.write(user, re.search("\nReply-To: (friends-[^\n]*)\n", question)[1])
        return self.read(user)

    def members(self):
        lines = "".join(path.read_text() for path in (LIST / "subscribers.d").iterdir())
        return lines.split()

    def subscribe(self, user):
        hosts.on(hosts.MAIN, "/usr/bin/mlmmj-sub", "-L", LIST, "-a", f"{user}@example.org", "-f")
        self.addCleanup(hosts.on, hosts.MAIN, "/usr/bin/mlmmj-unsub", "-L", LIST, "-a",
                        f"{user}@example.org")

    def test_people_join_write_and_leave(self):
        self.subscribe("carol")
        self.assertIn("\nSubject: =?utf-8?q?Welcome_to_friends=40example.org?=\n",
                      self.confirm("bob", "subscribe"))
        self.assertEqual(["bob@example.org", "carol@example.org"], sorted(self.members()))

        self.write("bob", "friends@example.org", "lunch", "at noon?\n.\nBob\n")
        for name in ("bob", "carol"):
            post = self.read(name)
            self.assertRegex(post, r"\AReturn-Path: <friends-bounces-\d+-"
                             f"{name}=example.org@example.org>\n")
            self.assertIn("\nFrom: bob@example.org\n", post)
            self.assertIn("\nSubject: lunch\n", post)
            # mlmmj ends what it sends by an empty line and the dot.
            self.assertEqual("at noon?\n.\nBob\n\n", post.split("\n\n", 1)[1])

        self.assertIn("\nSubject: =?utf-8?q?Goodbye_from_friends=40example.org?=\n",
                      self.confirm("bob", "unsubscribe"))
        self.assertEqual(["carol@example.org"], self.members())

    def test_a_bounce_is_counted_for_the_member_whose_it_is(self):
        self.subscribe("bob")
        self.subscribe("carol")
        self.write_file("/home/carol/.qmail", "|echo full; exit 100\n", user="carol")
        bounced = LIST / "bounce/carol=example.org"
        self.write("alice", "friends@example.org", "one")
        self.assertIn("\nSubject: one\n", self.read("bob"))
        wait_until(bounced.exists, "mlmmj to count the bounce")
        self.assertRegex(bounced.read_text(), r"\A\d+:\d+ .*\n\Z")
        self.write("alice", "friends@example.org", "two")
        self.assertIn("\nSubject: two\n", self.read("bob"))
        wait_until(lambda: bounced.read_text().count("\n") == 2, "mlmmj to count the second")
        services.wait_for_empty_queue()
        self.assertEqual(["carol=example.org"], sorted(
            path.name for path in (LIST / "bounce").iterdir() if "lastmsg" not in path.name))
        self.assertEqual([], services.maildir("alice"))


if __name__ == "__main__":
    unittest.main()
