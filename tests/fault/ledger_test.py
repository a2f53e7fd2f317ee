# The ledger's check: what it lets pass, and that it sees each way of losing, inventing, damaging
# and doubling a message.
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import tempfile
import unittest

from support.ledger import Ledger, make_message, write_to_sink

PROGRAM = importlib.machinery.SourceFileLoader("program", str(pathlib.Path(__file__).with_name("ledger")))
program = importlib.util.module_from_spec(importlib.util.spec_from_loader("program", PROGRAM))
PROGRAM.exec_module(program)
TRACE = b"Received: (qmail 7 invoked by uid 0); 1 Jan 2026 00:00:00 -0000\n"
SENDER = "carol@example.org"


def delivered(number, recipient="alice@example.org", **options):
    """A message as qmail-local writes it into a Maildir."""
    return (f"Return-Path: <{SENDER}>\nDelivered-To: {recipient}\n".encode() + TRACE
            + make_message(number, **options))


def bounce(number, *recipients):
    told = "".join(f"<{recipient}>:\nNo mailbox here. (#5.1.1)\n\n" for recipient in recipients)
    return (f"Return-Path: <>\nDelivered-To: {SENDER}\nSubject: failure notice\n\n"
            f"Hi. This is the qmail-send program at mail.example.org.\n\n{told}"
            "--- Below this line is a copy of the message.\n\n"
            f"Return-Path: <{SENDER}>\n".encode() + TRACE + make_message(number))


class LedgerTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.top = pathlib.Path(directory.name)
        for name in ("new", "cur", "tmp", "sink"):
            (self.top / name).mkdir()
        self.ledger = Ledger(self.top / "ledger")
        self.addCleanup(self.ledger.close)

    def offer(self, number, *recipients, answer="accept", message=None):
        self.ledger.offer(number, make_message(number) if message is None else message, SENDER,
                          recipients or ["alice@example.org"])
        if answer == "accept":
            self.ledger.accept(number, "250")
        elif answer:
            self.ledger.refuse(number, answer == "permanent", "no")

    def deliver(self, text, name=None):
        (self.top / "new" / (name or str(len(list((self.top / "new").iterdir()))))).write_bytes(text)

    def check(self, *options):
        with contextlib.redirect_stdout(io.StringIO()) as output:
            status = program.main(["check", str(self.top / "ledger"), "--maildir", str(self.top),
                                   "--mbox", str(self.top / "mbox"),
                                   "--sink", str(self.top / "sink"), *options])
        lines = output.getvalue().splitlines()
        violations = [line.removeprefix("ledger: VIOLATION: ") for line in lines[:-1]]
        self.assertEqual(status, 1 if violations else 0, lines)
        self.assertIn(f"; {len(violations)} violations", lines[-1])
        self.summary = lines[-1]
        return violations

    def assert_kept(self, *options):
        self.assertEqual(self.check(*options), [])

    def assert_violation(self, pattern, *options):
        violations = self.check(*options)
        self.assertEqual(len(violations), 1, violations)
        self.assertRegex(violations[0], pattern)


