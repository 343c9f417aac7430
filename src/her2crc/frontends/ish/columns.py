"""Which column of a laboratory's sheet is which: by its own words, or as the user says (``her2=Rot, cep17=Gruen``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.errors import InputError, UsageError

TERMS = Path(__file__).resolve().parents[2] / "knowledge" / "terms" / "ish.yaml"
SEARCHED = 100
"""Rows in which the header is looked for."""

PROBES = ("her2", "cep17")
ASIDE = re.compile(r"[\s_\-./()\[\]:]+")


class Summaries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words that begin a row of sums, and a row of anything else that is no nucleus."""

    sum: tuple[str, ...]
    other: tuple[str, ...]


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``knowledge/terms/ish.yaml``."""

    columns: dict[str, tuple[str, ...]]
    fillers: frozenset[str]
    facts: tuple[str, ...]
    summaries: Summaries
    blank: frozenset[str]
    most_signals: int
    most_control_in_nucleus: int
    most_control_unnamed: int
    fewest_summed: int


class Header(NamedTuple):
    """The row of the header, the position of each known column, and of each other fact of the specimen.

    ``sums``: the name of the HER2 column says that it holds a sum.
    """

    row: int
    at: dict[str, int]
    facts: dict[str, int]
    sums: bool


class NoHer2Column(InputError):  # noqa: N818 - named as the others are, by what is wrong
    """A table in which no column of HER2 signals was found."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "No column of HER2 signals was found.",
            where=name,
            why="Without it there is nothing to measure.",
            fix="Say which it is, e.g. --columns her2='my column',cep17='my other column'.",
        )


@cache
def terms() -> Terms:
    """Return the words of laboratories' sheets."""
    return load_strict(TERMS, Terms)


def fold(cell: object) -> str:
    """Write a cell as names are compared: lower case, signs between words as one space."""
    return ASIDE.sub(" ", str(cell if cell is not None else "")).strip().lower()


def find_header(rows: Sequence[tuple[int, Sequence[object]]], name: str, given: Mapping[str, str]) -> Header:
    """Return the first row that names a column of HER2 counts; titles may stand above it.

    Raises:
        UsageError: a column that the user named is not known, or not in the table.
        NoHer2Column: no row names it.
        InputError: two columns may be it.
    """
    unknown = [key for key in given if key not in terms().columns]
    if unknown:
        raise UsageError(f"'{unknown[0]}' is not a column.", fix=f"Known: {', '.join(terms().columns)}.")
    for number, cells in rows[:SEARCHED]:
        at = _positions(cells, name, number, given)
        if "her2" in at:
            _refuse_sideways(cells, f"{name}:{number}")
            words = fold(cells[at["her2"]]).split()
            header = Header(number, at, _facts(cells), sums=bool(summary_words()[0].intersection(words)))
            absent = [written for key, written in given.items() if key not in header.at]
            if absent:
                raise UsageError(f"The column '{absent[0]}' is not in the header of {name}.")
            return header
    if "her2" in given:
        raise UsageError(f"No row of {name} has a column '{given['her2']}'.", fix="Write its name as in the table.")
    raise NoHer2Column(name)


def _refuse_sideways(cells: Sequence[object], place: str) -> None:
    """A name followed by numbers alone is a row of counts, not a header."""
    others = [fold(cell) for cell in cells if fold(cell)][1:]
    if len(others) > 1 and all(cell.isdecimal() for cell in others):
        raise InputError(
            "The nuclei stand side by side, with the probes below each other.",
            where=place,
            why="Counts are read with one row for each nucleus.",
            fix="Turn the table (transpose it), so that HER2 and CEP17 are columns.",
        )


def _positions(cells: Sequence[object], name: str, number: int, given: Mapping[str, str]) -> dict[str, int]:
    folded = [fold(cell) for cell in cells]
    found: dict[str, int] = {}
    for key, words in terms().columns.items():
        wanted = {fold(given[key])} if key in given else {fold(word) for word in words}
        places = [at for at, cell in enumerate(folded) if cell and cell in wanted]
        if not places and key in PROBES and key not in given:
            places = [at for at, cell in enumerate(folded) if _core(cell) in wanted]
        if len(places) > 1 and key in PROBES:
            raise InputError(
                f"Columns {places[0] + 1} and {places[1] + 1} both look like {key.upper()} signals.",
                where=f"{name}:{number}",
                why="Which of them was counted decides the ratio.",
                fix=f"Say which, e.g. --columns {key}='name of the column'.",
            )
        if places and places[0] not in found.values():
            found[key] = places[0]
    return found


def _core(cell: str) -> str:
    """Return the name of a column without the words that say nothing on the probe."""
    return " ".join(word for word in cell.split() if word not in terms().fillers)


def _facts(cells: Sequence[object]) -> dict[str, int]:
    folded = [fold(cell) for cell in cells]
    return {name: folded.index(fold(name)) for name in terms().facts if fold(name) in folded}


@cache
def summary_words() -> tuple[frozenset[str], frozenset[str]]:
    """Return the words that begin a row of sums, and those of any other summary, folded."""
    known = terms().summaries
    return frozenset(map(fold, known.sum)), frozenset(map(fold, known.other))
