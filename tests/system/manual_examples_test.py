# The examples in manual pages do what the pages say.
import unittest

from support import hosts
from support.examples import ExamplesTest, steps_of

MANUAL = hosts.REPOSITORY / "man"
# Pages that must have examples that are run; others may.
NEEDED = {"dot-qmail.5", "qmail-control.5", "qmail-users.5", "sendmail.8", "qmail-inject.8",
          "qmail-queue.8", "qmail-smtpd.8", "maildirmake.1", "postern.7"}
WITH_EXAMPLES = NEEDED | {page.name for page in MANUAL.iterdir() if steps_of(page)}


class Manual(ExamplesTest):
    pass


def test_of(name):
    return lambda self: self.run_examples(MANUAL / name)


for page in sorted(WITH_EXAMPLES):
    setattr(Manual, f"test_{page.replace('-', '_').replace('.', '_')}", test_of(page))


if __name__ == "__main__":
    unittest.main()
