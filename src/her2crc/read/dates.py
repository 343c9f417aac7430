"""Days as laboratories write them, for a mapping that says in which order: 01.03.2026, 3/1/2026, 2026年3月1日, 46082.

A day is never guessed from one cell: 03/04/2026 is two days. Used by :mod:`her2crc.read.mapping` and ``propose``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

Order = Literal["day_first", "month_first", "excel", ""]
"""How a column writes days: which of day and month comes first, or as the day number of a spreadsheet."""
TIME = r"(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
WRITTEN = re.compile(r"(\d{1,4}) ?[./\-年] ?(\d{1,2}) ?[./\-月] ?(\d{1,4}) ?日?" + TIME)
DOTTED = re.compile(r"\d{1,2}\. ?\d{1,2}\. ?\d{4}")
SERIAL = re.compile(r"[1-9]\d{4}(?:\.\d+)?")
YEAR_DIGITS = 4
SPREADSHEET_START = date(1899, 12, 30)
"""Day 0 of the day numbers that Excel keeps (with its leap day of 1900, which never was)."""


def iso_day(written: str, order: Order) -> str | None:
    """Return a day in ISO form; None where it is none in this order, or its year has not four digits.

    A year that comes first is followed by the month, whatever the order.
    """
    text = written.strip()
    if order == "excel" and SERIAL.fullmatch(text):
        return (SPREADSHEET_START + timedelta(days=int(float(text)))).isoformat()
    parts = WRITTEN.fullmatch(text)
    if parts is None:
        return None
    first, second, third = parts.groups()
    if len(first) == YEAR_DIGITS:
        year, month, day = first, second, third
    elif order == "excel":
        return None
    else:
        day, month, year = (first, second, third) if order == "day_first" else (second, first, third)
    try:
        return date(int(year), int(month), int(day)).isoformat() if len(year) == YEAR_DIGITS else None
    except ValueError:
        return None


def possible_orders(values: Iterable[str], header: str, hints: dict[str, tuple[str, ...]]) -> tuple[Order, ...]:
    """Return the orders in which all of the values are days; one where dots or words in the header settle it."""
    written = [*values]
    orders: tuple[Order, ...] = ("day_first", "month_first", "excel")
    fitting = tuple(order for order in orders if written and all(iso_day(value, order) for value in written))
    told = tuple(order for order in fitting if any(hint in header.casefold() for hint in hints.get(order, ())))
    if len(fitting) > 1 and all(DOTTED.match(value) or value[:YEAR_DIGITS].isdigit() for value in written):
        return fitting[:1]
    return told or fitting
