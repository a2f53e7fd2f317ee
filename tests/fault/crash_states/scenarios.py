"""What is recorded: the real programs, with their real users and the setuid bit, in a world.

Each scenario is a shell script that strace watches with everything it starts.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess

import system_calls
from history import History
from invariant import messages_of
from support import hosts, services
from support.server import ACCEPT_MAIL, ScriptedServer
from support.wait import PATIENCE

ROOTS = ("/var/qmail", "/home")
HOME = pathlib.Path("/var/qmail")
WORK = pathlib.Path("/tmp/crash_states")
SINK_PORT = 2525

PRELUDE = f"""
cd {WORK} && PATH={HOME}/bin:$PATH
queue() {{ qmail-queue <"$1" 1<"$2"; }}
start() {{
  : >log
  env - PATH="$PATH" qmail-start ./Maildir/ >log 2>&1 &
  send=$!
}}
logged() {{ until [ "$(grep -c "$1" log)" = "$2" ]; do sleep 0.02; done; }}
stop() {{ kill "$send"; wait "$send"; }}
"""

# As after a crash that has brought todo/N back: it had been taken out once, when a recipient's
# domain was not local yet.
MOVED = """
queue message to_carol_elsewhere
number=$(ls queue/todo) split=$(($(ls queue/todo) % 23))
printf 'Fbob@example.org\\0' >queue/info/$split/$number
printf 'Tcarol@elsewhere.example\\0' >queue/remote/$split/$number
chown qmails:qmail queue/info/$split/$number queue/remote/$split/$number
echo elsewhere.example >>control/locals
"""


@dataclasses.dataclass
class Scenario:
    name: str
    about: str
    script: str
    prepare: str = ""  # a shell script that is not recorded
    local_domains: tuple = ("example.org",)
    same_number: bool = False  # the second message gets the number of the first
    models: tuple = ("unordered", "ordered")
    looks_at_intd: bool = False  # nobody reads intd/, but its files must go
    replaces: str = ""  # not about mail: a file that is old or new, and new in the end
    long: bool = False  # left out of the bounded run


def _delivered(ends=1):
    return f"start\nlogged '^end msg' {ends}\nstop"


SCENARIOS = [
    Scenario("queue", "qmail-smtpd has qmail-queue store a small message",
             "setuidgid qmaild env TCPREMOTEIP=192.0.2.9 RELAYCLIENT= qmail-smtpd <smtp >answers\n"
             "grep -q '^250 ok .* qp' answers", looks_at_intd=True),
    Scenario("queue_large", "qmail-queue stores a message of several writes",
             "queue large to_three", looks_at_intd=True),
    Scenario("queue_refused", "qmail-queue is given half an envelope, and withdraws",
             "! queue message cut_off", looks_at_intd=True),
    Scenario("todo", "a message for both channels is taken out of todo, and all is delivered",
             f"queue message to_three\n{_delivered()}"),
    Scenario("maildir", "a message is delivered into a Maildir",
             f"queue message to_alice\n{_delivered()}"),
    Scenario("mbox", "a message is delivered into an mbox file that was not there",
             f"queue message to_bob\n{_delivered()}"),
    Scenario("mbox_appended", "a message is appended to an mbox file",
             f"queue message to_bob\n{_delivered()}",
             prepare="printf 'From x Thu Jan  1 00:00:00 1970\\n\\nold\\n\\n' >/home/bob/Mailbox\n"
                     "chown bob: /home/bob/Mailbox"),
    Scenario("remote", "a message goes to another host", f"queue message to_remote\n{_delivered()}"),
    Scenario("bounce", "a message that cannot be delivered goes back to its sender",
             f"queue message to_ghost\n{_delivered(2)}"),
    Scenario("bounce_half", "one of two recipients cannot be delivered to",
             f"queue message to_alice_and_ghost\n{_delivered(2)}", long=True),
    Scenario("everything", "local, remote and impossible recipients of one message",
             f"queue message to_all\n{_delivered(2)}", long=True),
    Scenario("together", "two messages share their syncs",
             f"queue message to_alice\nqueue second to_bob\n{_delivered(2)}", long=True),
    Scenario("hidden_new", "a Maildir whose new/ may be written but not read",
             f"queue message to_carol\n{_delivered()}", prepare="chmod 300 /home/carol/Maildir/new"),
    Scenario("hidden_home", "a new mbox file in a directory that may be written but not read",
             f"queue message to_bob\n{_delivered()}", prepare="chmod 300 /home/bob"),
    Scenario("moved", "todo/N is there again after a crash, and a recipient has become local",
             _delivered(), prepare=MOVED, local_domains=("example.org", "elsewhere.example")),
    Scenario("same_number", "a message gets the number of one that has just ended",
             "queue message to_alice\n"
             "start\nlogged '^end msg' 1\nqueue second to_carol\nlogged '^end msg' 2\nstop",
             same_number=True, models=("ordered",)),
    Scenario("newu", "qmail-newu makes users/cdb anew",
             "cp assign.new users/assign\nqmail-newu", prepare="cp assign.old users/assign\nqmail-newu",
             replaces="/var/qmail/users/cdb"),
    Scenario("newmailusers", "qmail-newmailusers makes users/mailusers.cdb anew",
             "cp mailusers.new users/mailusers\nqmail-newmailusers",
             prepare="install -m 600 mailusers.old users/mailusers\nqmail-newmailusers",
             replaces="/var/qmail/users/mailusers.cdb"),
]

TEXT = b"From: dave@example.org\nSubject: test\n\nOne line, and another.\n"
ENVELOPES = {
    "to_alice": b"Fcarol@example.org\0Talice@example.org\0\0",
    "to_bob": b"Fcarol@example.org\0Tbob@example.org\0\0",
    "to_carol": b"Fbob@example.org\0Tcarol@example.org\0\0",
    "to_carol_elsewhere": b"Fbob@example.org\0Tcarol@elsewhere.example\0\0",
    "to_remote": b"Fcarol@example.org\0Tx@elsewhere.example\0\0",
    "to_ghost": b"Fcarol@example.org\0Tghost@example.org\0\0",
    "to_alice_and_ghost": b"Fcarol@example.org\0Talice@example.org\0Tghost@example.org\0\0",
    "to_three": b"Fcarol@example.org\0Talice@example.org\0Tbob@example.org\0"
                b"Tx@elsewhere.example\0\0",
    "to_all": b"Fcarol@example.org\0Talice@example.org\0Tx@elsewhere.example\0"
              b"Tghost@example.org\0Tbob@example.org\0\0",
    "cut_off": b"Fcarol@example.org\0Talice@example.org\0",
}
SMTP = (b"HELO client.example\r\nMAIL FROM:<carol@example.org>\r\n"
        b"RCPT TO:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
        + TEXT.replace(b"\n", b"\r\n") + b".\r\nQUIT\r\n")


def prepare_world():
    """Once: nothing but what the scenarios start runs."""
    services.Service("qmail-send").stop()
    WORK.mkdir()
    for name, envelope in ENVELOPES.items():
        (WORK / name).write_bytes(envelope)
    for name in ("queue", "users", "control"):
        (WORK / name).symlink_to(HOME / name)
    for age, uid in (("old", 1001), ("new", 1002)):
        (WORK / f"assign.{age}").write_text(f"=joe:joe:{uid}:1001:/home/joe:::\n.\n")
        (WORK / f"mailusers.{age}").write_text(
            f"joe@example.org:{{PLAIN}}{age}-secret:alice:/home/alice\n")
    (WORK / "smtp").write_bytes(SMTP)
    (WORK / "message").write_bytes(TEXT)
    (WORK / "second").write_bytes(TEXT.replace(b"One line", b"A second"))
    (WORK / "large").write_bytes(TEXT + b"x" * 70 + b"\n" * 2000 + b"0123456789\n" * 14000)
    services.set_control("smtproutes", f":[127.0.0.1]:{SINK_PORT}\n")
    WORK.chmod(0o777)


def record(scenario):
    """Runs a scenario; returns its History."""
    _clean_up()
    _run(["sh", "-e", "-c", PRELUDE + scenario.prepare])
    before = _content()
    trace = WORK / f"{scenario.name}.trace"
    with ScriptedServer(ACCEPT_MAIL, port=SINK_PORT):
        _run([*system_calls.STRACE, "-o", trace, "sh", "-e", "-c", PRELUDE + scenario.script])
    text = trace.read_text(encoding="ascii")
    history = _read(text, before)
    if not scenario.same_number:
        return history
    # This world's file system gives no number out twice; others do, at once.
    first, second = (message.number for message in messages_of(history))
    return _read(_with_number(text, int(second), int(first)), before)


def _read(text, before):
    return History(ROOTS, before).read(text.splitlines(), str(pathlib.Path.cwd()))


def _with_number(text, old, new):
    """A recording in which a message has another number."""
    for kind in ("mess", "info", "local", "remote"):
        text = _with_path(text, f"{kind}/{old % 23}/{old}", f"{kind}/{new % 23}/{new}")
        text = _with_path(text, f"{kind}/{old % 23}", f"{kind}/{new % 23}")
    for kind in ("intd", "todo", "bounce"):
        text = _with_path(text, f"{kind}/{old}", f"{kind}/{new}")
    return text


def _with_path(text, old, new):
    """`old` and `new` are the ends of paths."""
    def escaped(path):
        return "".join(f"\\x{ord(character):02x}" for character in path)
    return re.sub(re.escape(escaped("/" + old)) + r'(?=[">])|(?<=")' + re.escape(escaped(old))
                  + r'(?=")', lambda found: escaped("/" * found[0].startswith("\\x2f") + new), text)


def _run(command):
    done = subprocess.run(command, timeout=PATIENCE, capture_output=True, check=False)
    if done.returncode != 0:
        log = (WORK / "log").read_text() if (WORK / "log").exists() else ""
        raise AssertionError(f"{command[-1]}: exit {done.returncode}\n{done.stderr.decode()}\n{log}")


def _clean_up():
    services.clear_queue()
    services.set_control("locals", "example.org\n")
    for user in ("alice", "bob", "carol"):
        home = pathlib.Path("/home") / user
        home.chmod(0o700)
        shutil.rmtree(home / "Maildir")
        (home / "Mailbox").unlink(missing_ok=True)
        hosts.as_user(user, "maildirmake", "Maildir")
    (pathlib.Path("/home/bob") / ".qmail").write_text("./Mailbox\n")


def _content():
    return {str(path): path.read_bytes() for root in (HOME / "queue", HOME / "users", "/home")
            for path in pathlib.Path(root).rglob("*") if path.is_file()}
