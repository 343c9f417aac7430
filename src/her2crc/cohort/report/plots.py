"""Pictures of tables: only geometry, in units of the picture; the template draws it as SVG.

Part of the report on a cohort, after disclosure, so that a picture never shows what its table hides. Colours differ in
lightness and lines also in dashes, so that nothing hangs on colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import NamedTuple

from her2crc.cohort.report.cells import Figure, Plot, Share, Table
from her2crc.cohort.report.shown import PERCENT, show
from her2crc.cohort.report.statistics import exact_interval

LABELS, PLOT, TEXT = 320, 320, 170
ROW, TOP, AXIS = 24, 10, 34
COURSE, TALL = 44, 30
HEIGHT, RIGHT, LEFT = 300, 110, 46
CELL, HEAD = 38, 26
LIGHT, DARK = (235, 243, 248), (7, 74, 102)
TURN = 0.55
"""From this share of the scale on, a dark cell has light letters."""

TICKS = 5
STEPS = (1, 2, 5, 10)
SERIES = (("#0b5c7a", ""), ("#b45f06", "7 4"))


class Tick(NamedTuple):
    """One line of an axis."""

    at: float
    label: str


class Bar(NamedTuple):
    """A percentage with its interval."""

    label: str
    y: float
    low: float
    middle: float
    high: float
    text: str


class Square(NamedTuple):
    """A cell of a matrix."""

    x: float
    y: float
    fill: str
    ink: str
    text: str


class Line(NamedTuple):
    """A line with the place of its name."""

    label: str
    points: str
    colour: str
    dashes: str
    end_x: float
    end_y: float


class Course(NamedTuple):
    """The percentages of one rule over thresholds, on a scale of its own; a mark where the printed threshold is."""

    label: str
    y: float
    points: str
    mark: tuple[float, float] | None
    text: str


class Picture(NamedTuple):
    """Everything that the template draws."""

    kind: str
    title: str
    words: str
    width: float
    height: float
    ticks: tuple[Tick, ...] = ()
    side_ticks: tuple[Tick, ...] = ()
    bars: tuple[Bar, ...] = ()
    squares: tuple[Square, ...] = ()
    labels: tuple[Tick, ...] = ()
    heads: tuple[Tick, ...] = ()
    lines: tuple[Line, ...] = ()
    courses: tuple[Course, ...] = ()


def draw(plot: Plot, table: Table) -> Picture | None:
    """Return the picture of a table; None where the table has nothing that may be drawn."""
    if plot.kind == "intervals":
        return _intervals(plot, table)
    if plot.kind == "sweep":
        return _sweep(plot, table)
    return _matrix(plot, table) if plot.kind == "matrix" else _lines(plot, table)


def _intervals(plot: Plot, table: Table) -> Picture | None:
    label, value = (table.columns.index(name) for name in plot.columns)
    rows = [
        (str(row[label]), cell)
        for row in table.rows
        if isinstance(cell := row[value], Share) and cell.events < cell.total
    ]
    if not rows:
        return None
    ends = [exact_interval(cell.events, cell.total) for _, cell in rows]
    ticks = _ticks(max(high for _, high in ends) * PERCENT)
    scale = PLOT / ticks[-1]
    bars = []
    for number, ((name, cell), (low, high)) in enumerate(zip(rows, ends, strict=True)):
        left, at, right = (round(LABELS + end * PERCENT * scale, 1) for end in (low, cell.events / cell.total, high))
        text = f"{cell.events / cell.total * PERCENT:.1f} % ({cell.events:,} of {cell.total:,})"
        bars.append(Bar(name, TOP + ROW * (number + 1 / 2), left, at, right, text))
    words = " ".join(f"{bar.label}: {bar.text}." for bar in bars)
    marks = tuple(Tick(LABELS + tick * scale, f"{tick:g} %") for tick in ticks)
    height = TOP + ROW * len(rows) + AXIS
    return Picture("intervals", plot.title, words, LABELS + PLOT + TEXT, height, marks, bars=tuple(bars))


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to at least ``most``."""
    rough = max(most, 1 / PERCENT) / TICKS
    size = 10.0 ** floor(log10(rough))
    step = next(size * factor for factor in STEPS if size * factor >= rough)
    return [step * number for number in range(ceil(most / step) + 1)]


