# The suite while its clock is set: mail goes on, and nothing is lost or bounced too early.
import time
import unittest

from support import services
from support.case import WorldTest
from support.queueing import queue
from support.services import Service, wait_for_mail
from support.wrong_clock import WrongClock

DAY = 86400


class ClockSteps(WorldTest):
    def setUp(self):
        super().setUp()
        services.empty_maildir("bob")
        self.clock = WrongClock()
        self.addCleanup(self.clock.remove)

    def test_the_suite_goes_by_it(self):
        self.clock.step(3 * DAY)
        queue("a@x.example", ["bob@example.org"])
        path, = wait_for_paths("bob")
        self.assertGreater(int(path.name.split(".")[0]), time.time() + 2 * DAY)

    def test_fresh_mail_is_delivered_at_once_whatever_it_says(self):
        delivered = 0
        for step in (3 * DAY, -6 * DAY, 60, -3600, 30 * DAY, -40 * DAY, 20 * DAY):
            self.clock.step(step)
            for _ in range(3):
                queue("a@x.example", ["bob@example.org"])
            delivered += 3
            wait_for_mail("bob", delivered)
        services.wait_for_empty_queue()
        self.assertEqual(len(services.maildir("bob")), delivered)

    def test_deferred_mail_survives_steps_back_and_alarm_tries_it(self):
        self.write_file("/home/bob/.qmail-later", "|[ -e allowed ] || exit 111\n", user="bob")
        queue("a@x.example", ["bob-later@example.org"])
        self.log.wait_for(r"delivery \d+: deferral: .*")
        self.clock.step(-3 * DAY)
        Service("qmail-send").svc("a")
        self.log.wait_for(r"delivery 2: deferral: .*")
        Service("qmail-send").restart()
        self.write_file("/home/bob/allowed", "")
        Service("qmail-send").svc("a")
        self.log.wait_for(r"delivery \d+: success: .*")
        services.wait_for_empty_queue()

    def test_a_week_forward_is_the_last_try_and_the_sender_is_told(self):
        services.empty_maildir("alice")
        self.write_file("/home/bob/.qmail-never", "|exit 111\n", user="bob")
        queue("alice@example.org", ["bob-never@example.org"])
        self.log.wait_for(r"delivery \d+: deferral: .*")
        self.clock.step(8 * DAY)
        Service("qmail-send").svc("a")
        bounce, = wait_for_mail("alice")
        self.assertIn(b"I'm not going to try again; this message has been in the queue too long.",
                      bounce)


def wait_for_paths(user):
    wait_for_mail(user)
    return list((services.hosts.files() / f"home/{user}/Maildir/new").iterdir())


if __name__ == "__main__":
    unittest.main()
