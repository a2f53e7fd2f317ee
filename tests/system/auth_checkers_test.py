# The checkers on the real user database: checkpassword as root for alice, bob and carol,
# checkmailuser as root and as qmaild, and qmail-newmailusers, which makes its file.
import grp
import os
import pathlib
import pwd
import stat
import subprocess
import unittest

from support import hosts
from support.case import WorldTest

BIN = pathlib.Path("/var/qmail/bin")
TEXT = pathlib.Path("/var/qmail/users/mailusers")
COMPILED = pathlib.Path("/var/qmail/users/mailusers.cdb")
CHALLENGE = "<1896.697170952@postoffice.reston.mci.net>"
DIGEST = "b913a602c7eda7a495b4e6e7334d3890"  # of tanstaaftanstaaf
WHO = ("sh", "-c", 'echo $(id -un) $(id -gn) "$(id -Gn)" $PWD $USER $HOME $SHELL; '
                   "if test -e /dev/fd/3; then echo 3 is open; fi")


def check(checker, *fields, user=None, subprogram=WHO, limit=None, directory="/"):
    """Runs a checker with these fields on its descriptor 3."""
    credentials = "".join(f"{field}\0" for field in fields).encode()
    reading, writing = os.pipe()
    os.write(writing, credentials)
    os.close(writing)
    command = [str(BIN / checker), *subprogram]
    if user:
        command = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}",
                   "--clear-groups", *command]
    if limit:
        command = ["softlimit", "-m", str(limit), *command]
    environment = {"PATH": "/usr/bin:/bin", "USER": "caller", "HOME": "/caller", "SHELL": "/caller"}
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, text=True, cwd=directory,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
                              preexec_fn=lambda: os.dup2(reading, 3), pass_fds=(3,), check=False)
    finally:
        os.close(reading)


class CheckerTest(WorldTest):
    def assert_enters(self, who, result):
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, who + "\n", ""))

    def assert_refuses(self, result, status=1, saying=""):
        self.assertEqual((result.returncode, result.stdout), (status, ""))
        self.assertRegex(result.stderr, saying or "^$")


