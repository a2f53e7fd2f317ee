# What .qmail files do, with real users, the real queue and the real log. The finer points of the
# format are in tests/unit/local.
import fcntl
import os
import pathlib
import pwd
import re
import signal
import subprocess
import unittest

from support import hosts, services
from support.local import SENDER, LocalTest, send
from support.services import wait_for_mail
from support.wait import wait_until


class Forwarding(LocalTest):
    def test_takes_a_list_to_all_its_members(self):
        self.dot_qmail("alice", "bob\n&carol@mail.example.org\n", "-friends")
        send("alice-friends")
        for user in ("bob", "carol"):
            mail = wait_for_mail(user)[0]
            self.assertTrue(mail.startswith(
                f"Return-Path: <{SENDER}>\nDelivered-To: {user}@mail.example.org\n".encode()))
            self.assertIn(b"\nDelivered-To: alice-friends@mail.example.org\n", mail)
        self.log.wait_for(r"delivery \d+: success: did_0\+2\+0/qp_\d+/")

    def test_gives_bounces_to_a_lists_owner(self):
        self.dot_qmail("alice", "&bob@mail.example.org\n&nobody-there@mail.example.org\n", "-list")
        self.dot_qmail("alice", "./Maildir/\n", "-list-owner")
        send("alice-list")
        self.assertIn(b"Return-Path: <alice-list-owner@mail.example.org>\n",
                      wait_for_mail("bob")[0])
        self.assertIn(b"<nobody-there@mail.example.org>:\nSorry, no mailbox here by that name.",
                      wait_for_mail("alice")[0])

    def test_names_the_recipient_in_the_sender_with_owner_default(self):
        self.dot_qmail("alice", "&bob@mail.example.org\n", "-list")
        self.dot_qmail("alice", "#\n", "-list-owner")
        self.dot_qmail("alice", "./Maildir/\n", "-list-owner-default")
        send("alice-list")
        self.assertIn(
            b"Return-Path: <alice-list-owner-bob=mail.example.org@mail.example.org>\n",
            wait_for_mail("bob")[0])

    def test_in_a_circle_ends_in_a_bounce(self):
        self.dot_qmail("alice", "&bob@mail.example.org\n")
        self.dot_qmail("bob", "&alice@mail.example.org\n")
        send("alice")
        self.assertIn(b"This message is looping: it already has my Delivered-To line. (#5.4.6)",
                      wait_for_mail("carol")[0])


class Addresses(LocalTest):
    def test_with_extensions_find_the_nearest_default(self):
        self.dot_qmail("alice", "|echo near $DEFAULT >>log; exit 0\n", "-a-default")
        self.dot_qmail("alice", "|echo far $DEFAULT >>log; exit 0\n", "-default")
        log = pathlib.Path("/home/alice/log")
        self.addCleanup(log.unlink)
        for extension, line in (("A-x.Y", "near x.Y\n"), ("b", "near x.Y\nfar b\n")):
            send(f"alice-{extension}")
            wait_until(lambda: log.exists() and log.read_text() == line, line)

    def test_that_nobody_has_are_bounced(self):
        send("nobody-there")
        bounce = wait_for_mail("carol")[0]
        self.assertIn(b"<nobody-there@mail.example.org>:\n"
                      b"Sorry, no mailbox here by that name. (#5.1.1)\n", bounce)

    def test_of_the_system_go_to_alias(self):
        for name in ("postmaster", "root"):
            before = len(services.maildir("alias"))
            send(name)
            mail = wait_for_mail("alias", before + 1)[-1]
            self.assertIn(f"Delivered-To: {name}@mail.example.org\n".encode(), mail)


