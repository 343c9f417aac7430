"""What the rules can tell apart in a specimen, packed into one whole number: its *signature*.

Each fact counts only by where it lies among the thresholds of all sets: unknown, unusable, or one of the intervals
and points that the thresholds make. Specimens of one signature have the same verdicts, the same missing facts and the
same next tests, so a registry of millions is a few thousand different specimens.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from her2crc.cohort.values import MILLION, Column, Flags, Ints, to_units
from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.kernel import add_codes, add_numbers, place_per_tumour_cell
from her2crc.criteria.library import Knowledge
from her2crc.criteria.nodes import Compare, CompareRatio, OneOf, fields_read, walk
from her2crc.criteria.run import Facts
from her2crc.errors import UsageError
from her2crc.judge.verdicts import RESULTS
from her2crc.model.quantity import DIPLOID, UNSETTLED, Ratio, Value

ABSENT, UNUSABLE, KNOWN = 0, 1, 2
"""The first places of every fact: absent, stated but unusable, and from here on the known ones."""
HEAD = ("tumour", "site", "specimen_kind", "scoring_system")
GROUPS = ("ihc", "ish", "tissue", "plasma")

Places = npt.NDArray[np.int64]


class Scale(NamedTuple):
    """How one fact is placed: among thresholds where it is a number, else among codes.

    ``below`` names the second field where a set compares a quotient of two fields of its own choice.
    """

    field: Field
    thresholds: tuple[Decimal, ...]
    codes: tuple[str, ...]
    below: str = ""

    @property
    def units(self) -> Ints:
        """The thresholds in whole units."""
        return np.array([to_units(limit) for limit in self.thresholds], np.int64)

    @property
    def size(self) -> int:
        """The number of different places."""
        if self.field.type in NUMERIC:
            return KNOWN + 1 + len(self.thresholds) * 2
        return KNOWN + 1 + len(self.codes)

    def place(self, value: Value | None) -> int:
        """Return the place of one fact."""
        if value is None:
            return ABSENT
        if value is UNSETTLED:
            return UNUSABLE
        if isinstance(value, Ratio):
            return KNOWN + sum((value.excess(limit) > 0) + (value.excess(limit) >= 0) for limit in self.thresholds)
        if self.field.type in NUMERIC:
            number = Decimal(value)  # type: ignore[arg-type]  # a number, by its field's type
            return KNOWN + sum((number > limit) + (number >= limit) for limit in self.thresholds)
        if isinstance(value, bool):
            return KNOWN + int(value)
        return KNOWN + (self.codes.index(str(value)) if value in self.codes else len(self.codes))


class Placed(NamedTuple):
    """A fact of many specimens by its place; ``unsure`` where whole units could not settle it."""

    places: Places
    unsure: Flags


class Signatures:
    """Packs the facts of specimens, in columns or one by one, by the thresholds of the sets in force."""

    def __init__(self, knowledge: Knowledge) -> None:
        self.scales = _scales(knowledge)
        sizes = [scale.size for scale in self.scales.values()]
        if np.prod([float(size) for size in sizes]) >= float(np.iinfo(np.int64).max):
            raise UsageError(
                "The sets have more thresholds than a cohort can be screened with at once.",
                fix="Screen with fewer sets of your own.",
            )
        self.steps = [int(np.prod(sizes[:at], dtype=object)) for at in range(len(sizes))]

    def of_facts(self, facts: Facts) -> int:
        """Return the signature of one specimen."""
        return self.pack(self.places(facts))

    def places(self, facts: Facts) -> dict[str, int]:
        """Return the place of each fact of one specimen."""
        return {name: self.place(name, facts) for name in self.scales}

    def pack(self, places: Mapping[str, int]) -> int:
        """Return the signature that places make, which stand in the order of the scales."""
        return sum(map(operator.mul, places.values(), self.steps))

    def place(self, name: str, facts: Facts) -> int:
        """Return the place of one fact, or of a quotient of two facts written ``above / below``."""
        scale = self.scales[name]
        if not scale.below:
            return scale.place(facts.get(name))
        above, below = facts.get(scale.field.name), facts.get(scale.below)
        if not isinstance(above, int | Decimal) or not isinstance(below, int | Decimal) or below <= 0:
            return ABSENT
        return scale.place(Ratio(Decimal(above), Decimal(below)))

    def of_columns(self, columns: Mapping[str, Column]) -> tuple[Ints, Flags]:
        """Return the signatures of many plain specimens, and where they are not sure."""
        length = len(columns["site"].known)
        packed, unsure = np.zeros(length, np.int64), np.zeros(length, np.bool_)
        for (name, scale), step in zip(self.scales.items(), self.steps, strict=True):
            placed = self._quotient_of(name, scale, columns)
            if placed is not None:
                packed += placed.places * step
                unsure |= placed.unsure
                continue
            column = columns.get(name)
            if column is None or not column.known.any():
                continue
            if scale.field.type in NUMERIC:
                add_numbers(packed, column.values, column.known, scale.units, KNOWN, step)
            else:
                add_codes(packed, column.values, column.known, len(scale.codes), KNOWN, step)
        return packed, unsure

    def _quotient_of(self, name: str, scale: Scale, columns: Mapping[str, Column]) -> Placed | None:
        """Return the places of a fact that may be a quotient; None where only its own column can tell of it."""
        if scale.below:
            return _quotient(columns[scale.field.name], columns[scale.below], scale)
        if name == "ish_ratio":
            counts = _quotient(columns["ish_her2_signals"], columns["ish_cep17_signals"], scale, MILLION)
            means = _quotient(columns["ish_her2_copies"], columns["ish_cep17_copies"], scale)
            return _first(counts, _numbers(columns[name], scale), means) if counts or means else None
        if name in ("ish_her2_copies", "ish_cep17_copies"):
            counts = _quotient(columns[name.replace("copies", "signals")], columns["ish_nuclei"], scale, MILLION)
            return _first(counts, _numbers(columns[name], scale)) if counts else None
        if scale.field.derived_from:
            copies, fraction = (columns[base] for base in scale.field.derived_from)
            return _per_tumour_cell(copies, fraction, scale)
        return None


def _scales(knowledge: Knowledge) -> dict[str, Scale]:
    leaves = [
        leaf
        for item in knowledge.criteria.values()
        for node in (item.applies, *(row.when for row in item.rows))
        for leaf in walk(node)
    ]
    names = [name for leaf in leaves for name in fields_read(leaf)]
    names += [base for name in names for base in knowledge.fields[name].derived_from]
    names += [name for kind in knowledge.tests for name in (*kind.supplies, *kind.only_if)]
    wanted = [name for name in dict.fromkeys((*HEAD, *names, *RESULTS)) if _of_specimen(knowledge.fields[name])]
    scales = {name: _scale(knowledge.fields[name], leaves) for name in wanted}
    pairs = {(leaf.numerator, leaf.denominator) for leaf in leaves if isinstance(leaf, CompareRatio)}
    return scales | {quotient_name(*pair): _quotient_scale(*pair, knowledge, leaves) for pair in sorted(pairs)}


def quotient_name(above: str, below: str) -> str:
    """Return the name under which a quotient of two fields is placed."""
    return f"{above} / {below}"


def _quotient_scale(above: str, below: str, knowledge: Knowledge, leaves: Sequence[object]) -> Scale:
    quotients = [leaf for leaf in leaves if isinstance(leaf, CompareRatio)]
    limits = {leaf.value for leaf in quotients if (leaf.numerator, leaf.denominator) == (above, below)}
    return Scale(knowledge.fields[above], tuple(sorted(limits)), (), below)


def _of_specimen(field: Field) -> bool:
    return field.group in GROUPS or field.name in HEAD


def _scale(field: Field, leaves: Sequence[object]) -> Scale:
    limits = {leaf.value for leaf in leaves if isinstance(leaf, Compare) and leaf.field == field.name}
    if any(to_units(limit) % 2 for limit in limits):
        raise UsageError(f"A threshold of {field.name} has more than six decimals, too many for a cohort.")
    named = [leaf.values for leaf in leaves if isinstance(leaf, OneOf) and leaf.field == field.name]
    codes = tuple(field.values) or tuple(dict.fromkeys(code for values in named for code in values))
    if field.name == "ihc_score":  # the highest score of a patient is told from the signature too
        limits |= {Decimal(score) for score in range(int(field.minimum or 0), int(field.maximum or 0) + 1)}
    return Scale(field, tuple(sorted(limits)), codes if field.type != "boolean" else ("true",))


def _numbers(column: Column, scale: Scale) -> Placed:
    places = np.zeros(len(column.values), np.int64)
    add_numbers(places, column.values, column.known, scale.units, KNOWN, 1)
    return Placed(places, np.zeros(len(places), np.bool_))


def _bounds(column: Column) -> tuple[Ints, Ints]:
    """Return the whole millionths between which each value lies; both are the value where it has no further digit."""
    low = column.values // 2
    return low, low + column.values % 2


def _quotient(above: Column, below: Column, scale: Scale, whole: int = 1) -> Placed | None:
    """Place a quotient by cross-multiplication; counts are divided down to themselves (``whole``) to stay small.

    None where no specimen has it.
    """
    known = above.known & below.known & (below.values > 0)
    if not known.any():
        return None
    (top_low, top_high), (bottom_low, bottom_high) = _bounds(above), _bounds(below)
    low, high = np.full(len(known), KNOWN), np.full(len(known), KNOWN)
    for limit in scale.thresholds:
        times = int(limit * MILLION)
        least = top_low // whole * MILLION - times * (bottom_high // whole)
        most = top_high // whole * MILLION - times * (bottom_low // whole)
        low += (least > 0).astype(np.int64) + (least >= 0)
        high += (most > 0).astype(np.int64) + (most >= 0)
    return Placed(np.where(known, low, ABSENT), known & (low != high))


def _per_tumour_cell(copies: Column, fraction: Column, scale: Scale) -> Placed | None:
    """Place (copies - 2 (1 - fraction)) / fraction; None where no specimen has it."""
    known = copies.known & fraction.known & (fraction.values > 0)
    if not known.any():
        return None
    limits = np.array([int(limit * MILLION) for limit in scale.thresholds], np.int64)
    places, unsure = np.zeros(len(known), np.int64), np.zeros(len(known), np.bool_)
    diploid = DIPLOID * MILLION
    place_per_tumour_cell(copies.values, fraction.values, known, limits, diploid, MILLION, KNOWN, places, unsure)
    return Placed(places, unsure)


def _first(*given: Placed | None) -> Placed:
    """Take for each specimen the first candidate that is known."""
    candidates = [item for item in given if item is not None]
    places, unsure = candidates[-1]
    for candidate in candidates[-2::-1]:
        known = candidate.places != ABSENT
        places = np.where(known, candidate.places, places)
        unsure = np.where(known, candidate.unsure, unsure)
    return Placed(places, unsure)
