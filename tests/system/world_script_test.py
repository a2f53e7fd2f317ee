# scripts/world as a command: its options, its exit status, and that it leaves no trace. These
# worlds are made inside a world, so that a failure cannot harm the real machine.
# world: --no-suite
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

from support import hosts
from support.case import WorldTest
from support.wait import wait_until

WORLD = hosts.REPOSITORY / "scripts/world"


def world(*arguments, **options):
    return subprocess.run([WORLD, *map(str, arguments)], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          **({"stdin": subprocess.DEVNULL} | options))


def setUpModule():
    result = world("--no-suite", "--", "true")
    if "overlay" in result.stderr:  # three file systems on top of one another are too many
        raise unittest.SkipTest(f"no world inside a world here: {result.stderr}")


class Command(WorldTest):
    def test_status_output_and_input_pass_through(self):
        result = world("--no-suite", "--", "sh", "-c", "cat; echo err >&2; exit 42",
                       stdin=None, input="typed")
        self.assertEqual((result.returncode, result.stdout, result.stderr), (42, "typed", "err\n"))

    def test_killed_by_a_signal_is_128_and_its_number(self):
        self.assertEqual(world("--no-suite", "--", "sh", "-c", "kill -9 $$").returncode, 137)

    def test_that_does_not_exist_is_127(self):
        result = world("--no-suite", "--", "no-such-command")
        self.assertEqual(result.returncode, 127)
        self.assertEqual(result.stderr,
                         "scripts/world: no-such-command: No such file or directory\n")

    def test_options_of_the_command_are_its_own(self):
        self.assertEqual(world("--no-suite", "--", "echo", "--", "--host").stdout, "-- --host\n")

    def test_without_one_a_shell_reads_standard_input(self):
        result = world("--no-suite", stdin=None, input="hostname\nexit 5\n")
        self.assertEqual((result.returncode, result.stdout), (5, "mail.example.org\n"))

    def test_runs_where_the_caller_stands_in_the_repository(self):
        self.assertEqual(world("--no-suite", "--", "pwd", cwd=hosts.REPOSITORY / "tests").stdout,
                         f"{hosts.REPOSITORY}/tests\n")
        self.assertEqual(world("--no-suite", "--", "pwd", cwd="/tmp").stdout, "/root\n")


class Options(WorldTest):
    def refused(self, *arguments, saying):
        result = world(*arguments, "--", "echo", "ran")
        self.assertNotEqual(result.returncode, 0)
        self.assertEqual(result.stdout, "")
        self.assertIn(saying, result.stderr)

    def test_wrong_ones_are_explained(self):
        self.refused("--hots", "a.example.net", saying="--hots")
        self.refused("--host", saying="expected one argument")
        self.refused("--no-suite", "--host", "nodomain", saying="not a host name with a domain")
        self.refused("--no-suite", "--host", "mail.example.org", saying="such a host already")
        self.refused("--no-suite", "--zone", "/no/such", saying="no such file")
        self.refused("--no-suite", "--share", "/no/such", saying="no such directory")
        self.refused("--no-suite", "--env", "novalue", saying="expected NAME=VALUE")
        self.refused("--build", "/no/such", saying="build them first")

    def test_a_command_without_dashes_is_not_run(self):
        result = world("--no-suite", "echo", "ran")
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("comes after --", result.stderr)

    def test_each_is_documented(self):
        text = world("--help").stdout
        for option in ("--host", "--bare-host", "--zone", "--build", "--no-suite", "--partial",
                       "--orderly", "--share", "--queue-dir", "--env"):
            self.assertIn(f"\n  {option}", text)

    def test_zone_files_replace_automatic_records_and_name_their_errors(self):
        zone = self.write_file("/root/zone", "$ORIGIN example.org.\n@ MX 5 other\n"
                                             "other 300 A 192.0.2.99\n")
        result = world("--no-suite", "--zone", zone, "--", "dig", "+short", "MX", "example.org")
        self.assertEqual(result.stdout, "5 other.example.org.\n")
        zone.write_text("example.org MX ten mail\n")
        result = world("--no-suite", "--zone", zone, "--", "true")
        self.assertEqual(result.returncode, 125)
        self.assertIn(f"{zone}: ", result.stderr)

    def test_a_shared_directory_can_be_written_to(self):
        with tempfile.TemporaryDirectory(dir="/root") as shared:
            world("--no-suite", "--share", shared, "--", "touch", f"{shared}/result")
            self.assertEqual(os.listdir(shared), ["result"])

    def test_a_queue_directory_outlives_the_world(self):
        with tempfile.TemporaryDirectory(dir="/root") as kept:
            for _ in range(2):
                result = world("--no-suite", "--queue-dir", kept, "--",
                               "sh", "-c", "echo x >> /var/qmail/file")
                self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(pathlib.Path(kept, "file").read_text(), "x\nx\n")

    def test_environment_variables_reach_the_command(self):
        self.assertEqual(world("--no-suite", "--env", "A=b c", "--", "printenv", "A").stdout,
                         "b c\n")

    def test_the_callers_environment_does_not(self):
        result = world("--no-suite", "--", "sh", "-c", "echo ${SECRET-unset}",
                       env=os.environ | {"SECRET": "known"})
        self.assertEqual(result.stdout, "unset\n")


