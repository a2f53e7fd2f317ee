"""The demonstration that scripts/demo plays inside a world. Everything is done by real programs
over real connections, and each claim is looked up where an administrator would look."""

import base64
import glob
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

HOME = pathlib.Path("/var/qmail")
PROVIDER = "mail.provider.de"
PATIENCE = 20  # seconds to wait for what should take a fraction of one
COLOURS = sys.stdout.isatty()

seen = []  # (what was to be shown, whether it was)


def title(text):
    print(f"\n\033[1m{text}\033[0m" if COLOURS else f"\n=== {text}")


def show(text):
    for line in text.rstrip("\n").split("\n"):
        print(f"    {line}")


def claim(what, true):
    seen.append((what, bool(true)))
    print(f"  {'ok' if true else 'NOT SEEN'}: {what}")


def run(*command, **options):
    result = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    if result.returncode != 0:
        show(result.stdout + result.stderr)
    return result.stdout


def on_provider(*command):
    return run("on", PROVIDER, *command)


def wait_for(condition):
    """The condition's first true value, or its last false one."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


class Conversation:
    """An SMTP dialogue on port 25, shown line by line as it happens."""

    def __init__(self, host):
        self._socket = socket.create_connection((host, 25), timeout=PATIENCE)
        self._lines = self._socket.makefile("rb")
        self.replies = []

    def hear(self):
        while True:
            line = self._lines.readline().decode("ascii", "replace").rstrip("\r\n")
            show(f"S: {line}")
            self.replies.append(line)
            if line[3:4] != "-":
                return line

    def say(self, line, reply=True):
        show(f"C: {line}")
        self._socket.sendall(line.encode() + b"\r\n")
        return self.hear() if reply else None


def coded(text):
    return base64.b64encode(text.encode()).decode()


def mailbox(user):
    return [pathlib.Path(name).read_text(encoding="utf-8", errors="replace")
            for name in sorted(glob.glob(f"/home/{user}/Maildir/new/*"))]


def log():
    return pathlib.Path("/var/log/qmail/qmail-send/current").read_text(encoding="utf-8")


def configure():
    """The founding transcript's server name and account, and a relay that wants a password."""
    title("Configuration: the control files of qmail, as its guides show them")
    add("control/smtpgreeting", "mail.domain.de\n")
    add("control/smtproutes", ":mail.provider.de dHJvdHRlbA== aWNo\n")
    add("users/mailusers", (HOME / "users/mailusers").read_text() +
        "test@domain.de:{PLAIN}testing:alice:/home/alice\n")
    run("qmail-newmailusers")
    on_provider("sh", "-c", """
        cd /var/qmail
        echo 'trottel:{PLAIN}ich:bob:/home/bob' >>users/mailusers
        qmail-newmailusers
        echo elsewhere.example >>control/locals
        echo carol >alias/.qmail-someone
        # As svc -h would, but at once: supervise is deaf in a service's first second.
        kill -HUP $(svstat /etc/service/qmail-send | sed 's/.*pid \\([0-9]*\\).*/\\1/')""")
    for name in ("control/smtproutes", "control/smtpgreeting"):
        show(f"$ cat {HOME}/{name}\n" + (HOME / name).read_text())
    show(f"$ grep domain.de {HOME}/users/mailusers\n" +
         (HOME / "users/mailusers").read_text().splitlines()[-1])


def add(name, text):
    (HOME / name).write_text(text, encoding="utf-8")


def founding_transcript():
    title("SMTP on port 25: a stranger may not relay, somebody who logs in may")
    stranger = Conversation("mail.example.org")
    stranger.hear()
    stranger.say("mail from : asfik@cs.example.edu")
    refused = stranger.say("rcpt to : someone@elsewhere.example")
    stranger.say("quit")
    claim("a stranger's mail to another domain is refused with 553",
          refused == "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)")
    print()
    client = Conversation("mail.example.org")
    client.hear()
    client.say("ehlo hostname")
    client.say("auth login")
    client.say("dGVzdEBkb21haW4uZGU=")
    client.say("dGVzdGluZw==")
    client.say("mail from : asfik@cs.example.edu")
    client.say("rcpt to : someone@elsewhere.example")
    client.say("data")
    for line in ("Subject : testing", ""):
        client.say(line, reply=False)
    client.say(".")
    client.say("quit")
    wanted = ["220 mail.domain.de ESMTP", "250-mail.domain.de", "250-AUTH LOGIN CRAM-MD5 PLAIN",
              "250-AUTH=LOGIN CRAM-MD5 PLAIN", "250-PIPELINING", "250 8BITMIME",
              "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok, go ahead (#2.0.0)", "250 ok",
              "250 ok", "354 go ahead", r"250 ok \d+ qp \d+", "221 mail.domain.de"]
    claim("the founding transcript, reply by reply",
          len(client.replies) == len(wanted) and
          all(got == want or re.fullmatch(want, got)
              for got, want in zip(client.replies, wanted)))


