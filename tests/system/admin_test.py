# qmail-showctl, qmail-qread, qmail-qstat and maildirmake on a running system.
import pathlib
import re
import unittest

from support import hosts, services
from support.case import WorldTest

BIN = pathlib.Path("/var/qmail/bin")


def run(program, *arguments, check=True):
    return hosts.on(hosts.MAIN, BIN / program, *arguments, check=check)


class Showctl(WorldTest):
    def test_has_nothing_against_a_fresh_installation(self):
        answer = run("qmail-showctl")
        self.assertNotIn("warning:", answer.stdout)
        self.assertNotIn("error:", answer.stdout)
        self.assertRegex(answer.stdout, r"(?m)^qmail home directory: /var/qmail\.$")
        self.assertRegex(answer.stdout, r"(?m)^me: mail\.example\.org\. ")
        self.assertRegex(answer.stdout, r"(?m)^databytes: \(Default\.\) 0 bytes\. ")
        self.assertRegex(answer.stdout, r"(?m)^rcpthosts: \d+ entries\. ")

    def test_says_that_without_rcpthosts_only_me_is_accepted(self):
        self.set_control("rcpthosts", None)
        self.assertIn("control/rcpthosts is absent: strangers may send to the host in control/me "
                      "and nowhere else", run("qmail-showctl").stdout)

    def test_says_when_the_connection_rules_let_everybody_relay(self):
        rules = pathlib.Path("/etc/tcp.smtp")
        self.addCleanup(rules.write_text, rules.read_text())
        rules.write_text(':allow,RELAYCLIENT=""\n')
        self.assertIn("\nwarning: /etc/tcp.smtp line 1 sets RELAYCLIENT for everybody",
                      run("qmail-showctl").stdout)

    def test_names_a_file_that_makes_no_sense_and_fails(self):
        self.set_control("databytes", "ten\n")
        answer = run("qmail-showctl", check=False)
        self.assertEqual(answer.returncode, 111)
        self.assertIn("\nerror: control/databytes holds \"ten\": write a whole number of bytes "
                      "there\n", answer.stdout)

    def test_guesses_what_a_misspelt_file_was_meant_to_be(self):
        self.set_control("concurencyremote", "20\n")
        self.assertIn("control/concurencyremote is read by nothing: is it meant to be "
                      "control/concurrencyremote?", run("qmail-showctl").stdout)

    def test_tells_a_plain_user_what_it_may_not_read(self):
        self.set_control("smtproutes", ":relay.example.net am9l c2VjcmV0\n")
        path = pathlib.Path("/var/qmail/control/smtproutes")
        path.chmod(0o640)
        shown = run("qmail-showctl").stdout
        self.assertIn("    :relay.example.net (with credentials)\n", shown)
        self.assertNotIn("c2VjcmV0", shown)
        answer = hosts.as_user("alice", BIN / "qmail-showctl", check=False)
        self.assertEqual(answer.returncode, 111)
        self.assertIn("error: unable to open control/smtproutes: Permission denied", answer.stdout)


