# The bench's own parts: what it reads from other programs, what it makes of figures, and that each
# server it knows can be set up and asked. No test looks at how long anything took.
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from bench import arrivals, counters, disk, flame, load, plot, report, servers, sink, stacks, statistics
from world import linux  # bench says where it is

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("POSTERN_BUILD", "build/release")


class Parsers(unittest.TestCase):
    def test_counts_of_perf_are_added_up_by_what_they_mean(self):
        output = ("# started on Wed\n\n"
                  "468;;raw_syscalls:sys_enter;bench/postern;100;100.00;;\n"
                  "3;;syscalls:sys_enter_fsync;bench/postern;1;100.00;;\n"
                  "4;;syscalls:sys_enter_fdatasync;bench/postern;1;100.00;;\n"
                  "1;;syscalls:sys_enter_syncfs;bench/postern;1;100.00;;\n"
                  "<not supported>;;page-faults;bench/postern;0;100.00;;\n")
        self.assertEqual(counters.parse_counts(output), {"system calls": 468, "syncs": 8})

    def test_what_the_sink_notes_is_counted_by_the_whole_line(self):
        noted = (b"X-Mail-Args: <load@client.example>\n"
                 b"X-Rcpt-Args: <a@sink.example>\nX-Rcpt-Args: <b@sink.example>\n")
        self.assertEqual(sink.count_in(noted, sink.MESSAGE), (1, len(noted)))
        self.assertEqual(sink.count_in(noted, sink.RECIPIENT), (2, len(noted)))
        self.assertEqual(sink.count_in(noted + b"X-Rcpt-Args: ", sink.RECIPIENT), (2, len(noted)),
                         "a line that is cut off comes again with its end")


class Figures(unittest.TestCase):
    FIGURES = {
        "when": "2026-01-01T00:00:00", "amounts": {"messages": 10}, "rounds": 3, "disk": "ext4 of its own",
        "machine": {"kernel": "6.1", "processors": 2, "load_average_before": [0.1, 0.2, 0.3]},
        "servers": {"postern": {"title": "Postern", "version": "1"},
                    "postfix": {"title": "Postfix & co", "version": "3"}},
        "results": {"smtp": {
            "postern": {"rounds": [{"messages/s": rate, "CPU ms a message": 1.5} for rate in (30, 60, 40)],
                        "counts": {"system calls": 201.4, "forks": 2.04}},
            "postfix": {"rounds": [{"messages/s": rate, "CPU ms a message": 2.5} for rate in (20, 10, 50)],
                        "counts": {"system calls": 99.94}}}}}

    def test_medians_stand_with_their_range(self):
        self.assertEqual(statistics.spread([3, 1, 100]), statistics.Spread(3, 1, 100))
        with self.assertRaises(ValueError):
            statistics.spread([])

    def test_a_percentile_is_a_value_that_was_measured(self):
        self.assertEqual(statistics.percentile(range(1, 201), 99), 198)
        self.assertEqual(statistics.percentile([5, 1, 3], 50), 3)
        self.assertEqual(statistics.percentile([7], 99), 7)
        with self.assertRaises(ValueError):
            statistics.percentile([], 50)

    def test_the_ratio_is_to_the_best_of_the_others(self):
        self.assertEqual(statistics.ratio_to_best({"us": 3, "a": 2, "b": 6}, "us"), 0.5)
        self.assertEqual(statistics.ratio_to_best({"us": 3, "a": 2, "b": 6}, "us", False), 1.5)
        self.assertIsNone(statistics.ratio_to_best({"us": 3}, "us"))

    def test_the_report_has_a_row_for_each_figure(self):
        lines = report.format_report(self.FIGURES).splitlines()
        self.assertIn("| messages/s | 40.00 (30.00–60.00) | 20.00 (10.00–50.00) |", lines)
        self.assertIn("| CPU ms a message | 1.50 (1.50–1.50) | 2.50 (2.50–2.50) |", lines)
        self.assertIn("| system calls a message | 201 | 99.9 |", lines)
        self.assertIn("| forks a message | 2.0 | ? |", lines)
        self.assertIn("Postern by the best other: 2.00.", lines)

    def test_a_server_that_cannot_do_it_has_na_and_the_reason(self):
        results = self.FIGURES["results"]["smtp"] | {"exim": {"rounds": [], "counts": {},
                                                              "unable": "it is closed today"}}
        figures = self.FIGURES | {"results": {"smtp": results}}
        figures["servers"] = figures["servers"] | {"exim": {"title": "Exim", "version": "4"}}
        lines = report.format_report(figures).splitlines()
        self.assertIn("| messages/s | 40.00 (30.00–60.00) | 20.00 (10.00–50.00) | n/a |", lines)
        self.assertIn("| forks a message | 2.0 | ? | n/a |", lines)
        self.assertIn("Exim: n/a, it is closed today.", lines)
        self.assertIn("Postern by the best other: 2.00.", lines)
        self.assertNotIn("Exim", plot.draw(figures))

    def test_the_plot_is_svg_with_a_bar_for_each_server(self):
        root = xml.etree.ElementTree.fromstring(plot.draw(self.FIGURES))
        name = "{http://www.w3.org/2000/svg}"
        bars = [float(bar.get("width")) for bar in root.findall(f"{name}rect")[1:]]
        self.assertEqual(bars[0], 2 * bars[1])
        self.assertIn("Postfix & co", [text.text for text in root.findall(f"{name}text")])


