"""What may be on the disk after a crash: two models of what file systems promise.

Both hold that after fsync of a file its content is durable, after fsync of a directory the names in
it, and that what has not been synced may be there or not.

Unordered: nothing else is promised. Every name is on its own: it is what it was when its directory
was synced last, or anything that it has been since, whatever became of other names; a rename may
leave both names, or none. This is POSIX, and more than btrfs does.

Ordered: changes of names reach the disk in the order in which they were made, as they do through
the journals of ext4 and XFS, so that what is found is what was there at some moment; a sync of a
file or directory brings with it all that was changed before its last change. The content of files
is as free as in the other model. Each root is a file system of its own, with its own journal.
"""

import functools
import itertools
import math
import posixpath
import random

from history import Naming, Sync, Writing

MOST_PENDING = 3  # writes of one file that are combined freely
BLOCK = 4096


def _forms(step, content, durable_size):
    """What may have become of a write that was not synced."""
    whole = step.apply(content)
    if step.truncate is not None:
        return [content, whole]
    end = step.offset + len(step.data)
    if end <= durable_size and len(step.data) <= 1:
        return [content, whole]  # a byte in its place: there or not
    half = step.offset + len(step.data) // 2
    if len(step.data) > BLOCK:
        half -= half % BLOCK
    forms = [content, whole, whole[:half] + content[half:]]
    if end > len(content):
        # The size has reached the disk and the data has not, or only its first half.
        forms += [content.ljust(end, b"\0"), whole[:half].ljust(end, b"\0")]
    return forms


def contents(base, pending):
    """Every content that a file may have, of those that we distinguish."""
    found = {base}
    if len(pending) <= MOST_PENDING:
        for step in pending:
            found |= {form for content in found for form in _forms(step, content, len(base))}
        return sorted(found)
    # Many: those up to one of them are there, that one in any form, and the rest is not.
    content = base
    for step in pending:
        found |= set(_forms(step, content, len(base)))
        content = step.apply(content)
    if all(len(step.data) == 1 and step.offset < len(base) for step in pending):
        for some in itertools.product((False, True), repeat=min(len(pending), 8)):
            found.add(functools.reduce(lambda content, step: step.apply(content),
                                       itertools.compress(pending, some), base))
    return sorted(found)


class Model:
    """`initial`: the names before the first step, all durable. `steps` are those before the crash.
    `wanted`: whether a name is looked at.
    """

    def __init__(self, initial, steps, roots, wanted):
        self.initial = {path: file for path, file in initial.items() if wanted(path)}
        self.namings = [step for step in steps if isinstance(step, Naming)]
        self.writings = [step for step in steps if isinstance(step, Writing)]
        self.syncs = [step for step in steps if isinstance(step, Sync)]
        self.roots = roots
        self.wanted = wanted

    def states(self, most, seed=0):
        """All states, or `most` of them chosen at random; and how many there are. A state is a
        frozenset of (path, content).
        """
        spaces = list(self.namespaces())
        files = {file for space in spaces for file in space.values()}
        choices = {file: self._contents(file) for file in files}
        sizes = [math.prod(len(choices[file]) for file in set(space.values())) for space in spaces]
        total = sum(sizes)
        if total <= most:
            return (state for space in spaces for state in self._fill(space, choices)), total
        chance = random.Random(seed)
        picked = chance.choices(spaces, weights=sizes, k=most)
        return ({path: content for path, content in self._any(space, choices, chance)}
                for space in picked), total

    def _fill(self, space, choices):
        files = list(set(space.values()))
        for picked in itertools.product(*(choices[file] for file in files)):
            content = dict(zip(files, picked))
            yield {path: content[file] for path, file in space.items()}

    def _any(self, space, choices, chance):
        content = {file: chance.choice(choices[file]) for file in set(space.values())}
        return [(path, content[file]) for path, file in space.items()]

    def _contents(self, file):
        writings = [step for step in self.writings if step.file is file]
        synced = max((sync.start for sync in self.syncs if self._covers(sync, file)), default=-1)
        durable = [step for step in writings if step.end < synced]
        base = functools.reduce(lambda content, step: step.apply(content), durable, file.initial)
        return contents(base, writings[len(durable):])

    @staticmethod
    def _covers(sync, target):
        return sync.target is None or sync.target is target


class Unordered(Model):
    name = "unordered"

    def namespaces(self):
        values = {}  # path: every file it may lead to
        changes = {}
        for step in self.namings:
            for path, file, _ in step.names:
                if self.wanted(path):
                    changes.setdefault(path, []).append((step.end, file))
        for path in changes.keys() | self.initial.keys():
            directory = posixpath.dirname(path)
            synced = max((sync.start for sync in self.syncs if sync.target == directory or (
                sync.target is None and path.startswith(sync.root + "/"))), default=-1)
            durable = self.initial.get(path)
            later = []
            for end, file in changes.get(path, ()):
                if end < synced:
                    durable = file
                else:
                    later.append(file)
            values[path] = list(dict.fromkeys([durable, *later]))
        for picked in itertools.product(*values.values()):
            yield {path: file for path, file in zip(values, picked) if file is not None}


class Ordered(Model):
    name = "ordered"

    def namespaces(self):
        each = [self._of_root(root) for root in self.roots]
        for spaces in itertools.product(*each):
            yield {path: file for space in spaces for path, file in space.items()}

    def _of_root(self, root):
        inside = root + "/"
        namings = [step for step in self.namings if step.names[0][0].startswith(inside)]
        barrier = max((self._reach(sync, namings) for sync in self.syncs if sync.root == root),
                      default=-1)
        space = {path: file for path, file in self.initial.items() if path.startswith(inside)}
        spaces = []
        for step in namings:
            if step.end > barrier:
                spaces.append(dict(space))
            for path, file, _ in step.names:
                if not self.wanted(path):
                    continue
                if file is None:
                    space.pop(path, None)
                else:
                    space[path] = file
        return [*spaces, space]

    def _reach(self, sync, namings):
        """Up to where a sync makes names durable: the last change of what it syncs."""
        def touches(step):
            if sync.target is None:
                return True
            if isinstance(step, Writing):
                return step.file is sync.target
            return any(sync.target in (posixpath.dirname(path), file, before)
                       for path, file, before in step.names)
        return max((step.end for step in itertools.chain(namings, self.writings)
                    if step.end < sync.start and touches(step)), default=-1)


MODELS = (Unordered, Ordered)