def trace():
    """Whatever a world might leave behind on its machine."""
    interfaces = hosts.on(hosts.MAIN, "ip", "-oneline", "link").stdout
    files = hosts.on(hosts.MAIN, "find", "/tmp", "/var/tmp", "/run", "/mnt", "/home", "/var/qmail",
                     "/etc", "/dev", "-xdev", "-newer", "/root/before").stdout
    mounts = pathlib.Path("/proc/self/mounts").read_text()
    return mounts, interfaces, files, len(hosts.on(hosts.MAIN, "ps", "-e").stdout.split("\n"))


class NoTrace(WorldTest):
    def setUp(self):
        super().setUp()
        self.write_file("/root/before", "")
        self.before = trace()

    def start(self, *arguments):
        process = subprocess.Popen([WORLD, "--no-suite", *arguments, "--", "sh", "-c",
                                    "echo up; exec sleep 1000"],
                                   text=True, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), "up\n")
        return process

    def test_after_the_command_has_ended(self):
        world("--no-suite", "--host", "mx2.example.net", "--", "sh", "-c",
              "touch /etc/made /var/qmail/made /tmp/made; setsid sleep 1000 &")
        self.assertEqual(trace(), self.before)

    def test_after_the_script_was_killed(self):
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP):
            process = self.start("--host", "mx2.example.net")
            self.assertNotEqual(trace()[3], self.before[3])
            process.send_signal(number)
            process.wait()
            wait_until(lambda: trace() == self.before, f"everything to end after {number.name}")

    def test_and_worlds_do_not_see_one_another(self):
        first, second = self.start(), self.start()
        result = world("--no-suite", "--", "pgrep", "-c", "sleep")
        self.assertEqual(result.stdout, "0\n")
        for process in (first, second):
            process.kill()
            process.wait()
        wait_until(lambda: trace() == self.before, "everything to end")


class Terminal(WorldTest):
    def test_a_shell_says_where_it_is_and_controls_its_jobs(self):
        session = subprocess.run(["script", "-qec", f"{WORLD} --no-suite", "/dev/null"], text=True,
                                 input="sleep 1000 &\njobs\nkill %1; wait; exit 9\n",
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        self.assertEqual(session.returncode, 9)
        self.assertIn("[mail.example.org world] /root #", session.stdout)
        self.assertRegex(session.stdout, r"\[1\]\+  Running +sleep 1000")
        self.assertNotIn("no job control", session.stdout)


if __name__ == "__main__":
    unittest.main()
