"""Counting: the small questions that every section asks of the frames.

Used by the sections of the report. A status is decided where it is positive or negative; everything else is unknown
and never counted as negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from her2crc.cohort.report.cells import Cell, Count, Share
from her2crc.cohort.report.load import EQUIVOCAL, INDETERMINATE, NEGATIVE, NOT_COVERED, POSITIVE, Cohort
from her2crc.criteria.sets import CriteriaSet

if TYPE_CHECKING:
    import polars

UNKNOWN = "unknown"
WORDS = {
    "left": "left",
    "right": "right",
    "rectum": "rectum",
    "wild_type": "wild type",
    "mutant": "mutant",
    "lymph_node": "lymph node",
    "true": "yes",
    "false": "no",
}


def counted(frame: polars.DataFrame, name: str) -> dict[int, int]:
    """Return how many rows have each status under one rule."""
    counts = frame[name].value_counts()
    return {int(code): int(n) for code, n in zip(counts[name], counts["count"], strict=True) if code is not None}


def decided(frame: polars.DataFrame, name: str) -> Share:
    """Return the positive of the decided under one rule."""
    counts = counted(frame, name)
    return Share(counts.get(POSITIVE, 0), counts.get(POSITIVE, 0) + counts.get(NEGATIVE, 0))


def status_cells(frame: polars.DataFrame, name: str) -> tuple[Cell, ...]:
    """Return positive of decided, at least and at most positive of all who are covered, and the undecided by kind."""
    counts = counted(frame, name)
    share = decided(frame, name)
    waiting, missing = counts.get(EQUIVOCAL, 0), counts.get(INDETERMINATE, 0)
    covered = share.total + waiting + missing
    return (
        share,
        Share(share.events, covered),
        Share(share.events + waiting + missing, covered),
        Count(waiting),
        Count(missing),
        Count(counts.get(NOT_COVERED, 0)),
    )


def share_of(frame: polars.DataFrame, name: str) -> Share:
    """Return how many of a yes/no column are yes, of those where it is known."""
    known = frame[name].drop_nulls()
    return Share(int(known.sum()), len(known))


def strata(frame: polars.DataFrame, column: str) -> Iterator[tuple[str, polars.DataFrame]]:
    """Yield the rows of each value of a column, unknown last."""
    from polars import col

    values = sorted(frame[column].drop_nulls().unique().to_list())
    for value in values:
        yield word(value), frame.filter(col(column) == value)
    rest = frame.filter(col(column).is_null())
    if len(rest):
        yield UNKNOWN, rest


def word(value: object) -> str:
    """Return a value as a reader says it."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return WORDS.get(text, text.replace("_", " "))


def rule_names(cohort: Cohort) -> Sequence[CriteriaSet]:
    """Return the rules that say anything of this cohort, in their own order; the rest has nothing to count."""
    return [item for item in cohort.rules.values() if set(counted(cohort.patients, item.id)) - {NOT_COVERED}]
