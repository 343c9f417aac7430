"""A table (CSV, TSV, Excel; packed with gzip) to the counts of each specimen; plasma tables come in here too."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.errors import InputError
from her2crc.frontends.ish.columns import NoHer2Column
from her2crc.frontends.ish.table import read_counts
from her2crc.frontends.ish.values import Counting
from her2crc.read.excel import excel_grids
from her2crc.read.source import decode, read_source, unpack
from her2crc.read.table import DELIMITERS, csv_grid

Grid = list[tuple[int, Sequence[object]]]
GZIP, ZIP = b"\x1f\x8b", b"PK"
SAMPLE = 20
"""Lines that are looked at for the delimiter; titles may stand above the header."""


class ColumnFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file: our name of a column to the laboratory's."""

    columns: dict[str, str]


def read_grids(source: str | Path) -> tuple[str, dict[str, Grid]]:
    """Return the name of a file (``-``: standard input) and its tables by the title of the sheet (CSV: one, untitled).

    Raises:
        MissingInputError: there is no such file.
        InputError: it is no table.
    """
    stdin = sys.stdin.buffer.read() if str(source) == "-" and not sys.stdin.isatty() else None
    data, name = read_source(str(source), stdin)
    return name, grids_of(data, name)


def grids_of(data: bytes, name: str) -> dict[str, Grid]:
    """Return the tables of a file's content by title. Raises InputError where it is none."""
    if data.startswith(GZIP):
        data = unpack(data, name)
    if data.startswith(ZIP):
        return {title: [*grid] for title, grid in excel_grids(data, name).items()}
    text, _ = decode(data, name)
    if "\0" in text or text.startswith(("%PDF", "{", "<")):
        raise InputError("This is not a table.", where=name, fix="Send CSV, TSV or Excel (.xlsx).")
    lines = text.splitlines()[:SAMPLE]
    delimiter = max(DELIMITERS, key=lambda mark: sum(mark in line for line in lines))
    return {"": [*csv_grid(text, name, delimiter)]}


def named_columns(columns: Mapping[str, str] | None, mapping: str | Path | None) -> dict[str, str]:
    """Return a laboratory's own names of columns, those given by hand over those of a mapping file.

    Raises:
        KnowledgeError: the mapping file is wrong.
    """
    return {**(load_strict(Path(mapping), ColumnFile).columns if mapping else {}), **(columns or {})}


def read_countings(source: str | Path, columns: Mapping[str, str]) -> list[Counting]:
    """Read every sheet that holds counts; several sheets that name no specimen are named by their title.

    Raises:
        MissingInputError: there is no such file.
        InputError: it is no table, or a cell of it is no count.
        UsageError: a column that was named is not there.
    """
    name, grids = read_grids(source)
    if len(grids) == 1:
        return read_counts(next(iter(grids.values())), name, columns)
    found: list[Counting] = []
    for title, grid in grids.items():
        try:
            counted = read_counts(grid, f"{name}, sheet {title}", columns)
        except NoHer2Column:  # a sheet of notes
            continue
        found += [item if item.named else msgspec.structs.replace(item, specimen_id=title) for item in counted]
    if not found:
        raise NoHer2Column(name)
    return found