class Programs(LocalTest):
    def test_run_as_the_user_with_nothing_else_open(self):
        self.dot_qmail("bob", "|id -u; id -g; id -G; pwd; umask; ls /proc/self/fd\n")
        send("bob")
        line = self.log.wait_for(r"delivery \d+: success: (.*did_0\+0\+1)/").group(1)
        # ls opens the directory itself as the lowest free number.
        self.assertEqual(line.split("/"), ["1001", "1001", "1001", "", "home", "bob", "0077",
                                           "0", "1", "2", "3", "did_0+0+1"])

    def test_are_told_about_the_delivery(self):
        self.dot_qmail("alice", "|env | grep -E '^(USER|HOME|LOCAL|HOST|HOST2|RECIPIENT|SENDER|EXT|"
                       "EXT2|NEWSENDER|DEFAULT)=' | sort >environment\n", "-a-default")
        path = pathlib.Path("/home/alice/environment")
        self.addCleanup(path.unlink)
        send("alice-A-b")
        self.log.wait_for(r"delivery \d+: success: did_0\+0\+1/")
        self.assertEqual(path.read_text(), "DEFAULT=b\nEXT2=b\nEXT=A-b\nHOME=/home/alice\n"
                         "HOST2=mail.example\nHOST=mail.example.org\nLOCAL=alice-A-b\n"
                         f"NEWSENDER={SENDER}\nRECIPIENT=alice-A-b@mail.example.org\n"
                         f"SENDER={SENDER}\nUSER=alice\n")

    def test_that_refuse_mail_say_why_in_the_bounce(self):
        self.dot_qmail("alice", "|echo I do not like it; exit 100\n")
        send("alice")
        self.assertIn(b"<alice@mail.example.org>:\nI do not like it\n", wait_for_mail("carol")[0])

    def test_that_fail_for_now_get_the_mail_again(self):
        self.dot_qmail("alice", "|echo busy; exit 111\n")
        send("alice")
        self.wait_for_deferral("busy")
        self.dot_qmail("alice", "./Maildir/\n")
        self.retry()
        wait_for_mail("alice")

    def test_that_kill_qmail_local_get_the_mail_again(self):
        self.dot_qmail("alice", "|kill -KILL $PPID\n")
        send("alice")
        self.wait_for_deferral("qmail-local_crashed.")
        self.dot_qmail("alice", "./Maildir/\n")
        self.retry()
        wait_for_mail("alice")

    def test_that_cannot_be_found_are_a_problem_to_be_mended(self):
        self.dot_qmail("alice", "|no-such-program\n")
        send("alice")
        self.log.wait_for(r"delivery \d+: deferral: .*no-such-program.*not_found/")
        self.dot_qmail("alice", "#\n")
        self.retry()

    def test_may_end_the_delivery(self):
        self.dot_qmail("alice", "&bob@mail.example.org\n|exit 99\n./Maildir/\n")
        send("alice")
        wait_for_mail("bob")
        self.log.wait_for(r"delivery \d+: success: did_0\+1\+1/qp_\d+/")
        self.assertEqual(services.maildir("alice"), [])

    def test_that_talk_too_much_are_cut_short(self):
        self.dot_qmail("alice", "|yes | head -c 100000; exit 100\n")
        send("alice")
        bounce = wait_for_mail("carol")[0]
        self.assertIn(b"Error report too long, sorry.\n", bounce)
        self.assertLess(len(bounce), 5000)

    def test_that_take_their_time_do_not_hold_up_others(self):
        fifo = pathlib.Path("/home/alice/fifo")
        hosts.as_user("alice", "mkfifo", fifo)
        self.addCleanup(fifo.unlink)
        self.dot_qmail("alice", "|cat fifo\n")
        send("alice")
        self.log.wait_for(r"starting delivery \d+: msg \d+ to local alice@mail\.example\.org")
        send("bob")
        wait_for_mail("bob")
        fifo.write_text("done")
        self.log.wait_for(r"delivery \d+: success: donedid_0\+0\+1/")


