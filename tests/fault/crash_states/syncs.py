"""Every sync in the code, and a recording in which recovery fails when it is left out.

A sync that nobody misses is either not needed, or not tested. So each kind of sync that is seen in
a recording must stand in ROWS, each row must be found to matter, and each call in src/ that syncs
is counted in CALLS: whoever adds one finds this file.
"""

import collections
import pathlib
import re

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]

# What is synced, and the scenario that misses it.
ROWS = [
    ("qmail-queue: mess/N", "maildir"),
    ("qmail-queue: intd/N", "maildir"),
    ("qmail-queue: directory mess", "queue"),
    ("qmail-queue: directory todo", "queue"),
    ("qmail-send: info/N", "todo"),
    ("qmail-send: local/N", "todo"),
    ("qmail-send: remote/N", "todo"),
    ("qmail-send: directory info", "todo"),
    ("qmail-send: directory local", "todo"),
    ("qmail-send: directory remote", "todo"),
    ("qmail-send: directory remote", "moved"),  # for a name that went, not one that came
    ("qmail-send: bounce/N", "bounce"),
    ("qmail-send: directory bounce", "bounce"),
    ("qmail-local: file of a Maildir", "maildir"),
    ("qmail-local: directory new", "maildir"),
    ("qmail-local: file system of a Maildir", "hidden_new"),
    ("qmail-local: mbox", "mbox"),
    ("qmail-local: mbox", "mbox_appended"),
    ("qmail-local: directory of an mbox", "mbox"),
    ("qmail-local: file system of an mbox", "hidden_home"),
    ("qmail-newu: users/cdb.tmp", "newu"),
    ("qmail-newu: directory users", "newu"),
    ("qmail-newmailusers: users/mailusers.cdb.tmp", "newmailusers"),
    ("qmail-newmailusers: directory users", "newmailusers"),
]

# How often each file of src/ calls or defines something that syncs.
CALLS = {
    "src/control/cdb.cc": 2,  # qmail-newu, qmail-newmailusers: the file, its directory
    "src/local/maildir.cc": 5,  # the file; new/, or its file system
    "src/local/quota.cc": 1,  # maildirsize: a power failure must not take the quota away; no mail
    "src/local/mbox.cc": 5,  # the file; its directory, or its file system
    "src/posix/files.cc": 6,  # what the others call; replace_file, which none of these does
    "src/queue/disk.cc": 2,
    "src/queue/enqueue.cc": 2,  # mess/N, intd/N, directory mess; directory todo
    "src/send/bouncer.cc": 3,  # bounce/N, directory bounce
    "src/send/preprocessor.cc": 1,  # info/N, local/N, remote/N and their directories
    "src/send/syncer.cc": 2,
}
# Folders without a row: what their programs sync is not mail that was accepted and is not yet
# delivered. Mail deleted over POP3 may come back; a repair of a stopped queue is run again.
WITHOUT_ROWS = ("src/pop3/", "src/fsck/")
_CALL = re.compile(r"\b(?:fsync|fdatasync|syncfs|sync|msync|sync_file|sync_directory|sync_names|"
                   r"sync_mailbox)\(")

_KINDS = [
    (r"/var/qmail/queue/pid/.*", "mess/N"),
    (r"/var/qmail/queue/(intd|bounce)/\d+", r"\1/N"),
    (r"/var/qmail/queue/(info|local|remote)/\d+/\d+", r"\1/N"),
    (r"/var/qmail/queue/(mess|info|local|remote)/\d+", r"directory \1"),
    (r"/var/qmail/queue/(todo|bounce)", r"directory \1"),
    (r"/var/qmail/(users/[^/]+)", r"\1"),
    (r"/var/qmail/users", "directory users"),
    (r"/home/\w+/Maildir/(tmp|new)/.*", "file of a Maildir"),
    (r"/home/\w+/Maildir/(new)", r"directory \1"),
    (r"/home/\w+/Mailbox", "mbox"),
    (r"/home/\w+", "directory of an mbox"),
]


def kind_of(sync):
    """As ROWS call it."""
    for pattern, name in _KINDS:
        found = re.fullmatch(pattern, sync.path)
        if found:
            kind = found.expand(name)
            if sync.target is None:
                kind = "file system of a" + ("n mbox" if kind == "mbox" else " Maildir")
            return f"{sync.program}: {kind}"
    return f"{sync.program}: {sync.path}"


def calls_in_source():
    """Counts as in CALLS, from the source as it is."""
    counts = collections.Counter()
    for path in sorted((REPOSITORY / "src").rglob("*.cc")):
        for line in path.read_text(encoding="utf-8").splitlines():
            code = line.split("//")[0]
            counts[str(path.relative_to(REPOSITORY))] += len(_CALL.findall(code))
    return {path: count for path, count in counts.items()
            if count and not path.startswith(WITHOUT_ROWS)}
