"""A qmail installation as qmail 1.03, netqmail or notqmail leave it, made from their documented formats
byte by byte: users with the ids of their instructions, the tree with its owners and modes, cdb files,
and a queue with messages in every state. Knows nothing of Postern's sources.
"""

import os
import pathlib
import pwd
import shutil
import struct
import subprocess

HOME = pathlib.Path("/var/qmail")
GROUPS = {"nofiles": 2107, "qmail": 2108}
USERS = {"alias": (7790, "nofiles"), "qmaild": (7791, "nofiles"), "qmaill": (7792, "nofiles"),
         "qmailp": (7793, "nofiles"), "qmailq": (7794, "qmail"), "qmailr": (7795, "qmail"),
         "qmails": (7796, "qmail")}
PROGRAMS = {"qmail-queue": ("qmailq", 0o4711), "qmail-start": ("root", 0o700),
            "qmail-lspawn": ("root", 0o700), "qmail-send": ("root", 0o711),
            "qmail-inject": ("root", 0o755), "sendmail": ("root", 0o755)}
RC = """#!/bin/sh

# Using stdout for logging.
# Using qmail-local to deliver messages to ~/Mailbox by default.

exec env - PATH="/var/qmail/bin:$PATH" \\
qmail-start ./Mailbox
"""
SMTPD_RUN = """#!/bin/sh
QMAILDUID=`id -u qmaild`
NOFILESGID=`id -g qmaild`
exec softlimit -m 20000000 \\
    tcpserver -H -R -v -l smtp.example.org -x /etc/tcp.smtp.cdb -c 20 \\
        -u "$QMAILDUID" -g "$NOFILESGID" 0 smtp /var/qmail/bin/qmail-smtpd 2>&1
"""
SPLIT_KINDS = ("mess", "info", "local", "remote")
FILE_MODES = {"mess": 0o644, "intd": 0o644, "todo": 0o644, "info": 0o600, "local": 0o600,
              "remote": 0o600, "bounce": 0o600}


def make_users():
    """In the place of whatever users of these names there are."""
    if all(name in (user.pw_name for user in pwd.getpwall() if user.pw_uid == number)
           for name, (number, _) in USERS.items()):
        return
    for name in USERS:
        subprocess.run(["userdel", name], stderr=subprocess.DEVNULL, check=False)
    for name, number in GROUPS.items():
        subprocess.run(["groupdel", name], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["groupadd", "-g", str(number), name], check=True)
    for name, (number, group) in USERS.items():
        home = HOME / "alias" if name == "alias" else HOME
        subprocess.run(["useradd", "-u", str(number), "-g", group, "-d", home, "-M",
                        "-s", "/bin/true", name], check=True)


def own(path, user, group, mode):
    shutil.chown(path, user, group)
    path.chmod(mode)


def directory(path, user, group, mode):
    path.mkdir(parents=True)
    own(path, user, group, mode)


def make_tree(split=23, big_todo=False):
    """/var/qmail, which must be empty."""
    for name in ("bin", "boot", "control", "doc", "users"):
        directory(HOME / name, "root", "qmail", 0o755)
    directory(HOME / "alias", "alias", "qmail", 0o2755)
    for name, (user, mode) in PROGRAMS.items():
        (HOME / "bin" / name).write_text(f"qmail's {name}\n")
        own(HOME / "bin" / name, user, "qmail", mode)
    directory(HOME / "supervise/qmail-smtpd", "root", "qmail", 0o1755)
    for path, text in ((HOME / "rc", RC), (HOME / "supervise/qmail-smtpd/run", SMTPD_RUN)):
        path.write_text(text)
        path.chmod(0o755)
    queue = HOME / "queue"
    directory(queue, "qmailq", "qmail", 0o750)
    for name, user, mode in (("pid", "qmailq", 0o700), ("intd", "qmailq", 0o700),
                             ("todo", "qmailq", 0o750), ("mess", "qmailq", 0o750),
                             ("bounce", "qmails", 0o700), ("info", "qmails", 0o700),
                             ("local", "qmails", 0o700), ("remote", "qmails", 0o700)):
        directory(queue / name, user, "qmail", mode)
        if name in SPLIT_KINDS or (big_todo and name in ("todo", "intd")):
            for part in range(split):
                directory(queue / name / str(part), user, "qmail", mode)
    directory(queue / "lock", "qmailq", "qmail", 0o750)
    (queue / "lock/sendmutex").touch()
    own(queue / "lock/sendmutex", "qmails", "qmail", 0o600)
    (queue / "lock/tcpto").write_bytes(bytes(1024))
    own(queue / "lock/tcpto", "qmailr", "qmail", 0o644)
    os.mkfifo(queue / "lock/trigger")
    own(queue / "lock/trigger", "qmails", "qmail", 0o622)


