# Who a local address belongs to, who its delivery runs as, and what the spawns may do.
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import unittest

from support import hosts, services, smtp
from support.case import WorldTest
from support.services import Service, wait_for_mail
from support.wait import PATIENCE, wait_until

BIN = "/var/qmail/bin"
USERS = pathlib.Path("/var/qmail/users")
SENDER = "carol@mail.example.org"


def send(recipient):
    smtp.inject(SENDER, [f"{recipient}@mail.example.org"], "Subject: test\n\nhello\n",
                address="127.0.0.1")


def status_of(pid):
    """The fields of /proc/PID/status."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


class Assign(WorldTest):
    def setUp(self):
        super().setUp()
        for user in ("alice", "bob", "carol"):
            services.empty_maildir(user)
        self.addCleanup((USERS / "cdb").unlink, missing_ok=True)

    def assign(self, lines, check=True):
        self.write_file(USERS / "assign", f"{lines}.\n")
        return hosts.on(hosts.MAIN, f"{BIN}/qmail-newu", check=check)

    def test_gives_an_address_to_a_user(self):
        self.assign("=sales:alice:1000:1000:/home/alice:::\n")
        send("Sales")
        self.assertIn(b"Delivered-To: Sales@mail.example.org\n", wait_for_mail("alice")[0])

    def test_gives_a_whole_prefix_to_a_user_and_keeps_the_rest_as_extension(self):
        self.assign("+list.:bob:1001:1001:/home/bob:-:lists-:\n")
        self.write_file("/home/bob/.qmail-lists-default", "|echo $EXT $DEFAULT\n", user="bob")
        send("LIST.a.B")
        self.log.wait_for(r"delivery \d+: success: lists-a\.B_a\.B/did_0\+0\+1/")

    def test_may_give_everything_to_one_user(self):
        self.assign("+:bob:1001:1001:/home/bob:-::\n")
        self.write_file("/home/bob/.qmail-default", "./Maildir/\n", user="bob")
        send("anything-at-all")
        wait_for_mail("bob")

    def test_leaves_the_other_addresses_to_the_system(self):
        self.assign("=sales:alice:1000:1000:/home/alice:::\n")
        send("bob")
        wait_for_mail("bob")

    def test_takes_effect_at_once(self):
        self.assign("=sales:alice:1000:1000:/home/alice:::\n")
        send("sales")
        wait_for_mail("alice")
        self.assign("=sales:bob:1001:1001:/home/bob:::\n")
        send("sales")
        wait_for_mail("bob")

    def test_never_delivers_as_root(self):
        self.assign("=boss:root:0:0:/root:::\n")
        send("boss")
        self.log.wait_for(r"delivery \d+: deferral: "
                          r"Not_allowed_to_perform_deliveries_as_root\./")
        self.assign("=boss:alice:1000:1000:/home/alice:::\n")
        Service("qmail-send").svc("a")
        wait_for_mail("alice")

    def test_that_is_broken_changes_nothing(self):
        self.assign("=sales:alice:1000:1000:/home/alice:::\n")
        result = self.assign("=sales:bob:1001:1001:/home/bob:::\n=x:y\n", check=False)
        self.assertEqual((result.returncode, result.stderr),
                         (111, "qmail-newu: fatal: bad format in users/assign, line 2: expected 7 "
                               "colons, found 1\n"))
        send("sales")
        wait_for_mail("alice")

    def test_a_damaged_cdb_keeps_the_mail_waiting(self):
        self.write_file(USERS / "cdb", "this is no cdb file")
        send("alice")
        self.log.wait_for(r"delivery \d+: deferral: "
                          r"Trouble_reading_users/cdb_in_qmail-lspawn\./")
        (USERS / "cdb").unlink()
        Service("qmail-send").svc("a")
        wait_for_mail("alice")


class Getpw(WorldTest):
    @staticmethod
    def getpw(local):
        entry = pwd.getpwnam("qmailp")
        result = subprocess.run([f"{BIN}/qmail-getpw", local], stdout=subprocess.PIPE,
                                user=entry.pw_uid, group=entry.pw_gid, extra_groups=[],
                                check=False)
        return result.returncode, result.stdout.decode().split("\0")

    def test_finds_users_and_extensions(self):
        alice = ["alice", "1000", "1000", "/home/alice"]
        self.assertEqual(self.getpw("alice"), (0, [*alice, "", "", ""]))
        self.assertEqual(self.getpw("Alice-A.b"), (0, [*alice, "-", "A.b", ""]))

    def test_gives_the_rest_to_alias(self):
        entry = pwd.getpwnam("alias")
        alias = ["alias", str(entry.pw_uid), str(entry.pw_gid), "/var/qmail/alias", "-"]
        for local in ("root", "nobody-x", "alicex", "qmaild"):
            self.assertEqual(self.getpw(local), (0, [*alias, local, ""]))


class AGetpwThatIsAsked(WorldTest):
    """The test in the place of qmail-lspawn, which would let it go after some seconds."""

    def setUp(self):
        super().setUp()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        qmailp = pwd.getpwnam("qmailp")
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec 3<&{theirs.fileno()}; exec bin/qmail-getpw alice'],
            stdout=subprocess.PIPE, cwd="/var/qmail", pass_fds=[theirs.fileno()],
            env={"POSTERN_KEPT_WORKER": "3"}, user=qmailp.pw_uid, group=qmailp.pw_gid)
        theirs.close()
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(ours.close)  # the first of all: it ends
        self.socket = ours
        self.assertEqual(self.answer(), "alice")

    def answer(self):
        self.socket.settimeout(PATIENCE)
        self.assertEqual(self.socket.recv(1), b"\0")
        return os.read(self.process.stdout.fileno(), 1000).decode().split("\0")[0]

    def ask(self, local):
        self.socket.send(f"{local}\0".encode())
        return self.answer()

    def change(self, path, text):
        self.addCleanup(pathlib.Path(path).write_text,
                        pathlib.Path(path).read_text(encoding="ascii"), encoding="ascii")
        pathlib.Path(path).write_text(text, encoding="ascii")

    def test_sees_users_come_and_go(self):
        self.assertEqual(self.ask("robert"), "alias")
        passwd = pathlib.Path("/etc/passwd").read_text(encoding="ascii")
        self.change("/etc/passwd", f"{passwd}robert:x:1001:1001::/home/bob:/bin/sh\n")
        self.assertEqual(self.ask("robert"), "robert")
        self.change("/etc/passwd", passwd)
        self.assertEqual(self.ask("robert"), "alias")

    def test_sees_a_home_change_hands(self):
        self.addCleanup(shutil.chown, "/home/bob", "bob")
        self.assertEqual(self.ask("bob"), "bob")
        shutil.chown("/home/bob", "carol")
        self.assertEqual(self.ask("bob"), "alias")

    def test_sees_users_cdb_before_all(self):
        self.addCleanup((USERS / "cdb").unlink, missing_ok=True)
        self.write_file(USERS / "assign", "=bob:carol:1002:1002:/home/carol:::\n.\n")
        self.assertEqual(self.ask("bob"), "bob")
        hosts.on(hosts.MAIN, f"{BIN}/qmail-newu")
        self.assertEqual(self.ask("bob"), "carol")
        (USERS / "cdb").unlink()
        self.assertEqual(self.ask("bob"), "bob")

    def test_sees_that_users_are_looked_for_elsewhere(self):
        self.change("/etc/nsswitch.conf", "passwd: nowhere\n")
        self.socket.send(b"alice\0")
        self.assertNotEqual(self.process.wait(PATIENCE), 0)

    def test_ends_with_its_socket(self):
        self.socket.close()
        self.assertEqual(self.process.wait(PATIENCE), 0)


class AGetpwThatStays(WorldTest):
    def setUp(self):
        super().setUp()
        for pid in self.getpws():
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not self.getpws(), "none of an earlier test")
        os.utime("/etc/passwd")  # or an address might be known from a moment ago
        self.write_file("/home/alice/.qmail-default", "./Maildir/\n", user="alice")

    @staticmethod
    def getpws():
        return services.processes("qmail-getpw", hosts.MAIN)

    def deliver(self, *addresses, user="alice"):
        """One after another."""
        for address in addresses:
            services.empty_maildir(user)
            send(address)
            self.assertIn(f"\nDelivered-To: {address}@mail".encode(), wait_for_mail(user)[0])

    def replace(self, script):
        """Puts a script in the program's place for this test, and the program beside it."""
        path = pathlib.Path(BIN, "qmail-getpw")
        program = path.rename(path.with_name("qmail-getpw.real"))
        self.addCleanup(program.rename, path)
        self.write_file(path, f"#!/bin/sh\n{script}\n", mode=0o755)

    def test_answers_for_many_addresses_and_goes(self):
        self.deliver("alice-1")
        (pid,) = self.getpws()
        self.assertEqual(status_of(pid)["Uid"].split(), [str(pwd.getpwnam("qmailp").pw_uid)] * 4)
        self.assertEqual(status_of(pid)["Groups"].strip(), "")
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/var/qmail")
        self.deliver("alice-2", "alice-3")
        self.assertEqual(self.getpws(), [pid])
        wait_until(lambda: not self.getpws(), "the worker is gone")

    def test_is_not_offered_to_a_script(self):
        self.deliver("alice-1")
        directory = pathlib.Path("/run/getpw")
        directory.mkdir()
        self.addCleanup(hosts.on, hosts.MAIN, "rm", "-rf", directory)
        directory.chmod(0o777)
        self.replace(f'echo "$0 $* [$POSTERN_KEPT_WORKER] $PWD" >>{directory}/asked\n'
                     f'exec {BIN}/qmail-getpw.real "$@"')
        addresses = [f"alice-{number}" for number in range(4, 7)]
        self.deliver(*addresses)
        asked = (directory / "asked").read_text(encoding="ascii")
        self.assertEqual(asked, "".join(f"bin/qmail-getpw {name} [] /var/qmail\n"
                                        for name in addresses))

    def test_goes_when_users_are_looked_for_elsewhere(self):
        switch = pathlib.Path("/etc/nsswitch.conf")
        text = switch.read_text(encoding="ascii")
        self.addCleanup(switch.write_text, text, encoding="ascii")
        self.deliver("alice-1")
        (pid,) = self.getpws()
        switch.write_text(f"{text}# changed\n", encoding="ascii")
        self.deliver("alice-2")
        self.assertNotEqual(set(self.getpws()), {pid})

    def test_is_not_missed_when_it_is_killed(self):
        self.deliver("alice-1")
        (pid,) = self.getpws()
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the worker is collected")
        self.deliver("alice-2")

    def test_holds_up_nobody_else_when_it_hangs(self):
        self.deliver("alice-1")
        (pid,) = self.getpws()
        os.kill(pid, signal.SIGSTOP)
        services.empty_maildir("alice")
        send("alice-stopped")
        self.log.wait_for(r"starting delivery \d+: msg \d+ to local alice-stopped@mail.*")
        send("alice-2")
        self.assertIn(b"Delivered-To: alice-2@", wait_for_mail("alice")[0])
        os.kill(pid, signal.SIGKILL)
        self.log.wait_for(r"delivery \d+: deferral: Temporary_failure_in_qmail-lspawn\./")
        Service("qmail-send").svc("a")
        self.assertIn(b"Delivered-To: alice-stopped@", wait_for_mail("alice", 2)[1])


