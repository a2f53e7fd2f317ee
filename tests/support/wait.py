"""Waiting for a condition instead of for time to pass."""

import time

PATIENCE = 20.0  # seconds; generous, because it is only used up when something is broken


def wait_until(condition, what, seconds=PATIENCE):
    """Returns condition()'s first true value. AssertionError names `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    return value