class Flames(unittest.TestCase):
    SAMPLES = """qmail-queue
\tffffffff8225fd19 pvm_irq_enable
\tffffffff8170d59e ext4_sync_file
\tffffffff8160d59e do_fsync
\tffffffff8160d111 __x64_sys_fsync
\tffffffff8100d111 do_syscall_64
\tffffffff8100d001 entry_SYSCALL_64_after_hwframe
\t          44f19e fsync
\t               7 [unknown]

qmail-queue
\t          401234 postern::Text<char, 2>::feed
\t               7 [unknown]

qmail-queue
\t          401234 postern::Text<char, 2>::feed

qmail-smtpd
\tffffffff8160d59e link_path_walk.part.0.constprop.0
\tffffffff81601111 do_unlinkat
\tffffffff81601000 __x64_sys_unlink
\tffffffff8100d111 do_syscall_64

qmail-smtpd

qmail-smtpd
\tffffffff82000019 finish_task_switch.isra.0
\tffffffff82000010 __schedule
\tffffffff81700010 anon_pipe_read
\tffffffff81600010 ksys_read

"""
    FOLDED = {"qmail-queue;syncs;__x64_sys_fsync;do_fsync;ext4_sync_file": 1,
              "qmail-queue;own code;postern::Text<char, 2>::feed": 2,
              "qmail-smtpd;file names;__x64_sys_unlink;do_unlinkat;link_path_walk": 1,
              "qmail-smtpd;not known;nothing": 1,
              "qmail-smtpd;scheduling;ksys_read;anon_pipe_read;__schedule;finish_task_switch": 1}

    def test_samples_are_counted_by_program_kind_and_functions(self):
        self.assertEqual(stacks.fold(self.SAMPLES.splitlines(keepends=True)), self.FOLDED)
        self.assertEqual(stacks.fold(self.SAMPLES.rstrip().splitlines()), self.FOLDED, "no last line")
        self.assertEqual(stacks.fold([]), {})

    def test_the_kind_is_what_the_time_was_for(self):
        for seen, kind in (("__x64_sys_execve;load_elf_binary;exc_page_fault", "starting programs"),
                           ("user;__libc_setup_tls", "starting programs"),
                           ("__x64_sys_fsync;do_fsync;io_schedule;__schedule", "syncs"),
                           ("__x64_sys_sendto;tcp_sendmsg;tcp_ack", "network"),
                           ("user;__libc_poll", "kernel entry"), ("kernel", "kernel entry"),
                           ("user;postern::read_some", "own code"), ("user;malloc", "own code"),
                           ("ksys_write;vfs_write;ext4_buffered_write_iter", "other calls")):
            address = f"{0x401000 if seen.startswith('user;') else 0xffffffff81000000:x}"
            lines = [f"\t{address} {name}\n" for name in reversed(seen.removeprefix("user;").split(";"))
                     if name != "kernel"] or ["\tffffffff8100d111 do_syscall_64\n"]
            self.assertEqual([stack.split(";")[1] for stack in stacks.fold(["x \n", *lines])], [kind])

    def test_frames_lie_within_the_one_they_stand_on_and_fill_it(self):
        frames = list(flame.layout(self.FOLDED))
        for frame in frames:
            above = [one for one in frames if one.names[:-1] == frame.names]
            if above:  # no stack of these ends below another one's end
                self.assertEqual(sum(one.samples for one in above), frame.samples)
                self.assertEqual(min(one.before for one in above), frame.before)
        programs = [(frame.names[0], frame.before, frame.samples) for frame in frames
                    if len(frame.names) == 1]
        self.assertEqual(programs, [("qmail-queue", 0, 3), ("qmail-smtpd", 3, 3)])

    def test_the_picture_is_svg_with_a_rectangle_and_a_title_for_each_frame(self):
        root = xml.etree.ElementTree.fromstring(flame.draw(self.FOLDED, "this & that"))
        name = "{http://www.w3.org/2000/svg}"
        frames = {group.find(f"{name}title").text: group.find(f"{name}rect")
                  for group in root.findall(f"{name}g")}
        self.assertIn("postern::Text<char, 2>::feed 33.3%", frames)
        self.assertIn("fsync 16.7%", frames, "the system call as people call it")
        width = {title: float(frame.get("width")) for title, frame in frames.items()}
        self.assertEqual(width["qmail-queue 50.0%"] + width["qmail-smtpd 50.0%"], float(root.get("width")))
        self.assertEqual(width["own code 33.3%"] + width["syncs 16.7%"], width["qmail-queue 50.0%"])
        self.assertIn("this & that", [text.text for text in root.findall(f"{name}text")])

    def test_what_is_too_narrow_to_see_is_left_out_and_counted(self):
        folded = {"long;own code;f": 9_990, "short;own code;g": 10}
        self.assertNotIn("short", flame.draw(folded, ""))
        lines = flame.format_shares(folded).splitlines()
        self.assertIn("| percent of processor time | all | long | others |", lines)
        self.assertIn("| own code | 100.0 | 99.9 | 0.1 |", lines)
        self.assertIn("| together | 100.0 | 99.9 | 0.1 |", lines)


