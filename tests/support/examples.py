"""Examples in the manual and in documents, found by the comments before them and run.

In a page of man/ a comment `.\\" test: VERB ARGUMENT...`, in a document `<!-- test: VERB ... -->`,
speaks of the literal block that follows, or of further comment lines where a reader need not see
them. The verbs:
  run USER [vary]           a transcript: commands after "$ " or "# ", continued after "> ", and what
                            they print; with `vary` a number, month or day name stands for any other
  file PATH [OWNER [MODE]]  the contents of a file
  control NAME              the contents of a control file
  hosts HOST                files, control files and transcripts from here on are on that host
  mail USER COUNT [HOST]    wait until so many messages are in the user's Maildir
  until COMMAND             wait until the command succeeds, as root
  do COMMAND                run it, as root; it must succeed
  reload                    qmail-send reads locals and virtualdomains again
  restart SERVICE           stops and starts a service
"""

import pathlib
import re
import subprocess

from support import hosts, services
from support.case import WorldTest
from support.wait import wait_until

# What examples change, put back after each page.
KEPT = ("/home", "/var/qmail/control", "/var/qmail/users", "/var/qmail/alias", "/etc/tcp.smtp",
        "/etc/tcp.smtp.cdb")


class Step:
    """A verb with its arguments, and the lines of its block."""

    def __init__(self, words, number):
        self.verb, *self.arguments = words
        self.number = number
        self.lines = []

    @property
    def wants_lines(self):
        return self.verb in ("run", "file", "control")


def steps_of(path):
    """The steps of a page or document."""
    text = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    return list(_document_steps(text) if path.suffix == ".md" else _page_steps(text))


def shown_file(document, path):
    """The contents that a document's recipe gives a file, for a test that runs more than it does."""
    (step,) = [step for step in steps_of(document)
               if step.verb == "file" and step.arguments[0] == str(path)]
    return "".join(f"{line}\n" for line in step.lines)


def _page_steps(text):
    step = None
    in_block = False
    for number, line in enumerate(text, 1):
        if line.startswith(r'.\" test: '):
            assert not (step and step.wants_lines and not step.lines), f"line {number}: no block"
            if step:
                yield step
            step = Step(line[len(r'.\" test: '):].split(), number)
        elif step is None:
            continue
        elif line == ".Ed" and in_block:
            in_block = False
            yield step
            step = None
        elif in_block:
            step.lines.append(_plain(line))
        elif line.startswith(".Bd -literal") and step.wants_lines and not step.lines:
            in_block = True
        elif line.startswith(r'.\" ') and step.wants_lines:
            step.lines.append(_plain(line[4:]))
    if step:
        yield step


def _plain(line):
    return line.replace(r"\&", "").replace(r"\e", "\\")


def _document_steps(text):
    step = None
    hidden = False
    for number, line in enumerate(text, 1):
        if line.startswith("<!-- test: "):
            assert not step or step.lines, f"line {number}: no block for line {step.number}"
            if step:
                yield _without_blank_end(step)
            step = Step(line[len("<!-- test: "):].removesuffix(" -->").split(), number)
            hidden = not line.endswith(" -->")
            if not hidden and not step.wants_lines:
                yield step
                step = None
        elif step is None:
            continue
        elif hidden:
            if line == "-->":
                yield step
                step, hidden = None, False
            else:
                step.lines.append(line)
        elif line.startswith("    ") or (not line and step.lines):
            step.lines.append(line[4:])
        elif step.lines:
            yield _without_blank_end(step)
            step = None
    if step:
        yield _without_blank_end(step)


def _without_blank_end(step):
    while step.lines and not step.lines[-1]:
        step.lines.pop()
    return step


def transcript(lines):
    """Pairs of a command and what it prints."""
    pairs = []
    for line in lines:
        if line.startswith(("$ ", "# ")):
            pairs.append((line[2:], []))
        elif line.startswith("> ") and not pairs[-1][1]:
            pairs[-1] = (f"{pairs[-1][0]}\n{line[2:]}", [])
        else:
            pairs[-1][1].append(line)
    return [(command, "".join(f"{line}\n" for line in output)) for command, output in pairs]


def pattern_of(text, vary):
    """A regular expression for what an example prints."""
    pattern = re.escape(text)
    if vary:
        pattern = re.sub(r"\d+", r"\\d+", pattern)
        pattern = re.sub(r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b", r"\\w{3}", pattern)
        pattern = re.sub(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b", r"\\w{3}", pattern)
    return pattern


class ExamplesTest(WorldTest):
    """Runs pages; what they change in homes and in the configuration is undone after each."""

    def setUp(self):
        super().setUp()
        self.host = hosts.MAIN
        self.reloaded = set()
        for host in hosts.names():
            self._keep(host)
            self.addCleanup(self._put_back, host)

    def run_examples(self, path):
        steps = steps_of(path)
        self.assertTrue(steps, f"{path.name} has no example that is run")
        for step in steps:
            with self.subTest(f"{path.name}, line {step.number}"):
                getattr(self, f"_{step.verb}")(step, *step.arguments)
        if self._outcome.success:
            for host in hosts.names():
                services.wait_for_empty_queue(host)

    def _run(self, step, user, *options):
        pairs = transcript(step.lines)
        self.assertTrue(pairs)
        script = "".join(f"{command}\nprintf '\\001'\n" for command, _ in pairs)
        home = "/root" if user == "root" else hosts.on(
            self.host, "getent", "passwd", user).stdout.split(":")[5]
        shell = ["su", "-s", "/bin/bash", user, "-c",
                 f"export PATH=/var/qmail/bin:$PATH; cd {home}\n{script}"]
        ended = hosts.on(self.host, *shell, check=False, stderr=subprocess.STDOUT)
        printed = ended.stdout.split("\1")
        self.assertEqual(printed.pop(), "", "the transcript ended early")
        for (command, expected), found in zip(pairs, printed, strict=True):
            if not re.fullmatch(pattern_of(expected, "vary" in options), found):
                self.assertEqual(found, expected, command)

    def _file(self, step, path, owner="root", mode="644"):
        target = hosts.files(self.host) / path.lstrip("/")
        target.write_text("".join(f"{line}\n" for line in step.lines), encoding="utf-8")
        hosts.on(self.host, "chown", f"{owner}:", path)
        hosts.on(self.host, "chmod", mode, path)

    def _control(self, step, name):
        self._file(step, f"/var/qmail/control/{name}")

    def _hosts(self, _step, name):
        self.host = name

    def _mail(self, _step, user, count, host=None):
        found = services.wait_for_mail(user, int(count), host or self.host)
        self.assertEqual(len(found), int(count))

    def _until(self, _step, *words):
        wait_until(lambda: self._shell(words, check=False).returncode == 0, " ".join(words))

    def _do(self, _step, *words):
        self._shell(words)

    def _shell(self, words, check=True):
        return hosts.on(self.host, "sh", "-c", " ".join(words), check=check)

    def _reload(self, _step):
        services.reload(self.host)
        self.reloaded.add(self.host)

    def _restart(self, _step, service):
        services.Service(service, self.host).restart()

    @staticmethod
    def _keep(host):
        paths = " ".join(path.lstrip("/") for path in KEPT)
        hosts.on(host, "sh", "-c", f"cd / && tar -cf /run/examples.tar --ignore-failed-read {paths}")

    def _put_back(self, host):
        hosts.on(host, "find", *KEPT, "-mindepth", "1", "-delete", check=False)
        hosts.on(host, "tar", "-xpf", "/run/examples.tar", "-C", "/")
        if host in self.reloaded:
            services.reload(host)
