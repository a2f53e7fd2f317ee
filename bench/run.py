"""The order of things: in each round every workload is done by every server, one after another, so
that whatever else happens to the machine happens to all of them."""

import dataclasses
import datetime
import os
import platform
import sys

from bench import workloads
from bench.world import World


_COUNTED_SHARE = 0.25  # of the messages of a round suffice for counting events


@dataclasses.dataclass(frozen=True)
class Plan:
    servers: list
    workloads: list  # names in workloads.ALL
    rounds: int
    amounts: dict  # how much of what
    connections: list  # numbers of idle clients
    counted: bool  # a further round in which events are counted
    build: str


def run(plan, disk):
    """Does all of it. Returns the figures: plain values, ready for JSON."""
    worlds = []
    figures = {"when": datetime.datetime.now().isoformat(timespec="seconds"),
               "machine": _machine(), "amounts": plan.amounts, "rounds": plan.rounds,
               "servers": {}, "results": {name: {} for name in plan.workloads}}
    try:
        for server in plan.servers:
            worlds.append(World(server, disk, plan.build))
        for world in worlds:
            world.wait_for_start()
            figures["servers"][world.server.name] = {"title": world.server.title} | world.facts
        for number in range(plan.rounds + plan.counted):
            _round(plan, worlds, figures["results"], number)
    finally:
        for world in worlds:
            world.close()
    return figures


def record(plan, disk, workload):
    """Has the first server do one workload. Returns how often it was seen with each stack."""
    world = World(plan.servers[0], disk, plan.build)
    try:
        world.wait_for_start()
        return world.ask(workload=workload, amount=_amount(plan, workload), watched_for="stacks",
                         amounts=plan.amounts, connections=plan.connections)["stacks"]
    finally:
        world.close()


def _round(plan, worlds, results, number):
    """In the last one events are counted, and time is not taken: counting costs some."""
    counted = number == plan.rounds
    for name in plan.workloads:
        workload = workloads.ALL[name]
        if workload.once and number > 0 or counted and not workload.share:
            continue
        amount = _amount(plan, name, _COUNTED_SHARE if counted else 1)
        for world in worlds:
            load_average = os.getloadavg()[0]
            figures = world.ask(workload=name, amount=amount,
                                watched_for="counts" if counted else None,
                                amounts=plan.amounts, connections=plan.connections)
            result = results[name].setdefault(world.server.name, {"rounds": [], "counts": {}})
            if "unable" in figures:
                result["unable"] = figures["unable"]
            elif counted:
                result["counts"] = figures["counts"]
            else:
                result["rounds"].append(figures["values"])
                result.setdefault("load_averages", []).append(load_average)
            _say(world.server, name, figures)


def _amount(plan, name, share=1.0):
    workload = workloads.ALL[name]
    return max(1, int(plan.amounts[workload.amount] * workload.share * share))


def _say(server, name, figures):
    what = ", ".join(f"{value:.2f} {figure}" for figure, value in figures.get("values", {}).items())
    what = what or figures.get("unable") or "counted"
    print(f"bench: {name}: {server.title}: {what}", file=sys.stderr, flush=True)


def _machine():
    return {"kernel": platform.release(), "processors": os.cpu_count(),
            "load_average_before": os.getloadavg()}