class Checkpassword(CheckerTest):
    def change(self, *command):
        """Changes the user database for this test."""
        path = pathlib.Path("/etc/shadow")
        self.addCleanup(path.write_text, path.read_text())
        hosts.on(hosts.MAIN, *command)

    def test_lets_people_in_as_themselves(self):
        # Two have SHA-512 hashes, carol's is yescrypt.
        for name in ("alice", "bob", "carol"):
            result = check("checkpassword", name, f"{name}-password", "")
            self.assert_enters(f"{name} {name} {name} /home/{name} {name} /home/{name} /bin/bash",
                               result)

    def test_takes_the_timestamp_or_leaves_it(self):
        for more in ((), ("",), ("<1.2@mail.example.org>",), ("<1.2@mail.example.org>", "more")):
            self.assertEqual(check("checkpassword", "alice", "alice-password", *more).returncode, 0)

    def test_refuses_everything_else_in_the_same_way(self):
        for fields in (("alice", "alice-passwor"), ("alice", ""), ("Alice", "alice-password"),
                       ("nobody-here", "alice-password"), ("", ""), ("daemon", ""), ("daemon", "*"),
                       ("alice", DIGEST, CHALLENGE), ("alice", CHALLENGE, DIGEST)):
            self.assert_refuses(check("checkpassword", *fields))

    def test_gives_the_supplementary_groups(self):
        path = pathlib.Path("/etc/group")
        self.addCleanup(path.write_text, path.read_text())
        hosts.on(hosts.MAIN, "usermod", "-aG", "staff", "alice")
        self.assertIn(" alice staff /home", check("checkpassword", "alice", "alice-password").stdout)

    def test_keeps_root_out(self):
        hash_of_root = hosts.on(hosts.MAIN, "openssl", "passwd", "-6", "root-password").stdout
        self.change("usermod", "-p", hash_of_root.strip(), "root")
        self.assert_refuses(check("checkpassword", "root", "wrong"))
        self.assert_refuses(check("checkpassword", "root", "root-password"),
                            saying="^checkpassword: fatal: root is root")

    def test_keeps_locked_accounts_out(self):
        self.change("usermod", "-L", "alice")
        self.assert_refuses(check("checkpassword", "alice", "alice-password"))

    def test_keeps_expired_accounts_out(self):
        self.change("chage", "-E", "2020-01-01", "alice")
        self.assert_refuses(check("checkpassword", "alice", "wrong"))
        self.assert_refuses(check("checkpassword", "alice", "alice-password"),
                            saying="alice: the account has expired")

    def test_keeps_expired_passwords_out(self):
        self.change("chage", "-d", "0", "alice")
        self.assert_refuses(check("checkpassword", "alice", "alice-password"),
                            saying="alice: the password has expired")

    def test_cannot_tell_without_the_shadow_file(self):
        self.assert_refuses(check("checkpassword", "alice", "alice-password", user="qmaild"), 111,
                            "/etc/shadow: Permission denied")

    def test_cannot_tell_without_the_home(self):
        os.rename("/home/bob", "/home/gone")
        self.addCleanup(os.rename, "/home/gone", "/home/bob")
        self.assert_refuses(check("checkpassword", "bob", "bob-password"), 111, "/home/bob")

    def test_cannot_tell_without_memory(self):
        # yescrypt takes 16 MB; SHA-512 does with next to nothing.
        yescrypt = check("checkpassword", "carol", "carol-password", limit=8_000_000)
        self.assert_refuses(yescrypt, 111, r"gives up on a \$y\$ hash: .* memory limit is too low")
        self.assertEqual(check("checkpassword", "bob", "bob-password", subprogram=["true"],
                               limit=4_000_000).returncode, 0)

    def test_says_when_it_is_misused(self):
        self.assert_refuses(check("checkpassword", "alice"), 2, "missing on descriptor 3")
        self.assert_refuses(check("checkpassword", "alice", "x", subprogram=()), 2, "usage")
        self.assert_refuses(check("checkpassword", "alice", "alice-password",
                                  subprogram=["/no/such"]), 111, "unable to run /no/such")
        self.assert_refuses(check("checkpassword", "alice", "x" * 600))

    def test_is_static_but_for_the_c_library(self):
        libraries = hosts.on(hosts.MAIN, "ldd", BIN / "checkpassword").stdout
        for name in ("libcrypto", "libssl", "libpam", "libresolv"):
            self.assertNotIn(name, libraries)


