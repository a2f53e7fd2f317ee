"""The figures as a picture: a bar a server for each workload, drawn as SVG by hand."""

from xml.sax.saxutils import escape

from bench import workloads
from bench.statistics import spreads_of

_WIDTH, _LEFT, _BAR, _GAP, _HEAD = 760, 110, 16, 14, 24
_COLOURS = ("#1f6f8b", "#e08e45", "#7a9e3b", "#8c5e99", "#777777")


def draw(figures):
    """An SVG document: medians, and a thin line from the least to the most."""
    parts, top = [], _GAP
    names = list(figures["servers"])
    for workload, results in figures["results"].items():
        kind = workloads.ALL[workload]
        headline = kind.headline
        parts.append(_text(8, top + 12, f"{kind.title}, {headline}"
                           + ("" if kind.more_is_better else " (less is better)"), "bold"))
        top += _HEAD
        rates = {name: spreads_of(results[name]["rounds"])[headline] for name in results
                 if "unable" not in results[name]}
        if not rates:
            continue
        scale = (_WIDTH - _LEFT - 80) / max(rate.most for rate in rates.values())
        for name, rate in rates.items():
            parts.append(_bar(top, rate, scale, _COLOURS[names.index(name) % len(_COLOURS)]))
            parts.append(_text(8, top + 12, figures["servers"][name]["title"]))
            top += _BAR + 4
        top += _GAP
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" '
            'font-family="sans-serif" font-size="12">\n'
            f'<rect width="{_WIDTH}" height="{top}" fill="white"/>\n'
            + "".join(parts) + "</svg>\n")


def _bar(top, rate, scale, colour):
    middle = top + _BAR / 2
    return (f'<rect x="{_LEFT}" y="{top}" width="{rate.median * scale:.1f}" height="{_BAR}" '
            f'fill="{colour}"/>\n'
            f'<path d="M{_LEFT + rate.least * scale:.1f} {middle}H{_LEFT + rate.most * scale:.1f}" '
            'stroke="black"/>\n'
            + _text(_LEFT + rate.most * scale + 6, top + 12, f"{rate.median:.3g}"))


def _text(x, y, text, weight="normal"):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}">{escape(text)}</text>\n'
