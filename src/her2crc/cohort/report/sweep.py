"""Section "other thresholds": what each rule would say if one of its printed thresholds were another.

Part of the report on a cohort. The condition of the knowledge base is changed and run again; nothing is coded by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from her2crc.cohort.report.arrays import Array, Executor, by_patient, derive, readings_of
from her2crc.cohort.report.cells import Cell, Plot, Section, Share, Table
from her2crc.cohort.report.load import NEGATIVE, POSITIVE, Cohort
from her2crc.cohort.report.settings import settings
from her2crc.cohort.report.tables import rule_names
from her2crc.criteria.nodes import And, Compare, Node, Not, Or, walk
from her2crc.criteria.sets import CriteriaSet

if TYPE_CHECKING:
    import polars

UNITS = {"ihc_percent": "percent of stained cells", "ish_ratio": "HER2/CEP17 ratio"}


def sweep_section(cohort: Cohort) -> Section:
    """Try other thresholds for the percentage of cells and for the ratio."""
    from polars import col

    slides = cohort.specimens.filter(col("has_ihc") | col("has_ish"))["patient_id"].unique()
    inside = cohort.specimens.filter(col("patient_id").is_in(slides.implode()))
    title = "Other thresholds"
    if not len(inside):
        return Section("sweep", title, impossible="No specimen has IHC or ISH.")
    rest = cohort.patients.filter(~col("patient_id").is_in(slides.implode()))
    trial = _Trial(cohort, inside, rest)
    tables = tuple(table for field in settings().sweep if (table := _table(trial, field)).rows)
    return Section(
        "sweep",
        title,
        lead=(
            (
                "One printed threshold of a rule is replaced, its operator and everything else kept, and the rule is "
                "run again on every specimen. The printed value is in the second column. Where a replaced threshold "
                "crosses another of the same rule, the first row of the rule that holds decides.",
            ),
        ),
        tables=tables,
        plots=tuple(
            Plot(
                "sweep",
                item.id,
                f"Positive of decided patients over the {UNITS[item.id]}, each line from 0 to its highest value, the "
                "printed threshold marked",
                item.columns,
            )
            for item in tables
        ),
        impossible="" if tables else "No rule that covers these patients has such a threshold.",
    )


class _Trial:
    """The specimens of the patients whom such a threshold can touch, and the verdicts of the rest, which stay."""

    def __init__(self, cohort: Cohort, inside: polars.DataFrame, rest: polars.DataFrame) -> None:
        self.rules = rule_names(cohort)
        self.executor = Executor(derive(readings_of(inside)))
        self.starts = first_of_each(inside["patient_id"])
        self.rest = {item.id: _tally(rest[item.id].to_numpy()) for item in self.rules}

    def share(self, criteria: CriteriaSet) -> Share:
        """Return the positive of the decided patients under a changed rule."""
        positive, negative = _tally(by_patient(self.executor.decide(criteria), self.starts))
        first, second = self.rest[criteria.id]
        return Share(positive + first, positive + negative + first + second)


def first_of_each(ids: polars.Series) -> Array:
    """Return where each patient begins, in a column in which those of one patient stand together."""
    found: Array = np.flatnonzero(np.r_[True, (ids != ids.shift()).to_numpy()[1:]])
    return found


def _tally(codes: Array) -> tuple[int, int]:
    return int((codes == POSITIVE).sum()), int((codes == NEGATIVE).sum())


def _table(trial: _Trial, field: str) -> Table:
    tried = settings().sweep[field]
    rows: list[tuple[Cell, ...]] = []
    for item in trial.rules:
        for printed in printed_thresholds(item, field):
            cells = [trial.share(with_threshold(item, field, printed, Decimal(value))) for value in tried]
            rows.append((item.name, str(printed), *cells))
    return Table(
        field,
        f"Positive of decided patients, by {UNITS[field]}",
        ("rule", "printed", *tried),
        tuple(rows),
    )


def printed_thresholds(criteria: CriteriaSet, field: str) -> list[Decimal]:
    """Return the thresholds of a field in a set, each once, highest first."""
    found = {node.value for node in _leaves(criteria) if isinstance(node, Compare) and node.field == field}
    return sorted(found, reverse=True)


def _leaves(criteria: CriteriaSet) -> Iterator[Node]:
    for row in criteria.rows:
        yield from walk(row.when)


def with_threshold(criteria: CriteriaSet, field: str, printed: Decimal, value: Decimal) -> CriteriaSet:
    """Return a set in which one threshold is another."""
    rows = tuple(msgspec.structs.replace(row, when=_replace(row.when, field, printed, value)) for row in criteria.rows)
    return msgspec.structs.replace(criteria, rows=rows)


def _replace(node: Node, field: str, printed: Decimal, value: Decimal) -> Node:
    match node:
        case And(args):
            return And(tuple(_replace(arg, field, printed, value) for arg in args))
        case Or(args):
            return Or(tuple(_replace(arg, field, printed, value) for arg in args))
        case Not(arg):
            return Not(_replace(arg, field, printed, value))
        case Compare(name, op, literal) if name == field and literal == printed:
            return Compare(name, op, value)
        case _:
            return node