class Kept(LedgerTest):
    def test_delivered_into_a_maildir(self):
        self.offer(1)
        self.deliver(delivered(1))
        self.assert_kept()
        self.assertIn("1 offered, 1 accepted, 1 found", self.summary)

    def test_every_size_and_every_kind_of_line(self):
        for number in range(17):
            self.offer(number)
            self.deliver(delivered(number))
        self.assert_kept()

    def test_in_an_mbox_quoted_and_with_a_final_newline(self):
        for number in (1, 6):
            self.offer(number, message=make_message(number, final_newline=False))
            text = delivered(number, final_newline=False)
            quoted = b"".join(b">" + line if line.lstrip(b">").startswith(b"From ") else line
                              for line in text.splitlines(keepends=True))
            with open(self.top / "mbox", "ab") as mbox:
                mbox.write(b"From carol Thu Jan  1 00:00:00 1970\n" + quoted + b"\n\n")
        self.assert_kept()

    def test_at_a_sink_for_some_and_bounced_for_others(self):
        self.offer(5, "a@far.example", "b@far.example", "c@far.example")
        write_to_sink(self.top / "sink", SENDER, ["a@far.example", "c@far.example"],
                      TRACE + make_message(5))
        self.deliver(bounce(5, "b@far.example"))
        self.assert_kept()
        self.assertIn("1 bounced", self.summary)

    def test_under_the_user_of_a_virtual_domain(self):
        self.offer(1, "x@virtual.example")
        self.deliver(delivered(1, recipient="bob-x@virtual.example"))
        self.assert_kept()

    def test_not_delivered_where_nothing_was_promised(self):
        for number, answer in ((1, "permanent"), (2, "temporary"), (3, None)):
            self.offer(number, answer=answer)
        self.assert_kept()

    def test_delivered_although_no_answer_came(self):
        for number, answer in ((2, "temporary"), (3, None)):
            self.offer(number, answer=answer)
            self.deliver(delivered(number))
        self.assert_kept()

    def test_a_recipient_named_twice_has_two_copies(self):
        self.offer(1, "alice@example.org", "alice@example.org")
        self.deliver(delivered(1))
        self.assert_violation("1 was accepted and is lost for alice@example.org: 1 of 2")
        self.deliver(delivered(1))
        self.assert_kept()

    def test_the_line_being_written_when_the_power_went_says_nothing(self):
        self.offer(1, answer=None)
        with open(self.top / "ledger", "ab") as file:
            file.write(b"accept 1")
        self.assert_kept()


class Broken(LedgerTest):
    def test_lost(self):
        self.offer(1)
        self.assert_violation("1 was accepted and is lost for alice@example.org")
        self.assert_violation("1 was accepted and is lost for alice@example.org", "--killed")

    def test_lost_for_one_of_two(self):
        self.offer(1, "alice@example.org", "bob@example.org")
        self.deliver(delivered(1))
        self.assert_violation("1 was accepted and is lost for bob@example.org")

    def test_lost_for_one_of_two_in_a_bounce(self):
        self.offer(1, "a@far.example", "b@far.example")
        self.deliver(bounce(1, "b@far.example"))
        self.assert_violation("1 was accepted and is lost for a@far.example")

    def test_still_in_tmp(self):
        self.offer(1)
        (self.top / "tmp/1").write_bytes(delivered(1))
        self.assert_violation("1 was accepted and is lost")

    def test_refused_for_good_and_delivered(self):
        self.offer(1, answer="permanent")
        self.deliver(delivered(1))
        self.assert_violation("1 was refused for good, and is in")

    def test_delivered_twice(self):
        self.offer(1)
        self.deliver(delivered(1))
        self.deliver(delivered(1))
        self.assert_violation("1 was delivered 2 times to alice@example.org")
        self.assert_kept("--killed")
        self.assertIn("1 duplicates", self.summary)

    def test_delivered_and_bounced(self):
        self.offer(1)
        self.deliver(delivered(1))
        self.deliver(bounce(1, "alice@example.org"))
        self.assert_violation("1 was delivered 2 times to alice@example.org")

    def test_damaged(self):
        whole = delivered(3)
        for damaged in (whole[:-1], whole + b"\n", whole.replace(b"From ", b"from ", 1),
                        whole[:-500] + whole[-400:], whole.replace(b"ledger 3", b"ledger 4")):
            with self.subTest(damaged[-20:]):
                self.offer(3) if not os.path.getsize(self.top / "ledger") else None
                self.deliver(damaged, "it")
                violations = self.check("--killed")
                self.assertEqual(len(violations), 2, violations)
                self.assertRegex(violations[0], "3 in .* is not what was offered")
                self.assertRegex(violations[1], "3 was accepted and is lost")

    def test_cut_off_in_a_bounce(self):
        self.offer(3)
        self.deliver(bounce(3, "alice@example.org")[:-10])
        self.assertRegex(self.check()[0], "3 in .* is not what was offered")

    def test_an_empty_file_in_new(self):
        self.deliver(b"")
        self.assert_violation("new/0 holds nothing that was offered", "--killed")

    def test_never_offered(self):
        self.deliver(delivered(1))
        self.assert_violation("new/0 holds nothing that was offered")

    def test_in_somebody_elses_mailbox(self):
        self.offer(1, answer=None)
        self.deliver(delivered(1, recipient="bob@example.org"))
        self.assert_violation("is for nobody it was sent to")

    def test_incomplete_in_an_mbox(self):
        self.offer(3, answer=None)
        beginning = delivered(3).partition(b"\nFrom ")[0]
        (self.top / "mbox").write_bytes(b"From carol Thu Jan  1 00:00:00 1970\n" + beginning)
        self.assert_violation("3 in .*mbox entry 1 is not what was offered")
        self.assert_kept("--killed")
        self.assertIn("1 fragments", self.summary)

    def test_so_incomplete_in_an_mbox_that_it_has_no_number(self):
        (self.top / "mbox").write_bytes(b"From carol Thu Jan  1 00:00:00 1970\nReturn-Path: <car")
        self.assert_violation("mbox entry 1 holds nothing that was offered")
        self.assert_kept("--killed")
        self.assertIn("1 fragments", self.summary)

    def test_something_at_a_sink_that_is_no_message(self):
        (self.top / "sink/1").write_bytes(b"")
        self.assert_violation("sink/1 holds nothing that was offered", "--killed")

    def test_a_ledger_that_offers_a_number_twice_is_none(self):
        self.offer(1)
        self.offer(1)
        with contextlib.redirect_stderr(io.StringIO()) as said:
            self.assertEqual(program.main(["check", str(self.top / "ledger")]), 2)
        self.assertIn("1 is offered twice", said.getvalue())