class Processes(WorldTest):
    def test_of_the_spawns_have_their_users_and_nothing_more(self):
        for name, user, capabilities in (("qmail-lspawn", "root", True),
                                         ("qmail-rspawn", "qmailr", False)):
            (pid,) = services.processes(name, hosts.MAIN)
            status = status_of(pid)
            uid = str(pwd.getpwnam(user).pw_uid)
            self.assertEqual(status["Uid"].split(), [uid] * 4)
            self.assertEqual(status["CapEff"] != "0000000000000000", capabilities)
            self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/var/qmail/queue/mess")

    def test_are_seen_with_the_default_delivery(self):
        (pid,) = services.processes("qmail-lspawn", hosts.MAIN)
        self.assertEqual(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[1:],
                         [b"./Maildir/", b""])

    def test_on_a_messages_path_are_static_and_small(self):
        for name in ("qmail-lspawn", "qmail-rspawn", "qmail-local"):
            headers = hosts.on(hosts.MAIN, "readelf", "-lW", f"{BIN}/{name}").stdout
            self.assertNotIn("INTERP", headers, name)
            program = pathlib.Path(BIN, name).read_bytes()
            for stranger in (b"OpenSSL", b"res_nquery", b"libnss_"):
                self.assertFalse(stranger in program, f"{name} holds {stranger}")

    def test_end_when_qmail_send_does_and_finish_what_they_do(self):
        fifo = pathlib.Path("/home/alice/fifo")
        hosts.as_user("alice", "mkfifo", fifo)
        self.addCleanup(fifo.unlink)
        self.write_file("/home/alice/.qmail", "|cat fifo >got\n", user="alice")
        got = pathlib.Path("/home/alice/got")
        self.addCleanup(got.unlink)
        send("alice")
        wait_until(lambda: services.processes("qmail-local"), "qmail-local")
        (before,) = services.processes("qmail-lspawn", hosts.MAIN)
        Service("qmail-send").svc("t")
        self.log.wait_for(r"status: local 1/10 remote 0/20 exitasap")
        self.assertIn(before, services.processes("qmail-lspawn", hosts.MAIN))
        fifo.write_text("done")
        self.log.wait_for(r"status: exiting")
        self.assertEqual(got.read_text(), "done")
        Service("qmail-send").start()
        wait_until(lambda: before not in services.processes("qmail-lspawn"), "the spawn to end")


