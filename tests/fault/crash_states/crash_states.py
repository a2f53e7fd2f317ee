"""Records the scenarios, goes through their crash states, and does so again without each sync."""

import collections
import dataclasses
import itertools
import sys
import time

import scenarios
import syncs
from enumeration import Enumeration
from outcome import Recovery


@dataclasses.dataclass
class Result:
    scenario: str
    model: str
    count: object
    recovered: int
    violations: list
    seconds: float


class CrashStates:
    """`whole`: all scenarios, not only those for which a minute is enough."""

    def __init__(self, whole, most=200_000):
        self._most = most
        self._recoveries = {}
        self.scenarios = {scenario.name: scenario for scenario in scenarios.SCENARIOS
                          if whole or not scenario.long}
        self.histories = {}

    def close(self):
        for recovery in self._recoveries.values():
            recovery.close()

    def record(self):
        scenarios.prepare_world()
        for name, scenario in self.scenarios.items():
            self.histories[name] = scenarios.record(scenario)

    @property
    def recovered(self):
        return sum(recovery.recovered for recovery in self._recoveries.values())

    def go_through(self, name, model, without=None, most_violations=3):
        """A scenario in a model, with the syncs of the kind `without` left out."""
        begin, before = time.monotonic(), self.recovered
        enumeration = self._enumeration(name, model)
        left_out = (lambda sync: syncs.kind_of(sync) == without) if without else None
        violations = list(itertools.islice(enumeration.violations(left_out), most_violations))
        return Result(name, model, enumeration.count, self.recovered - before, violations,
                      time.monotonic() - begin)

    def _enumeration(self, name, model):
        scenario = self.scenarios[name]
        domains = scenario.local_domains
        if domains not in self._recoveries:
            directory = scenarios.WORK / f"recovery.{len(self._recoveries)}"
            self._recoveries[domains] = Recovery(directory, domains)
        return Enumeration(self.histories[name], scenario, model, self._recoveries[domains],
                           self._most)

    def seen_syncs(self):
        """Kinds of syncs in the recordings: {kind: names of the scenarios}."""
        seen = collections.defaultdict(set)
        for name, history in self.histories.items():
            for step in history.steps:
                if hasattr(step, "target"):
                    seen[syncs.kind_of(step)].add(name)
        return seen

    def missed(self, kind, name):
        """The first violation in each model when syncs of a kind are left out."""
        return {model: result.violations[0] for model in self.scenarios[name].models
                if (result := self.go_through(name, model, kind, 1)).violations}


def describe(violation):
    state = "\n".join(f"    {path} {content[:60]!r}" for path, content in
                      sorted(violation.state.items()))
    return (f"{violation.text} ({violation.model}, crash at line {violation.at})\n{state}\n"
            f"{violation.log}")


def report(states, out=sys.stdout):
    """Everything, in two tables; whether all is well."""
    good = True
    print(f"{'scenario':15}{'model':11}{'points':>7}{'states':>8}{'new':>7}{'s':>7}", file=out)
    for name, scenario in states.scenarios.items():
        for model in scenario.models:
            result = states.go_through(name, model)
            count = result.count
            print(f"{name:15}{model:11}{count.points:7}{count.states:8}{result.recovered:7}"
                  f"{result.seconds:7.2f}  left over: {' '.join(sorted(count.left_over)) or '-'}"
                  + (f"; {count.left_out} not looked at" if count.left_out else ""),
                  file=out, flush=True)
            for violation in result.violations:
                good = False
                print(describe(violation), file=out)
    print("\nsyncs, and what happens without them", file=out)
    for kind, name in syncs.ROWS:
        missed = states.missed(kind, name) if name in states.scenarios else {}
        good = good and bool(missed)
        print(f"{kind:50}{name:15}{' '.join(missed) or 'NOT MISSED':20} "
              + next((violation.text for violation in missed.values()), ""), file=out, flush=True)
    print(f"{states.recovered} different states recovered from", file=out)
    return good
