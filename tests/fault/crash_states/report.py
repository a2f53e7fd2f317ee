#!/usr/bin/python3
"""Inside a world: goes through all crash states, and prints tables of them (run starts it)."""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from crash_states import CrashStates, report

states = CrashStates(whole="--bounded" not in sys.argv)
states.record()
good = report(states)
states.close()
print("all is well" if good else "NOT ALL IS WELL")
sys.exit(0 if good else 1)
