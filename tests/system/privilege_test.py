# Who every process is and what it holds open, as the installed suite really runs; what is setuid;
# what programs with privilege are linked with. docs/ARCHITECTURE.md has the table.
import contextlib
import grp
import os
import pathlib
import pwd
import re
import stat
import struct
import unittest

from support import hosts, services, smtp
from support.case import WorldTest
from support.wait import wait_until

HOME = pathlib.Path("/var/qmail")


class Process:
    """What /proc says of a process."""

    def __init__(self, pid):
        self.pid = pid
        self.status = dict(line.split(":", 1) for line in
                            pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())

    def ids(self, kind):
        return [int(number) for number in self.status[kind].split()]

    @property
    def descriptors(self):
        """Number to what is open there."""
        top = pathlib.Path(f"/proc/{self.pid}/fd")
        return {int(path.name): os.readlink(path) for path in top.iterdir()}

    @property
    def words(self):
        return pathlib.Path(f"/proc/{self.pid}/cmdline").read_bytes().decode().split("\0")[:-1]


def only(name):
    """The one process of this name."""
    (pid,) = wait_until(lambda: services.processes(name), f"a {name}")
    return Process(pid)


def one_that_has(name, place, where=range(1024)):
    """The one process of this name that has something there open."""
    def found():
        return [process for process in map(Process, services.processes(name))
                if any(what.startswith(place) for fd, what in process.descriptors.items() if fd in where)]
    (process,) = wait_until(found, f"a {name} that has {place} open")
    return process


def uid(user):
    return pwd.getpwnam(user).pw_uid


def gid(group):
    return grp.getgrnam(group).gr_gid


class Daemons(WorldTest):
    def expect_identity(self, name, user, group, words=None):
        process = only(name)
        self.assertEqual(process.ids("Uid"), [uid(user)] * 4, name)
        self.assertEqual(process.ids("Gid"), [gid(group)] * 4, name)
        self.assertEqual(process.ids("Groups"), [], name)
        self.assertEqual(process.words, words or [name])

    def test_each_is_the_user_it_should_be_and_shows_in_ps_as_qmails_do(self):
        self.expect_identity("qmail-send", "qmails", "qmail")
        self.expect_identity("qmail-clean", "qmailq", "qmail")
        self.expect_identity("qmail-rspawn", "qmailr", "qmail")
        self.expect_identity("qmail-lspawn", "root", "qmail", ["qmail-lspawn", "./Maildir/"])

    def test_the_supervised_process_is_qmail_send(self):
        self.assertEqual(services.Service("qmail-send").pid, only("qmail-send").pid)

    def test_only_qmail_lspawn_is_root(self):
        for name in ("qmail-send", "qmail-clean", "qmail-rspawn"):
            process = only(name)
            self.assertNotIn(0, process.ids("Uid"))
            self.assertEqual(int(process.status["CapEff"], 16), 0)
            self.assertEqual(int(process.status["CapPrm"], 16), 0)

    def test_pipes_connect_qmail_send_with_its_three_servers_and_the_log(self):
        send = only("qmail-send").descriptors
        for orders, reports, server in ((1, 2, "qmail-lspawn"), (3, 4, "qmail-rspawn"),
                                        (5, 6, "qmail-clean")):
            there = only(server).descriptors
            self.assertEqual((there[0], there[1]), (send[orders], send[reports]))
            self.assertEqual(there[2], send[0], "what goes wrong early goes to the log")
            others = {fd: name for fd, name in there.items()
                      if fd > 2 and not name.startswith("anon_inode:")}
            self.assertEqual(others, {}, server)
        for fd in range(7):
            self.assertTrue(send[fd].startswith("pipe:"))

    def test_qmail_send_holds_nothing_open_outside_the_queue(self):
        for fd, name in only("qmail-send").descriptors.items():
            if fd > 6:
                self.assertRegex(name, r"^(/var/qmail/queue\b|anon_inode:)", fd)

    def test_their_directory_is_the_queue(self):
        for name, directory in (("qmail-send", "queue"), ("qmail-clean", "queue"),
                                ("qmail-lspawn", "queue/mess"), ("qmail-rspawn", "queue/mess")):
            self.assertEqual(os.readlink(f"/proc/{only(name).pid}/cwd"), str(HOME / directory))

    def test_files_they_make_are_private(self):
        for name in ("qmail-send", "qmail-clean", "qmail-rspawn", "qmail-lspawn"):
            self.assertEqual(only(name).status["Umask"].strip(), "0077", name)