def _matrix(plot: Plot, table: Table) -> Picture | None:
    names = [str(row[0]) for row in table.rows]
    squares = []
    for down, row in enumerate(table.rows):
        for across, cell in enumerate(row[1:]):
            x, y = LABELS + across * CELL, HEAD + down * CELL
            share = max(0.0, min(1.0, cell.value)) if isinstance(cell, Figure) else 0.0
            known = isinstance(cell, Figure)
            fill = "#{:02x}{:02x}{:02x}".format(*_mixed(share)) if known else "#ffffff"
            squares.append(Square(x, y, fill, "#ffffff" if share > TURN else "#1c2730", show(cell).main))
    if not squares:
        return None
    labels = tuple(Tick(HEAD + CELL * (at + 1 / 2), f"{at + 1}  {name}") for at, name in enumerate(names))
    heads = tuple(Tick(LABELS + CELL * (at + 1 / 2), str(at + 1)) for at in range(len(names)))
    side = CELL * len(names)
    words = "Rows and columns are the rules in the same order. The CSV beside this page has every value."
    picture = Picture("matrix", plot.title, words, LABELS + side + TOP, HEAD + side + TOP)
    return picture._replace(squares=tuple(squares), labels=labels, heads=heads)


def _mixed(share: float) -> Sequence[int]:
    return [round(light + (dark - light) * share) for light, dark in zip(LIGHT, DARK, strict=True)]


def _lines(plot: Plot, table: Table) -> Picture | None:
    x_at, *series = (table.columns.index(name) for name in plot.columns)
    if not table.rows:
        return None
    xs = [float(str(row[x_at])) for row in table.rows]
    ticks, side = _ticks(max(xs)), _ticks(PERCENT)
    wide, tall = PLOT + LABELS, HEIGHT
    lines = []
    for (colour, dashes), at in zip(SERIES, series, strict=True):
        values = [cell.value if isinstance(cell := row[at], Figure) else 0.0 for row in table.rows]
        places = [
            (LEFT + x / ticks[-1] * wide, TOP + (1 - y / side[-1]) * tall) for x, y in zip(xs, values, strict=True)
        ]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        lines.append(Line(table.columns[at], points, colour, dashes, places[-1][0], places[-1][1]))
    words = f"Two lines: {', '.join(line.label for line in lines)}. The CSV beside this page has every value."
    return Picture(
        "lines",
        plot.title,
        words,
        LEFT + wide + RIGHT,
        TOP + tall + AXIS,
        tuple(Tick(LEFT + tick / ticks[-1] * wide, f"{tick:g}") for tick in ticks),
        tuple(Tick(TOP + (1 - tick / side[-1]) * tall, f"{tick:g} {plot.unit}") for tick in side),
        lines=tuple(lines),
    )


def _sweep(plot: Plot, table: Table) -> Picture | None:
    """Draw one small line a rule; a rule with a hidden cell is left out."""
    label, printed, *values = (table.columns.index(name) for name in plot.columns)
    tried = plot.columns[-len(values) :]
    places = [LABELS + PLOT * number / (len(values) - 1) for number in range(len(values))]
    courses: list[Course] = []
    for row in table.rows:
        shares = [cell.events / cell.total for at in values if isinstance(cell := row[at], Share) and cell.total]
        if len(shares) < len(values):
            continue
        base = TOP + COURSE * (len(courses) + 1) - (COURSE - TALL) / 2
        most = max(shares) or 1.0
        points = dict(
            zip(tried, [(x, base - TALL * y / most) for x, y in zip(places, shares, strict=True)], strict=True)
        )
        text = f"{shares[0] * PERCENT:.1f} to {shares[-1] * PERCENT:.1f} %"
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points.values())
        courses.append(Course(str(row[label]), base, line, points.get(str(row[printed])), text))
    if not courses:
        return None
    rest = "; rules with a hidden or empty count are left out" if len(courses) < len(table.rows) else ""
    words = " ".join(f"{item.label}: {item.text}." for item in courses)
    ticks = tuple(Tick(x, name) for x, name in zip(places, tried, strict=True))
    height = TOP + COURSE * len(courses) + AXIS
    return Picture("sweep", f"{plot.title}{rest}", words, LABELS + PLOT + TEXT, height, ticks, courses=tuple(courses))
