"""From the figures of several rounds to one line of a table."""

import dataclasses
import math
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
    median: float
    least: float
    most: float


def spread(values):
    """ValueError when there are none."""
    values = list(values)
    if not values:
        raise ValueError("no values")
    return Spread(statistics.median(values), min(values), max(values))


def percentile(values, percent):
    """The least value that so many percent of all do not exceed. ValueError when there are none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def spreads_of(rounds):
    """The spread of each figure; a round is its figures by name."""
    return {what: spread(values[what] for values in rounds)
            for what in rounds[0]}


def ratio_to_best(values, ours, more_is_better=True):
    """Our value by the best of all others'; None when nobody else has one. `values` by name."""
    others = [value for name, value in values.items() if name != ours]
    if ours not in values or not others:
        return None
    return values[ours] / (max(others) if more_is_better else min(others))