class OnDemand(WorldTest):
    def test_qmail_smtpd_is_qmaild_and_its_qmail_queue_qmailq(self):
        with smtp.Client() as client:
            client.expect("220 *")
            client.command("MAIL FROM:<>", "250 *")
            client.command("RCPT TO:<bob@example.org>", "250 *")
            client.command("DATA", "354 *")
            # Others may wait for work.
            smtpd = one_that_has("qmail-smtpd", "socket:", (0,))
            # Before that it may still have what its exec is about to close.
            queue = one_that_has("qmail-queue", "/var/qmail/queue/")
            self.assertEqual(smtpd.ids("Uid"), [uid("qmaild")] * 4)
            self.assertEqual(smtpd.ids("Gid"), [gid("nofiles")] * 4)
            self.assertEqual(queue.ids("Uid"), [uid("qmaild")] + [uid("qmailq")] * 3)
            self.assertEqual(queue.ids("Gid"), [gid("nofiles")] * 4)
            held = queue.descriptors
            self.assertEqual((held.pop(0), held.pop(1)), ("/dev/null", "/dev/null"))
            self.assertEqual(held.pop(3)[:7], "socket:")  # for orders
            del held[2]
            others = [name for name in held.values()
                      if not re.match("/var/qmail/queue/(mess|pid|intd)/", name)]
            # Of its order: message, envelope, answer.
            self.assertEqual([name[:5] for name in others], ["pipe:"] * 3)

    @contextlib.contextmanager
    def recorded(self, name, then='exec "$0.real" "$@"'):
        """Runs a program of the suite through a script that notes who it is; yields the notes."""
        program, real = HOME / "bin" / name, HOME / "bin" / f"{name}.real"
        notes = pathlib.Path("/tmp/notes")
        notes.write_text("")
        notes.chmod(0o666)
        program.rename(real)
        program.write_text("#!/bin/sh\n(id -u; id -g; id -G; ls -l /proc/$$/fd) > /tmp/note.$$\n"
                           f"cat /tmp/note.$$ >> {notes}\n"
                           f"{then}\n")
        program.chmod(0o755)
        try:
            yield notes
        finally:
            real.rename(program)

    def expect_noted(self, notes, user, group):
        lines = wait_until(lambda: notes.read_text().splitlines(), "the program to be run")
        self.assertEqual(lines[:3], [str(uid(user)), str(gid(group)), str(gid(group))])
        held = re.findall(r" (\d+) -> (\S+)", "\n".join(lines[3:]))
        # The shell itself has its script open, at 10 or above.
        return {int(fd): name for fd, name in held if int(fd) < 10}

    def deliver(self, address):
        hosts.as_user("alice", HOME / "bin/qmail-inject", address, input="Subject: x\n\n")

    def test_qmail_local_is_the_recipient(self):
        with self.recorded("qmail-local") as notes:
            self.deliver("bob")
            services.wait_for_mail("bob")
            held = self.expect_noted(notes, "bob", pwd_group("bob"))
        self.assertRegex(held.pop(0), r"^/var/qmail/queue/mess/")
        self.assertRegex(held.pop(3), r"^socket:")  # to stay, which the script does not know
        self.assertEqual(sorted(held), [1, 2])
        self.assertEqual(held[1], held[2])
        services.empty_maildir("bob")

    def test_a_program_in_a_qmail_file_is_the_recipient_and_holds_nothing_else(self):
        self.write_file("/home/bob/.qmail", "|(id -u; id -g; id -G; ls -l /proc/$$/fd) > notes\n",
                        user="bob")
        self.deliver("bob")
        notes = pathlib.Path("/home/bob/notes")
        wait_until(notes.exists, "the program to run")
        services.wait_for_empty_queue()
        held = self.expect_noted(notes, "bob", pwd_group("bob"))
        self.assertEqual(set(held) - {1}, {0, 2})
        self.assertRegex(held[0], r"^/var/qmail/queue/mess/")
        notes.unlink()

    def test_qmail_getpw_is_qmailp(self):
        os.utime("/etc/passwd")  # or bob might be known from a moment ago
        with self.recorded("qmail-getpw") as notes:
            self.deliver("bob")
            services.wait_for_mail("bob")
            held = self.expect_noted(notes, "qmailp", "nofiles")
        for name in held.values():
            self.assertNotIn("/var/qmail/queue", name)
        services.empty_maildir("bob")

    def test_qmail_remote_is_qmailr(self):
        with self.recorded("qmail-remote", then=r"printf 'r\0Ktaken\0'") as notes:
            self.deliver("joe@foreign.example")
            held = self.expect_noted(notes, "qmailr", "qmail")
            self.log.wait_for(r"delivery \d+: success: taken")
        self.assertRegex(held.pop(0), r"^/var/qmail/queue/mess/")
        self.assertLessEqual(set(held), {1, 2})


