"""Stacks as a picture and as a table: where processor time went.

A frame stands on its caller and is as wide as its share of the time, so what is wide and has nothing on
it is where the time went. At the bottom are programs, on them kinds of work, on those functions.
"""

import collections
import dataclasses
import re
from xml.sax.saxutils import escape

from bench import stacks

_WIDTH, _ROW, _HEAD, _LETTER = 1200, 15, 58, 6.1
_LEAST = 0.002  # the share of the whole that a frame must have to be drawn
_LEAST_COLUMN = 2  # percent that a program must have for a column of its own
_PROGRAM = "#e4e4e4"
_COLOURS = dict(zip(stacks.KINDS, ("#f4a582", "#80b1d3", "#fde36f", "#c2a5cf", "#7fcfbf", "#b3de69",
                                   "#c09560", "#f1b6da", "#cfc9bc", "#e86f6f", "#a0a0a0")))


@dataclasses.dataclass(frozen=True)
class Frame:
    names: tuple  # outermost first; the last is its own
    before: int  # samples that are to the left of it
    samples: int


def layout(folded, names=(), before=0):
    """All frames, each after the one it stands on; beside each other the widest first."""
    above = collections.defaultdict(dict)
    for stack, samples in folded.items():
        name, _, rest = stack.partition(";")
        if name:
            above[name][rest] = samples
    for name, inside in sorted(above.items(), key=lambda item: -sum(item[1].values())):
        frame = Frame((*names, name), before, sum(inside.values()))
        yield frame
        yield from layout(inside, frame.names, before)
        before += frame.samples


def draw(folded, title):
    """An SVG document; a frame's name and share show where the pointer rests."""
    total = sum(folded.values())
    frames = [frame for frame in layout(folded) if frame.samples >= _LEAST * total]
    height = _HEAD + _ROW * max(len(frame.names) for frame in frames) + 4
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
            'font-family="monospace" font-size="10">\n'
            f'<rect width="{_WIDTH}" height="{height}" fill="white"/>\n'
            + _text(4, 14, title) + "".join(_legend(folded))
            + "".join(_draw_frame(frame, total, height) for frame in frames) + "</svg>\n")


def _legend(folded):
    together = _all_programs(stacks.shares(folded))
    for place, (kind, colour) in enumerate(_COLOURS.items()):
        x, y = 4 + place % 6 * _WIDTH / 6, 22 + place // 6 * _ROW
        yield (f'<rect x="{x:.0f}" y="{y}" width="10" height="10" fill="{colour}"/>'
               + _text(x + 14, y + 9, f"{kind} {together[kind]:.1f}%") + "\n")


def _draw_frame(frame, total, height):
    x, width = _WIDTH * frame.before / total, _WIDTH * frame.samples / total
    y = height - _ROW * len(frame.names) - 2
    colour = _COLOURS[frame.names[1]] if len(frame.names) > 1 else _PROGRAM
    name = re.sub(r"^(__x64_|__do_|k|__)sys_", "", frame.names[-1])
    letters = int((width - 4) / _LETTER)
    shown = name if len(name) <= letters else name[:letters - 1] + "…"
    return (f"<g><title>{escape(name)} {100 * frame.samples / total:.1f}%</title>"
            f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_ROW - 1}" fill="{colour}" '
            'stroke="white" stroke-width=".5"/>'
            + (_text(x + 2, y + 11, shown) if letters > 3 else "") + "</g>\n")


def _text(x, y, text):
    return f'<text x="{x:.1f}" y="{y}">{escape(text)}</text>'


def _all_programs(found):
    return sum(found.values(), collections.Counter())


def format_shares(folded):
    """A table in Markdown: percent of all, a row a kind and a column a program, the greatest first."""
    columns = {"all": collections.Counter(), "others": collections.Counter()}
    for program, kinds in sorted(stacks.shares(folded).items(), key=lambda item: -item[1].total()):
        own = program if kinds.total() >= _LEAST_COLUMN else "others"
        for column in ("all", own):
            columns[column] = columns.get(column, collections.Counter()) + kinds
    columns["others"] = columns.pop("others")  # last
    rows = [["percent of processor time", *columns], ["---"] * (len(columns) + 1)]
    for kind, _ in columns["all"].most_common():
        rows.append([kind, *(f"{column[kind]:.1f}" for column in columns.values())])
    rows.append(["together", *(f"{column.total():.1f}" for column in columns.values())])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)
