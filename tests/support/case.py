"""WorldTest: what nearly every system test needs, undone after each test."""

import os
import pathlib
import unittest

from support import hosts, services
from support.services import Log, Service

ZONE = pathlib.Path("/run/world/zone")


@unittest.skipUnless(os.environ.get("POSTERN_WORLD"), "runs inside scripts/world")
class WorldTest(unittest.TestCase):
    """A test in a world. Control files and DNS records that it sets are put back afterwards; a
    test that leaves mail in the queue fails.
    """

    leaves_mail = False  # a test class about undeliverable mail may say so

    def setUp(self):
        self.log = Log()

    def tearDown(self):
        if not self.leaves_mail and os.path.isdir("/var/qmail/queue"):
            services.wait_for_empty_queue()

    def set_control(self, name, text, host=hosts.MAIN):
        """Sets a control file for this test. qmail-send reads some of them only at its start."""
        before = services.set_control(name, text, host)
        self.addCleanup(services.set_control, name, before, host)

    def configure(self, service, host=hosts.MAIN, **control_files):
        """Restarts a service with these control files; undoes both after the test."""
        self.addCleanup(Service(service, host).restart)
        for name, text in control_files.items():
            self.set_control(name, text, host)
        Service(service, host).restart()

    def add_dns(self, records):
        """Adds records in zone file syntax; names are absolute with or without the last dot."""
        before = ZONE.read_text(encoding="utf-8")
        self.addCleanup(_replace, ZONE, before)
        _replace(ZONE, f"{before}{records}\n")

    def write_file(self, path, text, user=None, mode=0o644, host=hosts.MAIN):
        """A file for this test, owned by a user if one is named."""
        target = hosts.files(host) / str(path).lstrip("/")
        target.write_text(text, encoding="utf-8")
        self.addCleanup(target.unlink, missing_ok=True)
        target.chmod(mode)
        if user:
            hosts.on(host, "chown", f"{user}:", path)
        return target


def _replace(path, text):
    """In one step: the name server must not read half of it."""
    new = path.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.rename(path)
