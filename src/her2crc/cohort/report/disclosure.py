"""Small cells hidden, so that a report can be shared: what is hidden cannot be computed from what is shown.

With ``--suppress-below k`` a count of 0 to k is shown as "up to k", every other one as the middle of its class of k
counts (of 5: 6 to 10 is 8, 11 to 15 is 13). A count that must be hidden, 1 to k - 1, so has a neighbour on either side
that looks the same: whatever a sum leaves open, one of them is possible too. Rounded to the nearest multiple, or with 0
shown, one sum can name a hidden cell (8 + 8 + 1 = 17). Hiding a second cell of the same table would protect that table
alone, while here the same patients are counted in many.

Percentages, intervals and statistics of counts are worked out from the counts as shown (the sections ask
:func:`for_statistics`), and other statistics keep two digits; a statistic is hidden where a cell behind it is. Lists of
patients, and curves, which have one step a patient, are left out. See decision 0028.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from her2crc.cohort.report.cells import Cell, Count, Figure, Hidden, Section, Sentence, Share, Table
from her2crc.errors import UsageError

DIGITS_KEPT = 2
LEAST_BOUND = 2
"""Below 1 there is nobody to hide."""


def disclose(sections: Sequence[Section], below: int) -> tuple[Section, ...]:
    """Return the sections with small cells hidden and other counts in classes; as they are where ``below`` is 0.

    Raises:
        UsageError: a bound of 1, or a negative one.
    """
    if not below:
        return tuple(sections)
    if below < LEAST_BOUND:
        raise UsageError(
            f"counts below {below} cannot be hidden.", fix=f"Give {LEAST_BOUND} or more (5 is usual), or leave it out."
        )
    return tuple(_section(section, below) for section in sections)


def _section(section: Section, below: int) -> Section:
    kept = tuple(_table(item, below) for item in section.tables if not item.listing)
    names = {item.id for item in kept}
    left_out = len(section.tables) - len(kept)
    note: tuple[Sentence, ...] = (
        (("Lists of patients and curves with one step a patient are left out of a report with small cells hidden.",),)
        if left_out
        else ()
    )
    return msgspec.structs.replace(
        section,
        lead=tuple(_cells(item, below) for item in section.lead),
        tables=kept,
        plots=tuple(item for item in section.plots if item.of in names),
        notes=(*(_cells(item, below) for item in section.notes), *note),
    )


def _table(table: Table, below: int) -> Table:
    return msgspec.structs.replace(table, rows=tuple(_cells(row, below) for row in table.rows))


def _cells(cells: Sequence[Cell], below: int) -> tuple[Cell, ...]:
    return tuple(safe(cell, below) for cell in cells)


def safe(cell: Cell, below: int) -> Cell:
    """Return a cell as it may be shown."""
    match cell:
        case Count(n):
            return Hidden(f"up to {below}") if is_small(n, below) else Count(shown_as(n, below))
        case Share(events, total):
            return _safe_share(events, total, below)
        case Figure():
            hidden = any(is_small(count, below) for count in cell.counts)
            return Hidden("hidden") if hidden else _coarse(cell)
        case _:
            return cell


def is_small(count: int, below: int) -> bool:
    """Tell whether a count is hidden: those below the bound, and on either side of them 0 and the bound itself."""
    return bool(below) and count <= below


def shown_as(count: int, below: int) -> int:
    """Return the middle of the class of ``below`` counts to which a count belongs."""
    return (max(count, 1) - 1) // below * below + (below + 1) // 2


def for_statistics(counts: Sequence[int], below: int) -> tuple[int, ...]:
    """Return the counts that a statistic may be worked out from: those that are shown, where cells are hidden."""
    return tuple(shown_as(count, below) for count in counts) if below else tuple(counts)


def _safe_share(events: int, total: int, below: int) -> Cell:
    if is_small(total, below):
        return Hidden(f"of up to {below}")
    if is_small(events, below):
        return Hidden(f"up to {below} of {shown_as(total, below):,}")
    if is_small(total - events, below):
        return Hidden(f"all but up to {below} of {shown_as(total, below):,}")
    return Share(shown_as(events, below), shown_as(total, below))


def _coarse(figure: Figure) -> Figure:
    interval = figure.interval and (_two_digits(figure.interval[0]), _two_digits(figure.interval[1]))
    return msgspec.structs.replace(figure, value=_two_digits(figure.value), interval=interval)


def _two_digits(value: float) -> float:
    number = Decimal(repr(value))
    if not number.is_finite() or not number:
        return value
    last = Decimal((0, (1,), number.adjusted() - DIGITS_KEPT + 1))
    return float(number.quantize(last, ROUND_HALF_UP))