class Groups(unittest.TestCase):
    def test_processes_are_told_by_their_names_and_what_they_have_mapped(self):
        with tempfile.TemporaryDirectory() as directory:
            group = counters.Group(pathlib.Path(directory))
            pathlib.Path(directory, "cgroup.procs").write_text(f"{os.getpid()}\n")
            self.assertIn(os.path.realpath(sys.executable), group.mapped_files())
            name = pathlib.Path("/proc/self/comm").read_text().strip()
            self.assertGreater(group.memory()[name], 1_000_000)  # an interpreter has more
            pathlib.Path(directory, "cgroup.procs").write_text("999999999\n")  # it has ended
            self.assertEqual(group.mapped_files(), set())
            self.assertEqual(group.memory().total(), 0)

    def test_the_end_of_a_bench_leaves_the_groups_of_another_that_has_just_made_them(self):
        with tempfile.TemporaryDirectory() as directory:
            ours, theirs = disk.Disk("tmpfs", directory), disk.Disk("tmpfs", directory)
            ours.groups = theirs.groups = pathlib.Path(directory, "groups")
            group = ours.make_group("postfix")
            other = theirs.make_group("postern")
            ours.remove_groups()
            self.assertFalse(group.exists())
            self.assertTrue(other.exists())
            theirs.remove_groups()
            self.assertFalse(theirs.groups.exists())


