# The recipes of docs/COOKBOOK.md, as they stand there, one after the other.
# world: --host mail.provider.example
import unittest

from support import hosts
from support.examples import ExamplesTest


class Cookbook(ExamplesTest):
    def test_its_recipes_work(self):
        self.run_examples(hosts.REPOSITORY / "docs/COOKBOOK.md")


if __name__ == "__main__":
    unittest.main()
