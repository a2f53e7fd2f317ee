"""The figures as a table to read."""

from bench import counters, workloads
from bench.statistics import ratio_to_best, spreads_of

OURS = "postern"


def format_report(figures):
    """All of it, as Markdown, which is readable as it stands."""
    machine = figures["machine"]
    amounts = ", ".join(f"{number} {what}" for what, number in figures["amounts"].items())
    lines = [f"{figures['when']}, kernel {machine['kernel']}, {machine['processors']} processors, "
             f"{figures['disk']}, load average before "
             + " ".join(f"{value:.2f}" for value in machine["load_average_before"]),
             f"{figures['rounds']} rounds of {amounts}; "
             + ", ".join(f"{server['title']} {server['version']}"
                         for server in figures["servers"].values())]
    for name, results in figures["results"].items():
        lines += ["", *_table(workloads.ALL[name], results, figures["servers"])]
    return "\n".join(lines) + "\n"


def _table(workload, results, servers):
    names = list(results)
    spreads = {name: spreads_of(results[name]["rounds"]) for name in names
               if "unable" not in results[name]}
    figures = list(dict.fromkeys(what for spread in spreads.values() for what in spread))
    yield _row(workload.title, (servers[name]["title"] for name in names))
    yield _row("---", ("---" for _ in names))
    for what in figures or [workload.headline]:
        yield _row(what, (_format_spread(spreads.get(name, {}).get(what)) for name in names))
    for what in counters.EVENTS:
        if any(what in results[name]["counts"] for name in spreads):
            yield _row(f"{what} a {workload.unit}",
                       (_format_count(results[name]["counts"], what) if name in spreads else "n/a"
                        for name in names))
    for name in names:
        if name not in spreads:
            yield ""
            yield f"{servers[name]['title']}: n/a, {results[name]['unable']}."
    medians = {name: spread[workload.headline].median for name, spread in spreads.items()
               if name == OURS or not name.startswith(OURS)}
    ratio = ratio_to_best(medians, OURS, workload.more_is_better)
    if ratio is not None:
        yield ""
        yield f"Postern by the best other: {ratio:.2f}."


def _row(head, cells):
    return "| " + " | ".join([head, *cells]) + " |"


def _format_spread(value):
    if value is None:
        return "n/a"
    digits = 0 if value.median >= 100 else 2
    return f"{value.median:.{digits}f} ({value.least:.{digits}f}–{value.most:.{digits}f})"


def _format_count(counts, what):
    if what not in counts:
        return "?"
    return f"{counts[what]:.0f}" if counts[what] >= 100 else f"{counts[what]:.1f}"
