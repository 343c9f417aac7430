"""Where each specimen stands on a picture of time: one lane a site, one mark a method.

Part of stage 5. Only geometry, in units of the picture; the template draws it. Specimens without a date have no place
in time and are listed beside the picture instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import MAXYEAR, date
from typing import NamedTuple

from her2crc.model.patient import Specimen
from her2crc.report.findings import findings
from her2crc.report.words import name_code

LEFT, PLOT, RIGHT = 110, 560, 210
"""Widths: the names of the lanes, the span of time, and room for the label of the last specimen."""

ROW, TOP, AXIS = 26, 12, 26
MIDDLE = 0.5
MARK = 16
"""Distance between the marks of one specimen."""

CHARACTER = 6.4
"""Width of one character of a label."""

LONGEST_LABEL = 22
FEWEST_YEARS, MOST_TICKS = 2, 9
"""Up to this many years the axis shows months; more ticks than this are thinned."""


class Mark(NamedTuple):
    """One method of one specimen; ``method`` is ``none`` where a specimen has no result."""

    x: float
    method: str


class Placed(NamedTuple):
    """One specimen: its marks, and its label with the place where it starts."""

    specimen_id: str
    label: str
    day: date
    y: float
    marks: tuple[Mark, ...]
    label_x: float


class Lane(NamedTuple):
    """One site, from ``top`` over ``height``."""

    site: str
    top: float
    height: float
    placed: tuple[Placed, ...]


class Tick(NamedTuple):
    """One line of the time axis."""

    x: float
    label: str


class Timeline(NamedTuple):
    """The whole picture, and the specimens that have no date."""

    width: float
    height: float
    lanes: tuple[Lane, ...]
    ticks: tuple[Tick, ...]
    undated: tuple[str, ...]


def draw_timeline(specimens: Sequence[Specimen]) -> Timeline:
    """Return the picture of the dated specimens, in the order of their first day; no lane where none is dated."""
    dated = sorted((item for item in specimens if item.collected_on), key=lambda item: str(item.collected_on))
    undated = tuple(item.specimen_id for item in specimens if not item.collected_on)
    if not dated:
        return Timeline(0, 0, (), (), undated)
    days = [item.collected_on for item in dated if item.collected_on]
    scale = TimeScale(days[0], days[-1])
    lanes = tuple(_lanes(dated, scale))
    height = lanes[-1].top + lanes[-1].height
    return Timeline(LEFT + PLOT + RIGHT, height + AXIS, lanes, tuple(scale.ticks()), undated)


class TimeScale:
    """Days to places along the picture, over whole months (a short span) or whole years."""

    def __init__(self, first: date, last: date) -> None:
        self.by_month = last.year - first.year < FEWEST_YEARS
        self.first = first.replace(day=1) if self.by_month else date(first.year, 1, 1)
        self.last = _next_month(last) if self.by_month else _next_year(last)

    def x(self, day: date) -> float:
        """Return the place of a day."""
        return round(LEFT + PLOT * (day - self.first).days / (self.last - self.first).days, 1)

    def ticks(self) -> Iterator[Tick]:
        """Yield the lines of the axis, thinned where there would be too many."""
        days = [self.first]
        while days[-1] < self.last:
            days.append(_next_month(days[-1]) if self.by_month else _next_year(days[-1]))
        step = 1 + len(days) // MOST_TICKS
        for day in days[::step]:
            yield Tick(self.x(day), day.strftime("%Y-%m" if self.by_month else "%Y"))


def _next_month(day: date) -> date:
    month = day.month % 12 + 1
    return day.replace(month=month, day=1) if month > 1 else _next_year(day)


def _next_year(day: date) -> date:
    """Return the first of January; at the end of the calendar (some systems write 9999-12-31) its last day."""
    return date(day.year + 1, 1, 1) if day.year < MAXYEAR else date.max


def _lanes(dated: Sequence[Specimen], scale: TimeScale) -> Iterator[Lane]:
    top = float(TOP)
    for site in dict.fromkeys(item.site for item in dated):
        rows: list[float] = []
        placed = tuple(_place(item, scale, rows, top) for item in dated if item.site == site)
        yield Lane(name_code(site) if site else "site not stated", top, len(rows) * ROW, placed)
        top += len(rows) * ROW


def _place(item: Specimen, scale: TimeScale, rows: list[float], top: float) -> Placed:
    """Place a specimen in the first row of its lane that is free there; ``rows`` holds where each row ends."""
    day = item.collected_on or date.min
    start = scale.x(day)
    methods = [found.method for found in findings(item)] or ["none"]
    marks = tuple(Mark(start + MARK * number, method) for number, method in enumerate(methods))
    label = _shorten(item.specimen_id)
    label_x = start + MARK * len(marks)
    row = next((number for number, end in enumerate(rows) if end <= start), len(rows))
    rows[row : row + 1] = [label_x + CHARACTER * len(label) + MARK]
    return Placed(item.specimen_id, label, day, top + ROW * row + ROW * MIDDLE, marks, label_x)


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
