"""The people of a world, and its user database."""

import os
import pathlib

# Hashes of alice-password, bob-password and carol-password. Two are SHA-512, one is yescrypt,
# which is Debian's default and needs 16 MB of memory to check.
PEOPLE = {
    "alice": "$6$vmTHvbs5z4MhXM58$rIkUcZR/pSv26Bkkl//NyUe.K1QRTV97.iT4VudLHvWKILyUUx0GSAYCeC6kVB"
             "ICrEuCitX3FRNbpd/oQdm/l/",
    "bob": "$6$i3b/ydxbnoEiAt6C$RnSYy3QRJnTpTrZ4JkCOOLCJY6NBKfdvBYoGeJmE8qzaDTZyHLqOlb9Yx3b1kys5f"
           "8WQZhWt7t23lEiBkqrcH.",
    "carol": "$y$j9T$IVJrgj.nY6SqyeFWDnxIk.$jPA1KwU22Ptj6wt5AoSWA11K7xd5XxqFvQILAP5tTA0",
}
FIRST_UID = 1000  # and gid; system accounts are below
NOBODY = 65534
# Accounts the installer makes: a real machine that has them must not give a world its own.
SUITE = {"alias", "qmaild", "qmaill", "qmailp", "qmailq", "qmailr", "qmails", "qmail", "nofiles"}


def write_user_database():
    """The machine's system accounts without their passwords, and alice, bob and carol."""
    passwd = _system_entries("/etc/passwd")
    group = _system_entries("/etc/group")
    names = [line.split(":")[0] for line in passwd]
    shadow = [f"{name}:*:20000:0:99999:7:::" for name in names]
    for uid, (name, secret) in enumerate(PEOPLE.items(), start=FIRST_UID):
        passwd.append(f"{name}:x:{uid}:{uid}:{name.capitalize()}:/home/{name}:/bin/bash")
        group.append(f"{name}:x:{uid}:")
        shadow.append(f"{name}:{secret}:20000:0:99999:7:::")
    _write("/etc/passwd", passwd)
    _write("/etc/group", group)
    _write("/etc/shadow", shadow)
    _write("/etc/gshadow", [f"{line.split(':')[0]}:*::" for line in group])


def make_homes():
    """Home directories, each with an empty Maildir."""
    for uid, name in enumerate(PEOPLE, start=FIRST_UID):
        home = pathlib.Path("/home", name)
        for directory in ("", "Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
            (home / directory).mkdir(mode=0o700)
            os.chown(home / directory, uid, uid)


def _system_entries(path):
    """Lines of passwd or group that are the system's own: the third field is the id in both."""
    lines = []
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        fields = line.split(":")
        if len(fields) < 4 or fields[0] in PEOPLE or fields[0] in SUITE:
            continue
        if int(fields[2]) < FIRST_UID or int(fields[2]) == NOBODY:
            lines.append(line)
    return lines


def _write(path, lines):
    """Keeps the file's owner and mode."""
    pathlib.Path(path).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