class Queue:
    """Puts messages there as qmail-queue and qmail-send leave them."""

    def __init__(self, split=23, big_todo=False):
        self._split = split
        self._todo_parts = SPLIT_KINDS + (("todo", "intd") if big_todo else ())

    def path(self, kind, number):
        part = str(number % self._split) if kind in self._todo_parts else ""
        return HOME / "queue" / kind / part / str(number)

    def add(self, text, times=None, **files):
        """A message: kind=bytes for each file it has, times={kind: seconds since 1970}. The number is
        the inode number of its text.
        """
        new = HOME / "queue/pid/1.2.3"
        new.write_bytes(b"Received: (qmail 4711 invoked by uid 1000); 2 Aug 2002 15:16:26 -0000\n" + text)
        number = new.stat().st_ino
        new.rename(self.path("mess", number))
        for kind, content in {"mess": None, **files}.items():
            path = self.path(kind, number)
            if content is not None:
                path.write_bytes(content)
            owner = "qmailq" if kind in ("mess", "todo", "intd") else "qmails"
            own(path, owner, "qmail", FILE_MODES[kind])
            if kind in (times or {}):
                os.utime(path, (times[kind], times[kind]))
        return number

    def add_todo(self, text, sender, recipients, **files):
        """As qmail-queue leaves it: todo and intd are one file."""
        envelope = b"u1000\0p4711\0F" + sender + b"\0" + b"".join(b"T" + r + b"\0" for r in recipients)
        number = self.add(text, todo=envelope, **files)
        os.link(self.path("todo", number), self.path("intd", number))
        return number

    def messages(self):
        """{subject: {kind: content}} of all that is there."""
        found = {}
        for text in (HOME / "queue/mess").glob("*/*"):
            paths = {kind: self.path(kind, int(text.name)) for kind in FILE_MODES}
            subject = text.read_text().partition("Subject: ")[2].strip()
            found[subject] = {kind: path.read_bytes() for kind, path in paths.items() if path.exists()}
        return found


def cdb(pairs):
    """The bytes of a constant database (https://cr.yp.to/cdb/cdb.txt)."""
    records, slots = b"", [[] for _ in range(256)]
    for key, value in pairs:
        number = 5381
        for byte in key:
            number = ((number << 5) + number ^ byte) & 0xffffffff
        slots[number & 255].append((number, 2048 + len(records)))
        records += struct.pack("<II", len(key), len(value)) + key + value
    header, tables = b"", b""
    for entries in slots:
        size = 2 * len(entries)
        table = [(0, 0)] * size
        for number, position in entries:
            place = (number >> 8) % size
            while table[place][1]:
                place = (place + 1) % size
            table[place] = number, position
        header += struct.pack("<II", 2048 + len(records) + len(tables), size)
        tables += b"".join(struct.pack("<II", *entry) for entry in table)
    return header + records + tables


def users_cdb(lines):
    """What qmail-newu makes of the lines of users/assign before the last."""
    pairs, last_characters = [], []
    for line in lines:
        key, *fields = line.split(":")[:7]
        name = key[1:].lower().encode()
        if key[0] == "+":
            pairs.append((b"!" + name, "\0".join(fields).encode()))
            if name[-1:] and name[-1:] not in last_characters:
                last_characters.append(name[-1:])
        else:
            pairs.append((b"!" + name + b"\0", "\0".join(fields).encode()))
    return cdb([*pairs, (b"", b"".join(last_characters))])


def faults_of_queue(split=23):
    """What is not as qmail's documents have it, in a queue nobody works on; a list of sentences."""
    faults, numbers = [], {}
    queue = HOME / "queue"
    for path in sorted(queue.rglob("*")):
        kind, *rest = path.relative_to(queue).parts
        if kind == "set-aside":  # qmail-queue-fsck's, which nothing reads
            continue
        if path.is_file() and kind not in ("lock", "pid"):
            numbers.setdefault(int(path.name), {})[kind] = path
            faults += faults_of_place(path, kind, rest, split)
        elif path.is_dir() and rest and (kind not in SPLIT_KINDS or int(rest[-1]) >= split):
            faults.append(f"{path}: a directory too many")
    for number, files in numbers.items():
        if "mess" not in files or files["mess"].stat().st_ino != number:
            faults.append(f"{number}: not the inode number of its text")
        if "todo" in files and files["todo"].stat().st_ino != files["intd"].stat().st_ino:
            faults.append(f"{number}: todo and intd are two files")
        for kind, path in files.items():
            if kind in ("todo", "intd") or "todo" not in files:  # before it goes, others are half written
                faults += faults_of_content(path, kind)
    return faults


def faults_of_place(path, kind, rest, split):
    info = path.stat()
    of_caller = kind in ("mess", "todo", "intd")  # qmail-queue is setuid, and its group its caller's
    wanted = (USERS["qmailq" if of_caller else "qmails"][0],
              info.st_gid if of_caller else GROUPS["qmail"], FILE_MODES[kind])
    found = (info.st_uid, info.st_gid, info.st_mode & 0o7777)
    if found != wanted:
        yield f"{path}: is {found}, should be {wanted}"
    if rest[:-1] != ([str(int(path.name) % split)] if kind in SPLIT_KINDS else []):
        yield f"{path}: in a wrong directory"


def faults_of_content(path, kind):
    records = path.read_bytes().split(b"\0")
    letters = b"".join(record[:1] for record in records[:-1])
    fits = {"info": letters == b"F", "local": set(letters) <= set(b"TD"),
            "remote": set(letters) <= set(b"TD"), "todo": letters[:3] == b"upF" and
            set(letters[3:]) <= set(b"T"), "intd": letters[:3] == b"upF"}.get(kind, True)
    if not fits or (kind not in ("mess", "bounce") and records[-1]):
        yield f"{path}: holds {path.read_bytes()!r}"
