"""Recovery mends every state that a crash may leave, and would not without any one of the syncs.

Runs in a world: records the real programs, then asks the real engine about each state.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import syncs
from crash_states import CrashStates, describe


class CrashStatesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.states = CrashStates(whole=False)
        cls.addClassCleanup(cls.states.close)
        cls.states.record()

    def go_through(self, name, model):
        result = self.states.go_through(name, model)
        self.assertEqual(result.count.left_out, 0, "there are more states than are looked at")
        self.assertGreater(result.count.states, result.count.points / 2)
        return result

    def test_every_state_of_every_recording_is_mended(self):
        for name, scenario in self.states.scenarios.items():
            for model in scenario.models:
                with self.subTest(scenario=name, model=model):
                    found = self.go_through(name, model).violations
                    self.assertEqual(found, [], "\n".join(map(describe, found)))

    def test_an_ordered_file_system_leaves_nothing_that_is_not_swept(self):
        for name in self.states.scenarios:
            with self.subTest(scenario=name):
                self.assertEqual(self.go_through(name, "ordered").count.left_over, set())

    def test_what_another_one_leaves_is_names_without_a_text(self):
        for name, scenario in self.states.scenarios.items():
            if "unordered" in scenario.models:
                with self.subTest(scenario=name):
                    self.assertNotIn("mess", self.go_through(name, "unordered").count.left_over)

    def test_each_sync_is_missed_when_it_is_left_out(self):
        for kind, name in syncs.ROWS:
            with self.subTest(sync=kind, scenario=name):
                self.assertNotEqual(self.states.missed(kind, name), {})

    def test_each_sync_that_was_seen_has_a_row_and_each_row_was_seen(self):
        rows = {}
        for kind, name in syncs.ROWS:
            rows.setdefault(kind, set()).add(name)
        seen = self.states.seen_syncs()
        self.assertEqual(seen.keys(), rows.keys())
        for kind, names in rows.items():
            self.assertLessEqual(names, seen[kind], kind)

    def test_a_number_that_is_used_again_without_order_is_seen_to_go_wrong(self):
        """What docs/DURABILITY.md does not promise: that it fails here shows that it would show."""
        found = self.states.go_through("same_number", "unordered", most_violations=1).violations
        self.assertIn("another's", found[0].text)


if __name__ == "__main__":
    unittest.main()