class AWorkerThatStays(LocalTest):
    def deliver(self, user):
        """The process that has delivered a message to this user."""
        services.empty_maildir(user)
        send(user)
        wait_for_mail(user)
        services.wait_for_empty_queue()  # it has its name in new/ before the delivery is over
        (name,) = os.listdir(f"{pwd.getpwnam(user).pw_dir}/Maildir/new")
        return int(re.match(r"\d+\.(\d+)", name)[1])

    def test_delivers_a_burst_to_its_user_and_goes(self):
        alices = self.deliver("alice")
        self.assertEqual(self.deliver("alice"), alices)
        self.assertNotEqual(self.deliver("bob"), alices)
        self.assertEqual(os.stat(f"/proc/{alices}").st_uid, pwd.getpwnam("alice").pw_uid)
        wait_until(lambda: not os.path.exists(f"/proc/{alices}"), "the worker is gone")

    def test_is_not_missed_when_it_is_killed(self):
        alices = self.deliver("alice")
        os.kill(alices, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{alices}"), "the worker is collected")
        self.assertNotEqual(self.deliver("alice"), alices)


class Trouble(LocalTest):
    def test_an_unreadable_dot_qmail_keeps_the_mail_waiting(self):
        path = self.dot_qmail("alice", "./Maildir/\n", mode=0o000)
        send("alice")
        self.wait_for_deferral("Unable_to_open_.qmail:_Permission_denied._(#4.3.0)")
        self.assertEqual(services.maildir("alice"), [])
        path.chmod(0o600)
        self.retry()
        wait_for_mail("alice")

    def test_a_sticky_home_keeps_the_mail_waiting(self):
        os.chmod("/home/alice", 0o1700)
        self.addCleanup(os.chmod, "/home/alice", 0o700)
        send("alice")
        self.wait_for_deferral(
            "Home_directory_is_sticky:_user_is_editing_his_.qmail_file._(#4.2.1)")
        os.chmod("/home/alice", 0o700)
        self.retry()
        wait_for_mail("alice")

    def test_a_home_that_anybody_may_write_keeps_the_mail_waiting(self):
        os.chmod("/home/alice", 0o702)
        self.addCleanup(os.chmod, "/home/alice", 0o700)
        send("alice")
        self.wait_for_deferral("Uh-oh:_home_directory_is_writable._(#4.7.0)")
        os.chmod("/home/alice", 0o700)
        self.retry()
        wait_for_mail("alice")

    def test_a_home_that_has_gone_sends_mail_to_alias(self):
        os.rename("/home/bob", "/home/bob-away")
        self.addCleanup(os.rename, "/home/bob-away", "/home/bob")
        os.utime("/etc/passwd")  # or what was found out about bob in the last second would serve
        send("bob")
        self.assertIn(b"<bob@mail.example.org>:\nSorry, no mailbox here by that name. (#5.1.1)",
                      wait_for_mail("carol")[0])

    def test_a_maildir_without_tmp_keeps_the_mail_waiting(self):
        os.rmdir("/home/alice/Maildir/tmp")
        send("alice")
        self.wait_for_deferral("Temporary_error_on_maildir_delivery._(#4.3.0)")
        hosts.as_user("alice", "mkdir", "-m", "700", "Maildir/tmp")
        self.retry()
        wait_for_mail("alice")

    def test_a_dot_qmail_that_is_a_directory_counts_for_nothing(self):
        self.directory("alice", ".qmail")
        send("alice")
        wait_for_mail("alice")

    def test_a_broken_line_comes_after_those_before_it(self):
        self.dot_qmail("alice", "./Maildir/\n+list\n|true\n")
        send("alice")
        self.wait_for_deferral("Uh-oh:_.qmail_has_prog_delivery_but_has_x_bit_set._(#4.7.0)")
        self.assertEqual(len(services.maildir("alice")), 1)
        self.dot_qmail("alice", "#\n")
        self.retry()


class FullDisk(LocalTest):
    def setUp(self):
        super().setUp()
        self.small = self.directory("alice", "small")
        hosts.on(hosts.MAIN, "mount", "-t", "tmpfs", "-o", "size=64k,mode=700,uid=1000,gid=1000",
                 "tmpfs", self.small)
        self.addCleanup(hosts.on, hosts.MAIN, "umount", self.small)

    def fill(self):
        with open(self.small / "filler", "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass

    def test_leaves_a_maildir_as_it_was_and_the_mail_queued(self):
        hosts.as_user("alice", "mkdir", "-p", *(f"small/Maildir/{part}"
                                               for part in ("tmp", "new", "cur")))
        self.dot_qmail("alice", "./small/Maildir/\n")
        self.fill()
        send("alice", "x" * 5000 + "\n")
        self.wait_for_deferral("Temporary_error_on_maildir_delivery._(#4.3.0)")
        self.assertEqual([path for path in (self.small / "Maildir").rglob("*") if path.is_file()],
                         [])
        (self.small / "filler").unlink()
        self.retry()
        wait_for_mail("alice", directory="small/Maildir")

    def test_leaves_an_mbox_as_it_was_and_the_mail_queued(self):
        self.dot_qmail("alice", "./small/box\n")
        box = self.small / "box"
        send("alice", "first\n")
        wait_until(lambda: box.exists() and box.read_text().endswith("first\n\n"), "the first mail")
        before = box.read_bytes()
        self.fill()
        send("alice", "x" * 5000 + "\n")
        self.wait_for_deferral("Unable_to_write_./small/box:_No_space_left_on_device._(#4.3.0)")
        self.assertEqual(box.read_bytes(), before)
        (self.small / "filler").unlink()
        self.retry()
        wait_until(lambda: len(box.read_bytes()) > len(before) + 5000, "the second mail")
        self.assertTrue(box.read_bytes().startswith(before))


class Mbox(LocalTest):
    def test_holds_messages_as_mail_readers_expect(self):
        self.dot_qmail("bob", "./Mailbox\n")
        path = pathlib.Path("/home/bob/Mailbox")
        self.addCleanup(path.unlink)
        send("bob", "From here\n>From there\nend")
        wait_until(lambda: path.exists() and path.read_text().endswith("end\n\n"), "the mail")
        self.assertRegex(path.read_text(),
                         rf"\AFrom {SENDER} \w+ \w+ \d\d \d\d:\d\d:\d\d \d\d\d\d\n"
                         rf"Return-Path: <{SENDER}>\nDelivered-To: bob@mail.example.org\n")
        self.assertIn("\n>From here\n>>From there\nend\n\n", path.read_text())
        self.assertEqual((path.stat().st_mode & 0o7777, path.owner()), (0o600, "bob"))

    def test_waits_for_the_lock_of_a_mail_reader(self):
        self.dot_qmail("bob", "./Mailbox\n")
        path = self.write_file("/home/bob/Mailbox", "", user="bob", mode=0o600)
        for lock in (fcntl.lockf, fcntl.flock):
            with open(path, "r+b") as reader:
                lock(reader, fcntl.LOCK_EX)
                send("bob")
                wait_until(lambda: services.processes("qmail-local"), "qmail-local")
                self.log.wait_for(r"status: local 1/10 remote 0/20")
                self.assertEqual(path.read_bytes(), b"")
            wait_until(lambda: path.read_bytes().endswith(b"hello\n\n"), "the mail")
            services.wait_for_empty_queue()
            path.write_bytes(b"")

    def test_loses_nothing_when_many_write_at_a_time(self):
        self.dot_qmail("bob", "./Mailbox\n")
        path = pathlib.Path("/home/bob/Mailbox")
        self.addCleanup(path.unlink)
        for number in range(30):
            send("bob", f"number {number}.\n")
        services.wait_for_empty_queue()
        text = path.read_text()
        self.assertEqual(len(re.findall(rf"^From {SENDER} ", text, re.M)), 30)
        for number in range(30):
            self.assertIn(f"\n\nnumber {number}.\n\n", text)


class ByHand(LocalTest):
    """qmail-local as other programs start it."""

    @staticmethod
    def run_as_bob(*arguments, message="Subject: x\n\nhello\n"):
        with open("/home/bob/message", "w+", encoding="utf-8") as file:
            file.write(message)
            file.seek(0)
            os.unlink(file.name)
            return hosts.as_user("bob", "/var/qmail/bin/qmail-local", *arguments, stdin=file,
                                 stderr=subprocess.STDOUT, check=False)

    def test_says_what_it_would_do(self):
        self.dot_qmail("bob", "./Maildir/\n./box\n| maildrop\n&alice\n")
        result = self.run_as_bob("-n", "bob", "/home/bob", "bob", "", "", "h", "", "./Mailbox")
        self.assertEqual((result.returncode, result.stdout),
                         (0, "maildir ./Maildir/\nmbox ./box\nprogram  maildrop\nforward alice\n"
                             "did 2+1+1\n"))

    def test_works_as_getmail_calls_it(self):
        result = self.run_as_bob("--", "bob", "/home/bob", "bob", "", "", "h", "s@h", "./Maildir/")
        self.assertEqual((result.returncode, result.stdout), (0, "did 1+0+0\n"))
        self.assertEqual(services.maildir("bob"),
                         [b"Return-Path: <s@h>\nDelivered-To: bob@h\nSubject: x\n\nhello\n"])

    def test_survives_a_header_line_of_a_gigabyte(self):
        self.dot_qmail("bob", "#\n")
        with open("/home/bob/message", "w+b") as file:
            file.truncate(1 << 30)
            os.unlink(file.name)
            result = hosts.as_user("bob", "/bin/sh", "-c", "ulimit -v 100000; exec /var/qmail/bin/"
                                   "qmail-local bob /home/bob bob '' '' h s@h ./Maildir/",
                                   stdin=file, check=False)
        self.assertEqual((result.returncode, result.stdout), (0, "did 0+0+0\n"))


if __name__ == "__main__":
    unittest.main()