class Messages(WorldTest):
    def test_that_qmailq_does_not_own_are_not_given_away(self):
        file = pathlib.Path("/var/qmail/queue/mess/0/1")
        file.write_text("somebody else's file", encoding="ascii")
        result = subprocess.run([f"{BIN}/qmail-lspawn", "./Maildir/"], stdout=subprocess.PIPE,
                                input=b"\x00" b"0/1\0" b"s@h\0" b"alice@h\0", check=False)
        file.unlink()
        self.assertEqual((result.returncode, result.stdout),
                         (0, b"\x78\0ZSorry, message has wrong owner. (#4.3.5)\n\0"))


class Remote(WorldTest):
    def test_forgets_old_timeouts_at_its_start(self):
        records = pathlib.Path("/var/qmail/queue/lock/tcpto")
        records.write_bytes(b"x" * 1024)
        Service("qmail-send").restart()
        wait_until(lambda: records.read_bytes() == bytes(1024), "an empty lock/tcpto")

    def test_runs_the_program_that_qmailremote_names(self):
        program = self.write_file("/var/qmail/bin/other-remote", mode=0o755, text="#!/bin/sh\n"
                                  "printf 'r\\000K%s %s %s %s.\\n\\000' $(id -un) \"$@\"\n")
        order = b"\x05" b"0/1\0" b"s@h\0" b"joe@a.example\0"
        queue_owner = pwd.getpwnam("qmailq")
        message = pathlib.Path("/var/qmail/queue/mess/0/1")
        message.write_text("x", encoding="ascii")
        os.chown(message, queue_owner.pw_uid, queue_owner.pw_gid)
        result = subprocess.run([f"{BIN}/qmail-rspawn"], stdout=subprocess.PIPE, input=order,
                                env={"QMAILREMOTE": str(program)}, user="qmailr", group="qmail",
                                extra_groups=[], check=False)
        message.unlink()
        self.assertEqual((result.returncode, result.stdout),
                         (0, b"\x78\x05Kqmailr a.example s@h joe@a.example.\n\0"))


if __name__ == "__main__":
    unittest.main()
