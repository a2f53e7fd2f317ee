"""Local deliveries: .qmail files, a message sent to somebody, and how it ended."""

import pathlib
import pwd
import re

from support import hosts, services, smtp
from support.case import WorldTest
from support.services import Service

SENDER = "carol@mail.example.org"


def send(recipient, body="hello\n", sender=SENDER, header="Subject: test\n"):
    smtp.inject(sender, [f"{recipient}@mail.example.org"], f"{header}\n{body}",
                address="127.0.0.1")


class LocalTest(WorldTest):
    def setUp(self):
        super().setUp()
        for user in ("alice", "bob", "carol"):
            services.empty_maildir(user)

    def dot_qmail(self, user, text, extension="", mode=0o600):
        home = pwd.getpwnam(user).pw_dir
        return self.write_file(f"{home}/.qmail{extension}", text, user=user, mode=mode)

    def directory(self, user, name):
        """A directory of the user's, gone after the test."""
        path = pathlib.Path(pwd.getpwnam(user).pw_dir, name)
        hosts.as_user(user, "mkdir", "-m", "700", path)
        self.addCleanup(hosts.on, hosts.MAIN, "rm", "-rf", path)
        return path

    def wait_for_deferral(self, text):
        self.log.wait_for(rf"delivery \d+: deferral: {re.escape(text)}/")

    @staticmethod
    def retry():
        Service("qmail-send").svc("a")
