"""WorldTest: what nearly every system test needs, undone after each test."""

import os
import pathlib
import socket
import unittest

from support import hosts, services
from support.services import Log, Service
from support.wait import PATIENCE

# These tests change /var/qmail and whatever else they need.
if not os.environ.get("POSTERN_WORLD"):
    raise SystemExit("run by scripts/system-test, which makes a world for them")

ZONES = pathlib.Path("/run/world/zone.d")


class WorldTest(unittest.TestCase):
    """A test in a world. Control files and DNS records that it sets are put back afterwards; a
    test that leaves mail in the queue fails.
    """

    leaves_mail = False  # a test class about undeliverable mail may say so

    def setUp(self):
        self.log = Log()

    def tearDown(self):
        if self.leaves_mail or not services.queue():
            return
        try:
            if self._outcome.success:  # a test that failed may have left anything
                services.wait_for_empty_queue()
        finally:
            services.clear_queue()

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

    def reload(self, host=hosts.MAIN, **control_files):
        """Sets locals or virtualdomains for this test, and lets qmail-send read them again."""
        self.addCleanup(services.reload, host)
        for name, text in control_files.items():
            self.set_control(name, text, host)
        services.reload(host)

    def add_dns(self, records):
        """Records in zone file syntax for this test; a later call replaces those of an earlier
        one that have the same name and type. Names are absolute with or without the last dot.
        """
        number = len(list(ZONES.iterdir()))
        new, final = ZONES / ".new", ZONES / f"{number:06}"
        new.write_text(f"{records}\n", encoding="utf-8")
        new.rename(final)  # the name server must not read half of it
        self.addCleanup(final.unlink)

    def listen_as_syslog(self):
        """A socket that receives what programs of the main host send to syslog in this test."""
        syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(syslog.close)
        device = pathlib.Path("/dev/log")
        device.unlink(missing_ok=True)
        syslog.bind(str(device))
        self.addCleanup(device.unlink)
        device.chmod(0o666)
        syslog.settimeout(PATIENCE)
        return syslog

    def write_file(self, path, text, user=None, mode=0o644, host=hosts.MAIN):
        """A file for this test, owned by a user if one is named."""
        target = hosts.files(host) / str(path).lstrip("/")
        target.write_text(text, encoding="utf-8")
        self.addCleanup(target.unlink, missing_ok=True)
        target.chmod(mode)
        if user:
            hosts.on(host, "chown", f"{user}:", path)
        return target