class Queue(LedgerTest):
    def setUp(self):
        super().setUp()
        self.queue = self.top / "queue"
        for kind in ("mess", "info", "local", "remote"):
            for number in range(23):
                (self.queue / kind / str(number)).mkdir(parents=True)
        for kind in ("pid", "intd", "todo", "bounce", "lock"):
            (self.queue / kind).mkdir()

    def add_mess(self, directory=None):
        """A file named by its inode number, where it belongs unless told otherwise."""
        new = self.queue / "pid/new"
        new.touch()
        number = new.stat().st_ino
        new.rename(self.queue / "mess" / str(number % 23 if directory is None else directory)
                   / str(number))
        return number

    def test_empty_or_what_the_sweep_takes(self):
        self.assert_kept("--queue", str(self.queue))
        self.add_mess()
        (self.queue / "intd" / str(self.add_mess())).touch()
        (self.queue / "pid/12.34.0").touch()
        (self.queue / "lock/sendmutex").touch()
        self.assert_kept("--queue", str(self.queue))

    def test_not_drained(self):
        number = self.add_mess()
        (self.queue / "todo" / str(number)).touch()
        self.assert_violation(f"{number} is still in the queue: mess\\+todo", "--queue", str(self.queue))

    def test_names_without_their_text(self):
        for name in ("intd/46", "todo/46", "info/0/46", "local/0/46", "remote/0/46", "bounce/46"):
            with self.subTest(name):
                (self.queue / name).touch()
                self.assert_violation("46 has [a-z]+ without mess", "--queue", str(self.queue))
                (self.queue / name).unlink()

    def test_a_name_that_is_another_inode(self):
        (self.queue / "mess/0/46").touch()
        self.assert_violation("mess/0/46 has the inode number", "--queue", str(self.queue))

    def test_the_wrong_directory(self):
        number = self.add_mess(directory=0)
        if number % 23 == 0:
            number = self.add_mess(directory=0)
        self.assert_violation(f"mess/0/{number} is in the wrong directory", "--queue", str(self.queue))

    def test_a_name_that_is_none(self):
        (self.queue / "todo/core").touch()
        self.assert_violation("todo/core is no name of the queue", "--queue", str(self.queue))


if __name__ == "__main__":
    unittest.main()