class MailUsers(CheckerTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(COMPILED.unlink, missing_ok=True)

    def make(self, text):
        self.write_file(TEXT, text, mode=0o600)
        return subprocess.run([BIN / "qmail-newmailusers"], text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def make_people(self):
        hashes = {option: hosts.on(hosts.MAIN, "openssl", "passwd", option, "ann-password").stdout
                  for option in ("-6", "-5", "-1")}
        yescrypt = pathlib.Path("/etc/shadow").read_text().split("\ncarol:")[1].split(":")[0]
        made = self.make("# people\n\n"
                         "tim@example.org:{PLAIN}tanstaaftanstaaf:alice:/home/alice\n"
                         "odd@example.org:{PLAIN}a:b c:alice:/home/alice\n"
                         f"ann@example.org:{{CRYPT}}{hashes['-6'].strip()}:bob:/home/bob\n"
                         f"ann5@example.org:{{CRYPT}}{hashes['-5'].strip()}:bob:/home/bob\n"
                         f"ann1@example.org:{{CRYPT}}{hashes['-1'].strip()}:bob:/home/bob\n"
                         f"carol@example.org:{{CRYPT}}{yescrypt}:bob:/home/bob\n")
        self.assertEqual((made.returncode, made.stderr), (0, ""))

    def test_the_compiled_file_is_for_the_checker_alone(self):
        self.make_people()
        found = COMPILED.stat()
        self.assertEqual((COMPILED.owner(), COMPILED.group(), oct(stat.S_IMODE(found.st_mode))),
                         ("qmaild", "nofiles", "0o400"))
        self.assertEqual(sorted(os.listdir(COMPILED.parent)), ["mailusers", "mailusers.cdb"])
        self.assertEqual(hosts.on(hosts.MAIN, hosts.REPOSITORY / "scripts/install", "--check",
                                  check=False).stdout.count("mailusers"), 0)

    def test_root_enters_the_account(self):
        self.make_people()
        self.assert_enters("alice alice alice /home/alice tim@example.org /home/alice /bin/sh",
                           check("checkmailuser", "TIM@Example.ORG", "tanstaaftanstaaf", ""))
        self.assert_enters("bob bob bob /home/bob ann@example.org /home/bob /bin/sh",
                           check("checkmailuser", "ann@example.org", "ann-password"))

    def test_qmaild_only_learns_that_the_password_is_right(self):
        self.make_people()
        self.assert_enters("qmaild nofiles nofiles /tmp caller /caller /caller",
                           check("checkmailuser", "tim@example.org", "tanstaaftanstaaf", "",
                                 user="qmaild", directory="/tmp"))

    def test_the_accounts_own_user_goes_to_its_home(self):
        self.make_people()
        os.chown(COMPILED, pwd.getpwnam("alice").pw_uid, grp.getgrnam("alice").gr_gid)
        self.assert_enters("alice alice alice /home/alice tim@example.org /home/alice /bin/sh",
                           check("checkmailuser", "tim@example.org", "tanstaaftanstaaf",
                                 user="alice"))

    def test_every_kind_of_secret_and_challenge(self):
        self.make_people()
        right = [("odd@example.org", "a:b c"), ("ann5@example.org", "ann-password"),
                 ("ann1@example.org", "ann-password"), ("carol@example.org", "carol-password"),
                 ("tim@example.org", CHALLENGE, DIGEST), ("tim@example.org", DIGEST, CHALLENGE),
                 ("tim@example.org", "tanstaaftanstaaf", "<1.2@host>")]
        wrong = [("odd@example.org", "a:b"), ("ann@example.org", "ann-passwore"),
                 ("tim@example.org", "<1.2@host>", DIGEST), ("tim@example.org", DIGEST),
                 ("tim@example.org", CHALLENGE, "tanstaaftanstaaf"),
                 ("ann@example.org", CHALLENGE, DIGEST), ("nobody@example.org", DIGEST, CHALLENGE),
                 ("nobody@example.org", "ann-password"), ("alice", "alice-password"), ("", "")]
        for fields in right:
            result = check("checkmailuser", *fields, user="qmaild", subprogram=["/bin/true"])
            self.assertEqual((result.returncode, result.stderr), (0, ""), fields)
        for fields in wrong:
            self.assert_refuses(check("checkmailuser", *fields, user="qmaild"))

    def test_fits_into_the_memory_that_run_scripts_give(self):
        self.make_people()
        for fields in (("tim@example.org", CHALLENGE, DIGEST), ("ann@example.org", "ann-password")):
            for limit in (4_000_000, 8_000_000):
                result = check("checkmailuser", *fields, user="qmaild", limit=limit,
                               subprogram=["/bin/true"])
                self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_cannot_tell_without_the_file_or_the_right_to_read_it(self):
        self.assert_refuses(check("checkmailuser", "a@b", "c", user="qmaild"), 111,
                            "make it with qmail-newmailusers")
        self.make_people()
        self.assert_refuses(check("checkmailuser", "a@b", "c", user="alice"), 111,
                            "Permission denied")

    def test_a_bad_line_leaves_the_accounts_as_they_were(self):
        self.make_people()
        before = COMPILED.read_bytes()
        made = self.make("a@b:{PLAIN}c:alice:/home/alice\nrubbish\n")
        self.assertEqual((made.returncode, made.stderr), (
            111, 'qmail-newmailusers: fatal: users/mailusers line 2: too few fields after "": '
                 "write address:secret:system-user:home\n"))
        self.assertEqual(COMPILED.read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