def pwd_group(user):
    return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name


def program_headers(path):
    """The types of an ELF file's program headers: 2 is dynamic, 3 an interpreter."""
    data = path.read_bytes()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return {struct.unpack_from("<I", data, offset + i * size)[0] for i in range(count)}


class Binaries(unittest.TestCase):
    def test_nothing_but_qmail_queue_is_setuid(self):
        found = {}
        for top in ("/var/qmail", "/etc/service"):
            for path in pathlib.Path(top).rglob("*"):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode) and status.st_mode & (stat.S_ISUID | stat.S_ISGID):
                    found[str(path)] = (oct(status.st_mode & 0o7777), status.st_uid)
        self.assertEqual(found, {"/var/qmail/bin/qmail-queue": ("0o4711", uid("qmailq"))})

    def test_programs_with_privilege_link_neither_openssl_nor_a_resolver(self):
        # Static, so that what is linked is in the file; the words are in any that has the code.
        for name in ("qmail-queue", "qmail-start", "qmail-lspawn"):
            path = HOME / "bin" / name
            self.assertNotIn(3, program_headers(path), f"{name} asks for a dynamic linker")
            data = path.read_bytes()
            for word in (b"OpenSSL", b"/etc/resolv.conf", b"libnss_", b"libcrypto",
                         b"dlopen: "):
                self.assertFalse(word in data, f"{word} in {name}")

    def test_those_words_are_found_where_there_is_such_code(self):
        # Else the test above would find nothing wrong with anything.
        self.assertIn(3, program_headers(HOME / "bin/tcp-env"))
        libraries = pathlib.Path("/lib/x86_64-linux-gnu")
        self.assertIn(b"/etc/resolv.conf", (libraries / "libc.so.6").read_bytes())
        self.assertIn(b"OpenSSL", (libraries / "libcrypto.so.3").read_bytes())

    def test_programs_on_a_messages_path_are_static_where_they_need_no_name_service(self):
        for name in ("qmail-queue", "qmail-clean", "qmail-send", "qmail-lspawn", "qmail-rspawn",
                     "qmail-local", "qmail-smtpd"):
            self.assertNotIn(3, program_headers(HOME / "bin" / name), name)

    def test_nobody_else_can_start_the_programs_that_need_root(self):
        for name in ("qmail-start", "qmail-lspawn"):
            status = (HOME / "bin" / name).stat()
            self.assertEqual((status.st_uid, oct(status.st_mode & 0o7777)), (0, "0o700"))


if __name__ == "__main__":
    unittest.main()
