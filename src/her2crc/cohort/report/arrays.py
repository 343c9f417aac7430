"""The rules of the knowledge base over whole arrays of readings, for sweeps and redrawn measurements.

Every node of a condition becomes two masks, "is true" and "is false"; unknown is in neither. Readings may have one
column a draw: numpy spreads facts that do not vary over them. Checked against the reference executor in the tests.
Equality is meant up to ``CLOSE``, far below the last digit that a laboratory writes, because these are doubles.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from her2crc.criteria.nodes import (
    And,
    Compare,
    CompareRatio,
    IsNull,
    IsTrue,
    Node,
    Not,
    OneOf,
    Or,
)
from her2crc.criteria.sets import STATUSES, CriteriaSet
from her2crc.judge.verdicts import PATIENT_ORDER
from her2crc.model.quantity import DIPLOID

if TYPE_CHECKING:
    import polars

Array = NDArray[Any]
CLOSE = 1e-9
INDETERMINATE, NOT_COVERED = STATUSES.index("indeterminate"), STATUSES.index("not_covered")
RANKED = (*reversed(PATIENT_ORDER), "not_covered")
RANK = np.array([0 if name == "not_covered" else 1 + RANKED.index(name) for name in STATUSES], dtype=np.int8)
BY_RANK = np.argsort(RANK).astype(np.int8)


class Reading(NamedTuple):
    """One fact of all specimens: a number as quotient, or words; where it is known, and where nothing was stated."""

    value: Array
    known: Array
    absent: Array
    below: Array | float = 1.0


class Masks(NamedTuple):
    """Where a condition is true and where it is false; unknown is in neither."""

    true: Array
    false: Array


class Executor:
    """Decides criteria sets over one batch of readings; leaves that several sets share are worked out once."""

    def __init__(self, readings: Mapping[str, Reading]) -> None:
        self.readings = readings
        self._leaves: dict[Node, Masks] = {}

    def decide(self, criteria: CriteriaSet) -> Array:
        """Return the code of the status of each case under a set: the place in ``STATUSES``."""
        applies = self.masks(criteria.applies)
        shape = np.broadcast_shapes(*(item.value.shape for item in self.readings.values()))
        status = np.full(shape, NOT_COVERED, dtype=np.int8)
        undecided, waiting = np.broadcast_to(applies.true, shape).copy(), np.zeros(shape, dtype=bool)
        for row in criteria.rows:
            holds = self.masks(row.when)
            status[undecided & holds.true] = STATUSES.index(row.then)
            undecided &= ~holds.true
            waiting |= ~holds.true & ~holds.false
        status[undecided & waiting] = INDETERMINATE
        status[np.broadcast_to(~applies.true & ~applies.false, shape)] = INDETERMINATE
        return status

    def masks(self, node: Node) -> Masks:
        """Return where a condition is true and where it is false."""
        match node:
            case And(args):
                parts = [self.masks(arg) for arg in args]
                return Masks(_all([part.true for part in parts]), _any([part.false for part in parts]))
            case Or(args):
                parts = [self.masks(arg) for arg in args]
                return Masks(_any([part.true for part in parts]), _all([part.false for part in parts]))
            case Not(arg):
                true, false = self.masks(arg)
                return Masks(false, true)
        if node not in self._leaves:
            self._leaves[node] = self._leaf(node)
        return self._leaves[node]

    def _leaf(self, node: Node) -> Masks:
        match node:
            case Compare(field, op, literal):
                item = self.readings[field]
                return _compared(item.value - float(literal) * item.below, op, item.known)
            case CompareRatio(numerator, denominator, op, literal):
                above, below = self.readings[numerator], self.readings[denominator]
                difference = above.value - float(literal) * below.value
                return _compared(difference, op, above.known & below.known & (below.value > 0))
            case OneOf(field, values):
                item = self.readings[field]
                inside = np.isin(item.value, np.array(values))
                return Masks(item.known & inside, item.known & ~inside)
            case IsTrue(field):
                item = self.readings[field]
                return Masks(item.known & (item.value == 1), item.known & (item.value != 1))
            case IsNull(field):
                item = self.readings[field]
                return Masks(item.absent, ~item.absent)
        raise TypeError(type(node).__name__)


def _compared(difference: Array, op: str, known: Array) -> Masks:
    with np.errstate(invalid="ignore"):
        equal = np.abs(difference) <= CLOSE
        over, under = (difference > CLOSE), (difference < -CLOSE)
    hold = {"=": equal, "<>": over | under, "<": under, "<=": under | equal, ">": over, ">=": over | equal}[op]
    return Masks(known & hold, known & ~hold)


def _all(masks: list[Array]) -> Array:
    result = masks[0]
    for mask in masks[1:]:
        result = result & mask
    return result


def _any(masks: list[Array]) -> Array:
    result = masks[0]
    for mask in masks[1:]:
        result = result | mask
    return result


def by_patient(status: Array, starts: Array) -> Array:
    """Return the status of each patient from those of the specimens, which stand together from each of ``starts``."""
    return BY_RANK[np.maximum.reduceat(RANK[status], starts, axis=0)]


# ---- from frames to readings

COUNTS = ("ish_her2_signals", "ish_cep17_signals", "ish_nuclei")
NUMBERS = (
    *("ihc_score", "ihc_percent", "ish_cell_percent", "ngs_copies", "ngs_fold", "tumour_purity"),
    *("plasma_copies", "tumour_fraction", *COUNTS),
)
WORDS = ("tumour", "site", "specimen_kind", "ihc_pattern", "ngs_call")
REPORTED = ("ish_ratio", "ish_her2_copies", "ish_cep17_copies")


def readings_of(specimens: polars.DataFrame) -> dict[str, Reading]:
    """Return the readings of specimens as columns of one draw, as they were stated."""
    found = {name: _number(specimens, name) for name in (*NUMBERS, *REPORTED)}
    found |= {name: _words(specimens, name) for name in WORDS}
    return found


def _stated(specimens: polars.DataFrame, name: str) -> Array:
    return specimens["unsettled"].list.contains(name).fill_null(False).to_numpy()[:, None]


def _number(specimens: polars.DataFrame, name: str) -> Reading:
    known = specimens[name].is_not_null().to_numpy()[:, None]
    value = specimens[name].cast(float).fill_null(0).to_numpy()[:, None]
    return Reading(value, known, ~known & ~_stated(specimens, name))


def _words(specimens: polars.DataFrame, name: str) -> Reading:
    known = specimens[name].is_not_null().to_numpy()[:, None]
    value = specimens[name].fill_null("").to_numpy().astype("U20")[:, None]
    return Reading(value, known, ~known & ~_stated(specimens, name))


def derive(base: Mapping[str, Reading]) -> dict[str, Reading]:
    """Add ratio, means and copies per tumour cell, as ``normalise.facts`` does for one specimen."""
    found = dict(base)
    ratio = _quotient(base, "ish_her2_signals", "ish_cep17_signals")
    means = _quotient(base, "ish_her2_copies", "ish_cep17_copies")
    means = means._replace(known=means.known & base["ish_ratio"].absent)  # a contradiction is not settled by means
    found["ish_ratio"] = _first(ratio, _first(base["ish_ratio"], means))
    for mean, signals in (("ish_her2_copies", COUNTS[0]), ("ish_cep17_copies", COUNTS[1])):
        found[mean] = _first(_quotient(base, signals, "ish_nuclei"), base[mean])
    found["ngs_tumour_copies"] = _undiluted(base["ngs_copies"], base["tumour_purity"])
    found["plasma_adjusted_copies"] = _undiluted(base["plasma_copies"], base["tumour_fraction"])
    return found


def _quotient(base: Mapping[str, Reading], above: str, below: str) -> Reading:
    one, two = base[above], base[below]
    known = one.known & two.known & (two.value > 0)
    return Reading(one.value, known, ~known, two.value)


def _undiluted(copies: Reading, fraction: Reading) -> Reading:
    known = copies.known & fraction.known & (fraction.value > 0)
    return Reading(copies.value - DIPLOID * (1 - fraction.value), known, ~known, fraction.value)


def _first(one: Reading, two: Reading) -> Reading:
    return Reading(
        np.where(one.known, one.value, two.value),
        one.known | two.known,
        one.absent & two.absent,
        np.where(one.known, one.below, two.below),
    )
