# Power cuts while the suite runs (tests/fault/power_cut): nothing accepted is lost, the test would
# see it if something were, and an interrupted run leaves nothing on the machine. Needs root.
import os
import pathlib
import signal
import subprocess
import unittest

from support.wait import wait_until

POWER_CUT = pathlib.Path(__file__).with_name("power_cut")
BUILD = ["--build", os.environ.get("POSTERN_BUILD", "build/release")]
CUTS = "4"  # of each file system
PATIENCE = 120


def power_cut(*arguments):
    return subprocess.run([POWER_CUT, *BUILD, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def loop_devices_of(seed):
    """Loop devices that show the image of a run, which has its seed for a name."""
    found = []
    for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found += [path] * path.read_text(encoding="utf-8").strip().endswith(f".{seed}")
        except OSError:
            pass  # detached meanwhile
    return found


class PowerCut(unittest.TestCase):
    def test_nothing_accepted_is_lost(self):
        result = power_cut("--cuts", CUTS)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(result.stdout.count(f" {CUTS} cuts in "), 3, result.stdout)

    def test_mail_is_lost_where_queueing_does_not_sync(self):
        self.assert_loses_without_sync("queue", "xfs")

    def test_mail_is_lost_where_delivery_does_not_sync(self):
        self.assert_loses_without_sync("delivery", "ext4")

    def assert_loses_without_sync(self, part, kind):
        result = power_cut("--cuts", "20", "--fs", kind, "--without-sync", part)
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertIn("lost, as it must be", result.stdout)

    def test_a_killed_run_leaves_no_loop_device(self):
        seed = str(int.from_bytes(os.urandom(7), "big"))
        run = subprocess.Popen([POWER_CUT, *BUILD, "--seed", seed], stdout=subprocess.DEVNULL)
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        wait_until(lambda: loop_devices_of(seed), "the run to mount its file system", PATIENCE)
        run.send_signal(signal.SIGKILL)
        wait_until(lambda: not loop_devices_of(seed), "the loop device to be detached", PATIENCE)


if __name__ == "__main__":
    unittest.main()
