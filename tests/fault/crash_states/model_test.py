"""The parts of crash_states say nothing false themselves. Needs no world."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import models
import syncs
from history import History, Naming, NotModelled, Sync, Writing
from invariant import Judge, Message
from outcome import Outcome

TODO = b"u0\0p1\0Fs@example.org\0Talice@example.org\0"


def hexed(text):
    data = text if isinstance(text, bytes) else text.encode()
    return "".join(f"\\x{byte:02x}" for byte in data)


def string(text):
    return f'"{hexed(text)}"'


def fd(number, path):
    return f"{number}<{hexed(path)}>"


def create(number, path):
    return (f"7 openat(AT_FDCWD<{hexed('/')}>, {string(path)}, O_WRONLY|O_CREAT|O_EXCL, 0644)"
            f" = {fd(number, path)}")


def write(number, path, data):
    return f"7 write({fd(number, path)}, {string(data)}, {len(data)}) = {len(data)}"


def fsync(number, path):
    return f"7 fsync({fd(number, path)}) = 0"


def link(old, new):
    return f"7 link({string(old)}, {string(new)}) = 0"


def unlink(path):
    return f"7 unlink({string(path)}) = 0"


def rename(old, new):
    return f"7 rename({string(old)}, {string(new)}) = 0"


def read(*lines, before=()):
    return History(["/q", "/h"], dict(before)).read(lines)


def states(model, *lines, before=()):
    history = read(*lines, before=before)
    found, total = model(history.initial, history.steps, history.roots, lambda _: True).states(10000)
    found = {frozenset(state.items()) for state in found}
    assert total >= len(found)
    return found


def names(model, *lines, before=()):
    """The states as sets of the last letters of their names."""
    return {"".join(sorted(path[-1] for path, _ in state))
            for state in states(model, *lines, before=before)}


class Recording(unittest.TestCase):
    def test_paths_are_those_of_the_process_that_uses_them(self):
        history = read(f"7 chdir({string('/q')}) = 0",
                       "7 vfork( <unfinished ...>",
                       f"8 chdir({string('d')}) = 0",
                       f"8 link({string('a')}, {string('../b')}) = 0",
                       "7 <... vfork resumed>) = 8",
                       f"7 unlink({string('d/a')}) = 0", before={"/q/d/a": b""})
        self.assertEqual([step.names[0][0] for step in history.steps], ["/q/b", "/q/d/a"])

    def test_threads_share_their_directory(self):
        history = read("7 clone3({flags=CLONE_VM|CLONE_FS|CLONE_THREAD}, 88) = 8",
                       f"7 chdir({string('/q')}) = 0",
                       f"8 unlink({string('a')}) = 0", before={"/q/a": b""})
        self.assertEqual([step.names[0][0] for step in history.steps], ["/q/a"])

    def test_a_call_counts_from_where_it_ended_and_a_sync_from_where_it_began(self):
        lines = [create(3, "/q/a"),
                 f"7 fsync({fd(3, '/q/a')} <unfinished ...>",
                 unlink("/q/b").replace("7 ", "8 "),
                 "7 <... fsync resumed>) = 0"]
        history = read(*lines, before={"/q/b": b""})
        sync = next(step for step in history.steps if isinstance(step, Sync))
        gone = history.steps[1]
        self.assertIsInstance(gone, Naming)
        self.assertLess(sync.start, gone.end)
        self.assertGreater(sync.end, gone.end)

    def test_writes_go_where_the_descriptor_stands(self):
        history = read(create(3, "/q/a"), write(3, "/q/a", b"ab"), write(3, "/q/a", b"cd"),
                       f"7 lseek({fd(3, '/q/a')}, 1, SEEK_SET) = 1", write(3, "/q/a", b"X"),
                       f"7 pwrite64({fd(3, '/q/a')}, {string(b'Y')}, 1, 3) = 1",
                       f"7 ftruncate({fd(3, '/q/a')}, 5) = 0")
        self.assertEqual(history.names["/q/a"].content, b"aXcY\0")
        self.assertEqual(len([step for step in history.steps if isinstance(step, Writing)]), 5)

    def test_a_descriptor_stays_with_its_file_when_the_name_has_gone(self):
        history = read(create(3, "/q/a"), link("/q/a", "/q/b"), unlink("/q/a"),
                       write(3, "/q/a", b"text"))
        self.assertEqual(history.names["/q/b"].content, b"text")

    def test_calls_that_failed_changed_nothing(self):
        self.assertEqual(read(f"7 unlink({string('/q/a')}) = -1 ENOENT (No such file)").steps, [])

    def test_a_call_on_our_files_that_is_not_understood_is_an_error(self):
        with self.assertRaises(NotModelled):
            read(f"7 fallocate({fd(3, '/q/a')}, 0, 0, 10) = 0")
        with self.assertRaises(NotModelled):
            read(f"7 mkdir({string('/q/a')}, 0700) = 0")
        read(f"7 mkdir({string('/elsewhere')}, 0700) = 0")


class Unordered(unittest.TestCase):
    MODEL = models.Unordered

    def test_each_name_is_there_or_not(self):
        self.assertEqual(names(self.MODEL, create(3, "/q/a"), create(4, "/q/b")),
                         {"", "a", "b", "ab"})

    def test_a_synced_directory_keeps_its_names(self):
        self.assertEqual(names(self.MODEL, create(3, "/q/a"), fsync(5, "/q"), create(4, "/q/b")),
                         {"a", "ab"})

    def test_a_synced_file_may_be_without_its_name(self):
        self.assertEqual(names(self.MODEL, create(3, "/q/a"), fsync(3, "/q/a")), {"", "a"})

    def test_another_directory_is_not_synced(self):
        self.assertEqual(names(self.MODEL, create(3, "/q/d/a"), fsync(5, "/q")), {"", "a"})

    def test_a_removed_name_may_be_back(self):
        self.assertEqual(names(self.MODEL, unlink("/q/a"), before={"/q/a": b""}), {"", "a"})

    def test_a_rename_may_leave_both_names_or_none(self):
        self.assertEqual(names(self.MODEL, rename("/q/a", "/q/b"), before={"/q/a": b""}),
                         {"", "a", "b", "ab"})


class Ordered(unittest.TestCase):
    MODEL = models.Ordered

    def test_names_come_in_their_order(self):
        self.assertEqual(names(self.MODEL, create(3, "/q/a"), create(4, "/q/b")), {"", "a", "ab"})

    def test_a_rename_is_whole(self):
        self.assertEqual(names(self.MODEL, rename("/q/a", "/q/b"), before={"/q/a": b""}),
                         {"a", "b"})

    def test_a_synced_file_brings_the_names_before_it(self):
        self.assertEqual(names(self.MODEL, create(3, "/q/a"), create(4, "/q/b"),
                               create(5, "/q/c"), fsync(4, "/q/b")), {"ab", "abc"})

    def test_a_sync_with_nothing_to_do_brings_nothing(self):
        self.assertEqual(names(self.MODEL, create(3, "/q/a"), fsync(3, "/q/z"),
                               before={"/q/z": b""}), {"z", "az"})

    def test_two_file_systems_have_no_order_between_them(self):
        self.assertEqual(names(self.MODEL, create(3, "/q/a"), create(4, "/h/b")),
                         {"", "a", "b", "ab"})

    def test_syncing_a_file_system_brings_all_of_it(self):
        self.assertEqual(names(self.MODEL, create(3, "/q/a"), create(4, "/h/b"),
                               fsync(3, "/q/z").replace("fsync", "syncfs")), {"a", "ab"})


class Contents(unittest.TestCase):
    def contents(self, *lines, before=b""):
        found = states(models.Ordered, *lines, before={"/q/a": before})
        return {content for state in found for _, content in state}

    def opened(self, flags="O_WRONLY"):
        return (f"7 openat(AT_FDCWD<{hexed('/')}>, {string('/q/a')}, {flags})"
                f" = {fd(3, '/q/a')}")

    def test_what_was_not_synced_is_there_or_not_or_in_part_or_nothing_but_its_size(self):
        self.assertEqual(self.contents(self.opened(), write(3, "/q/a", b"abcd")),
                         {b"", b"abcd", b"ab", b"ab\0\0", b"\0\0\0\0"})

    def test_what_was_synced_is_there(self):
        self.assertEqual(self.contents(self.opened(), write(3, "/q/a", b"abcd"),
                                       fsync(3, "/q/a")), {b"abcd"})

    def test_a_mark_is_there_or_not(self):
        self.assertEqual(self.contents(f"7 pwrite64({fd(3, '/q/a')}, {string(b'D')}, 1, 0) = 1",
                                       before=b"Tx"), {b"Tx", b"Dx"})

    def test_a_later_write_may_be_there_without_an_earlier_one(self):
        found = self.contents(self.opened(), write(3, "/q/a", b"ab"), write(3, "/q/a", b"cd"))
        self.assertIn(b"\0\0cd", found)

    def test_appending_keeps_what_was_there(self):
        found = self.contents(self.opened("O_WRONLY|O_APPEND"), write(3, "/q/a", b"cd"),
                              before=b"ab")
        self.assertTrue(all(content.startswith(b"ab") for content in found))
        self.assertIn(b"abcd", found)


class Judging(unittest.TestCase):
    MESSAGE = Message("5", b"text\n", "s@example.org", ("alice@example.org", "bob@example.org"), 1)
    HEAD = b"Return-Path: <s@example.org>\nDelivered-To: %s@example.org\n"
    NEW = "/home/alice/Maildir/new/1"
    ALICE = HEAD % b"alice" + b"text\n"
    BOB = b"From x\n" + HEAD % b"bob" + b"text\n\n"

    def judge(self, files, at=2, delivered=(), bounces=(), sent=frozenset(), messages=None):
        outcome = Outcome({}, delivered=list(delivered), bounces=list(bounces), files=files)
        return list(Judge(messages or [self.MESSAGE], ["example.org"]).of(outcome, at, sent))

    def test_nothing_is_wrong_with_what_is_whole(self):
        self.assertEqual(self.judge({self.NEW: self.ALICE, "/home/bob/Mailbox": self.BOB}), [])

    def test_nothing_is_owed_before_acceptance(self):
        self.assertEqual(self.judge({}, at=1), [])

    def test_a_message_that_one_recipient_lacks_is_lost(self):
        self.assertEqual(self.judge({self.NEW: self.ALICE}), ["message 5 is lost for bob@example.org"])

    def test_a_mailbox_file_may_hold_part_of_a_message_before_the_whole_of_it(self):
        files = {self.NEW: self.ALICE, "/home/bob/Mailbox": self.BOB[:-4] + b"\n\n" + self.BOB}
        self.assertEqual(self.judge(files), [])
        self.assertEqual(len(self.judge(files | {"/home/bob/Mailbox": self.BOB[:-4]})), 1)

    def test_part_of_a_message_in_a_maildir_is_wrong_even_beside_the_whole(self):
        files = {self.NEW: self.ALICE, self.NEW + "1": self.ALICE[:-2],
                 "/home/bob/Mailbox": self.BOB}
        self.assertEqual(len(self.judge(files)), 1)

    def test_somebody_elses_message_is_wrong(self):
        files = {self.NEW: self.ALICE.replace(b"alice", b"carol")}
        self.assertEqual(len(self.judge(files, at=1)), 1)

    def test_a_bounce_will_do_if_it_is_whole_and_names_the_recipient(self):
        files = {self.NEW: self.ALICE}
        envelope = b"F\0Ts@example.org\0\0"
        good = b"Hi.\n<bob@example.org>:\nno\n\ntext\n"
        self.assertEqual(self.judge(files, bounces=[(envelope, good)]), [])
        for bad in (good[:-2], good.replace(b"bob", b"joe")):
            self.assertNotEqual(self.judge(files, bounces=[(envelope, bad)]), [])

    def test_what_a_server_took_before_the_crash_is_not_lost_by_it(self):
        self.assertEqual(self.judge({"/home/bob/Mailbox": self.BOB},
                                    sent={("alice@example.org", "s@example.org")}), [])

    def test_two_deliveries_in_one_recovery_are_wrong(self):
        files = {self.NEW: self.ALICE, "/home/bob/Mailbox": self.BOB}
        delivered = [("local", "bob@example.org", "5/5")] * 2
        self.assertEqual(len(self.judge(files, delivered=delivered)), 1)

    def test_the_wrong_channel_is_wrong(self):
        files = {self.NEW: self.ALICE, "/home/bob/Mailbox": self.BOB}
        self.assertEqual(len(self.judge(files, delivered=[("remote", "bob@example.org", "5/5")])), 1)

    def test_what_was_refused_is_not_delivered(self):
        refused = Message("5", b"text\n", "s@example.org", ("alice@example.org",), None, refused=True)
        self.assertEqual(len(self.judge({self.NEW: self.ALICE}, messages=[refused])), 1)


class Source(unittest.TestCase):
    def test_every_call_that_syncs_is_known(self):
        self.assertEqual(syncs.calls_in_source(), syncs.CALLS,
                         "a sync has come or gone: give it a row in syncs.py, or take its row out")


if __name__ == "__main__":
    unittest.main()