class Arrivals(unittest.TestCase):
    def test_a_name_is_noted_whether_a_file_was_made_or_moved_there(self):
        with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as other:
            watch = linux.watch_directory(directory, linux.IN_CREATE | linux.IN_MOVED_TO)
            self.addCleanup(os.close, watch)
            moved = pathlib.Path(other, "moved.with-a-longer-name")
            moved.touch()
            moved.rename(pathlib.Path(directory, moved.name))
            pathlib.Path(directory, "made").touch()
            pathlib.Path(directory, "made").unlink()
            self.assertEqual(list(arrivals.names(os.read(watch, 4096))), [moved.name, "made"])


class Loads(unittest.TestCase):
    def test_what_is_divided_is_divided_whole(self):
        self.assertEqual(load.shares(20, 3), [7, 7, 6])
        self.assertEqual(sum(load.shares(2, 8)), 2)

    def test_sessions_begin_anew_where_a_server_limits_them(self):
        def amounts(wanted, most):
            return [turn.messages for turn in load.turns(wanted, most)]

        self.assertEqual(amounts(load.Load(4500, sessions=20, reuse=True), 100), [2000, 2000, 500])
        self.assertEqual(amounts(load.Load(2000, sessions=20, reuse=True), 100), [2000])
        self.assertEqual(amounts(load.Load(3, sessions=1, reuse=True), 1), [1, 1, 1])
        self.assertEqual(amounts(load.Load(2500, sessions=20, reuse=True), None), [2500])
        self.assertEqual(amounts(load.Load(2500, sessions=20), 100), [2500])


# Each way that messages come, and each that they go; the other workloads are made of the same, but
# for "restart", which takes longer than all of these.
_TINY = ("--rounds", "1", "--messages", "4", "--recipients", "4", "--logins", "4",
         "--connections", "2", "--workloads",
         "memory,many-remote,many-local,latency,logins")
_UNABLE = {"logins": {"postfix", "opensmtpd", "qmail"}}


class Servers(unittest.TestCase):
    def test_each_takes_a_handful_of_messages_and_is_measured(self):
        with tempfile.TemporaryDirectory(dir="build") as directory:
            home = _install_a_qmail(pathlib.Path(directory).resolve())
            result = subprocess.run(
                [REPOSITORY / "scripts/bench", *_TINY, "--no-counts", "--fs", "tmpfs",
                 "--qmail-home", home, "--build", BUILD, "--output", directory],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stdout)
            figures = json.loads(pathlib.Path(directory, "bench.json").read_text())
        for workload, results in figures["results"].items():
            self.assertEqual(set(results), {"qmail", *(server.name for server in servers.ALL)})
            unable = {server for server, measured in results.items() if "unable" in measured}
            self.assertEqual(unable, _UNABLE.get(workload, set()), workload)
            for server in set(results) - unable:
                measured = results[server]
                for what, value in measured["rounds"][0].items():
                    self.assertGreater(value, 0, (workload, server, what))
        for server, measured in figures["results"]["memory"].items():
            everybody = measured["rounds"][0]["MB idle"]
            its_own = measured["rounds"][0]["MB idle, without supervision and loggers"]
            if server == "postern":  # that of the others is the system's
                self.assertLess(its_own, everybody)
            else:
                self.assertEqual(its_own, everybody, server)


def _install_a_qmail(directory):
    """An installation like somebody's qmail: Postern's programs, without what starts them."""
    build = pathlib.Path(BUILD).resolve()
    script = (f"scripts/install --quiet --partial --build {build} && "
              f"cp -a /var/qmail {directory} && cd {directory}/qmail && rm -r rc supervise")
    subprocess.run(["scripts/world", "--no-suite", "--share", build, "--share", directory, "--",
                    "sh", "-c", script], cwd=REPOSITORY, check=True)
    return directory / "qmail"


if __name__ == "__main__":
    unittest.main()
