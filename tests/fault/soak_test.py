# A short soak (tests/fault/soak): clients, kills, a full disk, restarts, and nothing lost. Needs root.
import os
import pathlib
import subprocess
import unittest

from support import soak_log

SOAK = pathlib.Path(__file__).with_name("soak")
BUILD = os.environ.get("POSTERN_BUILD", "build/release")


class Soak(unittest.TestCase):
    def test_nothing_is_lost_and_nothing_grows_in_twenty_seconds(self):
        result = subprocess.run([SOAK, "--minutes", "0.34", "--build", BUILD],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                check=False)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn(" 0 violations", result.stdout)


class Excuses(unittest.TestCase):
    """What the soak takes for the explanation of a second copy."""

    COPIES = {(7, "alice-7@example.org"): 1}

    def unexplained(self, kills, **attempt):
        attempts = [soak_log.Attempt("alice-7@example.org", "1", 100.0, **attempt),
                    soak_log.Attempt("alice-7@example.org", "1", 200.0, end=201.0,
                                     outcome="success")]
        return soak_log.unexplained(self.COPIES, attempts, kills, {7: "carol@example.org"})

    def test_an_attempt_that_was_never_reported(self):
        self.assertEqual(self.unexplained([(150, "qmail-lspawn")]), [])
        self.assertTrue(self.unexplained([(50, "qmail-lspawn")]))

    def test_a_delivery_that_crashed(self):
        crashed = {"end": 101.0, "outcome": "deferral", "text": ": qmail-local_crashed./"}
        self.assertEqual(self.unexplained([(100.5, "qmail-local")], **crashed), [])

    def test_a_success_right_before_qmail_send_was_killed(self):
        success = {"end": 101.0, "outcome": "success"}
        self.assertEqual(self.unexplained([(101.1, "qmail-send")], **success), [])
        self.assertTrue(self.unexplained([(150, "qmail-send")], **success))
        self.assertTrue(self.unexplained([(101.1, "qmail-remote")], **success))

    def test_a_success_that_a_killed_qmail_clean_could_not_mark(self):
        success = {"end": 130.0, "outcome": "success"}
        self.assertEqual(self.unexplained([(105, "qmail-clean")], **success), [])
        self.assertEqual(self.unexplained([(130.1, "qmail-clean")], **success), [])
        self.assertTrue(self.unexplained([(90, "qmail-clean")], **success))
        self.assertTrue(self.unexplained([(140, "qmail-clean")], **success))

    def test_a_bounce_whose_qmail_queue_was_killed(self):
        bounced = {"end": 101.0, "outcome": "failure", "bounced": 250.0}
        self.assertEqual(self.unexplained([(101.5, "qmail-queue")], **bounced), [])
        self.assertTrue(self.unexplained([(260, "qmail-queue")], **bounced))

    def test_a_bounce_whose_own_delivery_crashed(self):
        def unexplained(recipient, outcome):
            failed = soak_log.Attempt(recipient, "1", 100.0, end=101.0, outcome=outcome, bounced=102.0)
            crashed = soak_log.Attempt("alice-7@example.org", "2", 103.0, end=104.0,
                                       outcome="deferral", text=": qmail-local_crashed./")
            return soak_log.unexplained({(7, recipient): 1}, [failed, crashed],
                                        [(103.5, "qmail-local")], {7: "alice-7@example.org"})
        self.assertEqual(unexplained("nobody-7@example.org", "failure"), [])
        self.assertTrue(unexplained("bob-7@example.org", "success"))

    def test_an_ordinary_deferral_is_none(self):
        deferral = {"end": 101.0, "outcome": "deferral", "text": ": not_now/"}
        self.assertTrue(self.unexplained([(100.5, "qmail-send")], **deferral))


if __name__ == "__main__":
    unittest.main()