class Queue(WorldTest):
    def setUp(self):
        super().setUp()
        services.Service("qmail-send").stop()
        self.addCleanup(services.Service("qmail-send").start)

    def inject(self, *recipients):
        hosts.as_user("alice", BIN / "qmail-inject", *recipients, input="Subject: x\n\nhi\n")

    def test_qstat_counts_what_is_there_and_what_waits(self):
        self.inject("bob")
        self.inject("bob")
        self.assertEqual(run("qmail-qstat").stdout,
                         "messages in queue: 2\nmessages in queue but not yet preprocessed: 2\n")
        services.Service("qmail-send").start()
        services.wait_for_mail("bob", 2)
        services.wait_for_empty_queue()
        services.empty_maildir("bob")
        self.assertEqual(run("qmail-qstat").stdout,
                         "messages in queue: 0\nmessages in queue but not yet preprocessed: 0\n")

    def test_qread_lists_messages_with_what_has_been_done(self):
        self.set_control("concurrencyremote", "0\n")  # so that the remote one stays
        self.inject("bob", "joe@foreign.example", "ann@foreign.example")
        services.Service("qmail-send").start()
        services.wait_for_mail("bob")
        self.log.wait_for(r"delivery \d+: success: .*")
        listed = run("qmail-qread").stdout
        found = re.fullmatch(
            r"\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d GMT  #(\d+)  (\d+)  "
            r"<alice@mail\.example\.org> \n"
            r"(?:  done\tlocal\tbob@\S+\n)?\tremote\tjoe@foreign\.example\n"
            r"\tremote\tann@foreign\.example\n", listed)
        self.assertTrue(found, listed)
        number, size = found.groups()
        self.assertEqual(services.queue()["mess"], [number])
        text = pathlib.Path(f"/var/qmail/queue/mess/{int(number) % 23}/{number}")
        self.assertEqual(text.stat().st_size, int(size))
        self.log.wait_for(rf"info msg {number}: bytes {size} from .*")
        self.forget(number)
        services.empty_maildir("bob")

    def forget(self, number):
        """Takes a message out of the queue, with qmail-send down, as administrators do it."""
        services.Service("qmail-send").stop()
        for kind in ("info", "local", "remote", "mess"):
            path = pathlib.Path(f"/var/qmail/queue/{kind}/{int(number) % 23}/{number}")
            path.unlink(missing_ok=True)

    def test_both_tell_a_plain_user_who_may(self):
        for program in ("qmail-qstat", "qmail-qread"):
            answer = hosts.as_user("alice", BIN / program, check=False)
            self.assertEqual((answer.returncode, answer.stdout), (111, ""))
            self.assertEqual(answer.stderr, f"{program}: fatal: unable to switch to "
                                            "/var/qmail/queue (root, qmails and qmailq can): "
                                            "Permission denied\n")

    def test_members_of_group_qmail_may_count_but_not_read(self):
        self.assertIn("messages in queue: 0", hosts.as_user("qmailr", BIN / "qmail-qstat").stdout)
        answer = hosts.as_user("qmailr", BIN / "qmail-qread", check=False)
        self.assertEqual(answer.returncode, 111)
        self.assertIn("unable to list queue/info/0: Permission denied", answer.stderr)
        self.assertEqual(hosts.as_user("qmails", BIN / "qmail-qread").stdout, "")


class Maildirmake(WorldTest):
    def setUp(self):
        super().setUp()
        self.home = pathlib.Path("/home/alice")

    def make(self, *arguments):
        return hosts.as_user("alice", BIN / "maildirmake", *arguments, check=False)

    def test_makes_a_private_maildir(self):
        self.assertEqual(self.make("~/Maildir".replace("~", str(self.home)) + "2").returncode, 0)
        top = self.home / "Maildir2"
        for path in (top, top / "tmp", top / "new", top / "cur"):
            self.assertEqual((oct(path.stat().st_mode), path.owner()), ("0o40700", "alice"))
        self.assertEqual(len(list(top.iterdir())), 3)
        hosts.on(hosts.MAIN, "rm", "-r", top)

    def test_root_sets_a_quota_and_the_file_is_the_users(self):
        path = self.home / "Maildir/maildirsize"
        self.addCleanup(path.unlink)
        run("maildirmake", "-q", "10S", self.home / "Maildir")
        self.assertEqual((path.read_text(), path.owner(), path.stat().st_mode & 0o777),
                         ("10S\n", "alice", 0o600))

    def test_root_setting_a_quota_is_led_nowhere_by_links(self):
        kept = self.write_file("/root/kept", "precious\n", mode=0o640)
        trap = self.home / "Maildir/tmp/maildirsize"
        trap.symlink_to(kept)
        self.addCleanup(trap.unlink, missing_ok=True)
        answer = run("maildirmake", "-q", "10S", self.home / "Maildir", check=False)
        self.assertEqual(answer.returncode, 111)
        self.assertEqual((kept.read_text(), kept.stat().st_mode & 0o777), ("precious\n", 0o640))
        (self.home / "link").symlink_to("Maildir")
        self.addCleanup((self.home / "link").unlink)
        answer = run("maildirmake", "-q", "10S", self.home / "link", check=False)
        self.assertEqual((answer.returncode, answer.stderr),
                         (111, "maildirmake: fatal: /home/alice/link: Not a directory\n"))

    def test_says_what_is_in_the_way(self):
        answer = self.make("Maildir")
        self.assertEqual((answer.returncode, answer.stderr),
                         (111, "maildirmake: fatal: unable to make Maildir: File exists\n"))
        answer = self.make("/root/Maildir")
        self.assertIn("unable to make /root/Maildir: Permission denied", answer.stderr)
        answer = self.make()
        self.assertEqual((answer.returncode, answer.stderr),
                         (100, "maildirmake: fatal: usage: maildirmake [-f folder | -q quota] "
                               "directory\n"))


if __name__ == "__main__":
    unittest.main()
