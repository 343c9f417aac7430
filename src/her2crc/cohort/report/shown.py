"""How a cell is written: for a person on the page, and number by number for CSV and JSON.

Last but one step of the report, after disclosure. Percentages and intervals are worked out here from the counts that
may be shown, and nowhere else.
"""

from __future__ import annotations

from math import isfinite, isnan
from typing import NamedTuple

from her2crc.cohort.report.cells import Cell, Count, Figure, Hidden, Published, Share
from her2crc.cohort.report.statistics import exact_interval

PERCENT = 100
NOTHING = "\u2013"
RANGE = "\u2009\u2013\u2009"


class Shown(NamedTuple):
    """A cell on the page: the number, and in small print what it is of."""

    main: str
    small: str = ""
    source: str = ""
    kind: str = "text"


def show(cell: Cell) -> Shown:
    """Return a cell as it stands on the page."""
    match cell:
        case None:
            return Shown("")
        case str():
            return Shown(cell)
        case Hidden(text):
            return Shown(text, kind="hidden")
        case Count(n):
            return Shown(f"{n:,}", kind="number")
        case Share(events, total):
            return _share(events, total)
        case Published(percent, source, events, total):
            counts = f"{events:,} of {total:,}" if total and events is not None else "no counts printed"
            return Shown(f"{percent} %", counts, source, "number")
        case Figure():
            return _figure(cell)
    raise TypeError(type(cell).__name__)


def _share(events: int, total: int) -> Shown:
    if not total:
        return Shown(NOTHING, "of 0", kind="number")
    low, high = exact_interval(events, total)
    interval = f"{low * PERCENT:.1f}{RANGE}{high * PERCENT:.1f}"
    return Shown(f"{events / total * PERCENT:.1f} %", f"{events:,} of {total:,}; {interval}", kind="number")


def _figure(cell: Figure) -> Shown:
    main = written(cell.value, cell.digits, cell.significant)
    if not cell.interval:
        return Shown(main, kind="number")
    low, high = (written(end, cell.digits, False) for end in cell.interval)
    return Shown(main, f"{low} to {high}", kind="number")


def written(value: float, digits: int, significant: bool) -> str:
    """Return a number with its digits; a p value below the last digit is written as less than it."""
    if isnan(value):
        return NOTHING
    if not isfinite(value):
        return "not reached" if value > 0 else "\u2212\u221e"
    least = 1 / 10**digits
    if significant and value < least:
        return f"<{least:.{digits}f}"
    return f"{value:.{digits}f}".replace("-", "\u2212")


def parts(cell: Cell) -> dict[str, str | int | float]:
    """Return the numbers of a cell by name: "" is the cell itself."""
    match cell:
        case Count(n):
            return {"": n}
        case Share(events, total):
            low, high = exact_interval(events, total)
            value = {"percent": round(events / total * PERCENT, 3)} if total else {}
            ends = {"low": round(low * PERCENT, 3), "high": round(high * PERCENT, 3)} if total else {}
            return {"events": events, "total": total, **value, **ends}
        case Figure(value, interval=interval):
            limits = {"low": _finite(interval[0]), "high": _finite(interval[1])} if interval else {}
            return {"": _finite(value), **limits}
        case Published(percent, source, events, total):
            counts = {"events": events, "total": total} if total and events is not None else {}
            return {"percent": percent, **counts, "source": source}
        case Hidden(text):
            return {"": text}
        case None:
            return {}
        case str():
            return {"": cell}


def _finite(value: float) -> float | str:
    return float(f"{value:.6g}") if isfinite(value) else str(value)
