"""Queues as qmail-queue-fsck may meet them: messages in every state, then copied or mixed up."""

import os
import pathlib
import pwd
import shutil

SPLIT = 23
SPLIT_KINDS = ("mess", "info", "local", "remote")
KINDS = (*SPLIT_KINDS, "todo", "intd", "bounce")
MODES = {"mess": 0o644, "todo": 0o644, "intd": 0o644}


def place(queue, kind, number, split=SPLIT):
    """The file of a message, as pathlib.Path."""
    directory = pathlib.Path(queue) / kind
    return directory / str(number % split if kind in SPLIT_KINDS else "") / str(number)


def own(path, kind):
    user = pwd.getpwnam("qmailq" if kind in MODES else "qmails")
    os.chown(path, user.pw_uid, user.pw_gid)
    path.chmod(MODES.get(kind, 0o600))


def add_message(queue, text, split=SPLIT, **envelope):
    """A message with a text and these other files (kind=bytes); returns its number."""
    new = pathlib.Path(queue) / "mess" / "new"
    new.write_bytes(text)
    own(new, "mess")
    number = new.stat().st_ino
    new.rename(place(queue, "mess", number, split))
    for kind, content in envelope.items():
        path = place(queue, kind, number, split)
        path.write_bytes(content)
        own(path, kind)
    return number


def copy(queue):
    """Every file gets another inode number, as when a backup is restored."""
    queue = pathlib.Path(queue)
    old = queue.with_name("queue.old")
    queue.rename(old)
    shutil.copytree(old, queue, symlinks=True, copy_function=copy_file)
    for path in [old, *old.rglob("*")]:
        info, new = path.stat(), queue / path.relative_to(old)
        os.chown(new, info.st_uid, info.st_gid)
        new.chmod(info.st_mode & 0o7777)
    shutil.rmtree(old)


def copy_file(source, target):
    if pathlib.Path(source).is_fifo():
        os.mkfifo(target)
    else:
        shutil.copy2(source, target)


def rotate_numbers(queue, split=SPLIT):
    """Every message is called by the inode number of the next one's text."""
    numbers = sorted(numbers_in(queue))
    texts = {number: place(queue, "mess", number, split).stat().st_ino for number in numbers}
    wrong = {number: texts[numbers[(i + 1) % len(numbers)]] for i, number in enumerate(numbers)}
    moves = []
    for number in numbers:
        for kind in KINDS:
            path = place(queue, kind, number, split)
            if path.exists():
                between = path.with_name(f"{number}.between")
                path.rename(between)
                moves.append((between, place(queue, kind, wrong[number], split)))
    for between, final in moves:
        between.rename(final)


def numbers_in(queue):
    return [int(path.name) for path in (pathlib.Path(queue) / "mess").glob("*/*")
            if path.name.isdigit()]


def messages_in(queue):
    """{text: {kind: contents}} of all messages, by whatever number; a file without text is not
    among them.
    """
    found = {}
    for number in numbers_in(queue):
        paths = {kind: place(queue, kind, number) for kind in KINDS if kind != "mess"}
        found[place(queue, "mess", number).read_bytes()] = {
            kind: path.read_bytes() for kind, path in paths.items() if path.exists()}
    return found