def to_bob():
    title("alice writes to bob: authenticated in, a Maildir at the other end")
    client = Conversation("mail.example.org")
    client.hear()
    client.say("ehlo laptop")
    client.say("auth plain " + coded("\0alice@example.org\0alice-password"))
    client.say("mail from:<alice@example.org>")
    client.say("rcpt to:<bob@example.org>")
    client.say("data")
    for line in ("From: alice@example.org", "To: bob@example.org", "Subject: lunch", "",
                 "At noon?"):
        client.say(line, reply=False)
    client.say(".")
    client.say("quit")
    arrived = wait_for(lambda: [mail for mail in mailbox("bob") if "At noon?" in mail])
    if arrived:
        show(f"$ cat ~bob/Maildir/new/*\n{arrived[0]}")
    claim("alice's message is in bob's Maildir, with her login in its Received field",
          arrived and "(alice@example.org@" in arrived[0] and "with ESMTPA;" in arrived[0])


def through_the_provider():
    title("The transcript's message leaves through the provider, who wants a password")
    stranger = Conversation(PROVIDER)
    stranger.hear()
    stranger.say("ehlo stranger")
    stranger.say("mail from:<asfik@cs.example.edu>")
    refused = stranger.say("rcpt to:<someone@elsewhere.example>")
    stranger.say("quit")
    claim("the provider refuses strangers", refused.startswith("553 "))

    def delivered():
        return on_provider("sh", "-c", "grep -l 'Subject : testing' /home/carol/Maildir/new/* "
                                       "2>/dev/null | xargs -r cat")
    message = wait_for(delivered)
    show(f"$ on {PROVIDER} cat ~carol/Maildir/new/*\n{message}")
    claim("the message was relayed under the login of control/smtproutes",
          "(trottel@" in message and "(test@domain.de@" in message)
    claim("the log says who took it", wait_for(lambda: re.search(
        r"delivery \d+: success: \S+_accepted_message\./Remote_host_said:_250_ok", log())))


def bounce():
    title("A message to nobody comes back")
    run("sendmail", "-f", "alice@example.org", "nobody-here@example.org", user="alice",
        cwd="/home/alice", input="From: alice@example.org\nTo: nobody-here@example.org\n"
                                 "Subject: hello?\n\nIs anybody there?\n")
    bounces = wait_for(lambda: [mail for mail in mailbox("alice") if "failure notice" in mail])
    if bounces:
        show(f"$ cat ~alice/Maildir/new/*\n{bounces[0]}")
    claim("alice has the bounce, which says why",
          bounces and "<nobody-here@example.org>:\nSorry, no mailbox here by that name. (#5.1.1)"
          in bounces[0])


def behind_the_scenes():
    title("Behind the scenes: the log and the processes")
    all_ended = wait_for(lambda: (text := log()).count("new msg") == text.count("end msg") >= 4)
    show("$ log qmail-send\n" + run("log", "qmail-send"))
    claim("every message that came in was dealt with to the end", all_ended)
    processes = [line for line in run("ps", "axo", "user:8,pid,ppid,args").splitlines()
                 if re.search(r"USER|qmail|splogger", line) and not re.search(r"ps axo|demo", line)]
    show("$ ps axo user,pid,ppid,args\n" + "\n".join(processes))
    wanted = {"qmail-send": "qmails", "qmail-lspawn ./Maildir/": "root", "qmail-rspawn": "qmailr",
              "qmail-clean": "qmailq"}
    users = {line.split(None, 3)[3]: line.split()[0] for line in processes[1:]}
    claim("each daemon runs as the user it should",
          all(users.get(name) == user for name, user in wanted.items()))
    claim("the queue is empty again",
          wait_for(lambda: "messages in queue: 0\n" in run("qmail-qstat")))


def main():
    for scene in (configure, founding_transcript, to_bob, through_the_provider, bounce,
                  behind_the_scenes):
        try:
            scene()
        except OSError as error:  # nobody listens, or nobody answers
            claim(f"{scene.__name__.replace('_', ' ')} to its end: {error}", False)
    missing = [what for what, true in seen if not true]
    title("Summary")
    for what, true in seen:
        print(f"  {'ok      ' if true else 'NOT SEEN'}  {what}")
    print(f"\n{len(seen) - len(missing)} of {len(seen)} things were seen to work")
    return 1 if missing else 0


signal.signal(signal.SIGINT, signal.SIG_DFL)  # ^C is no reason for a traceback
os.environ["PATH"] += f":{HOME}/bin"
sys.exit(main())
