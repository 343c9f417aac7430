"""Tables of bins, segments, genes or specimens, told apart by their columns, into profiles.

CNVkit, SEG, PureCN, PURPLE, Sequenza, FACETS, cBioPortal in long form and laboratory tables differ only in the names
of their columns, which are data; so there is one reader.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from her2crc.errors import InputError
from her2crc.frontends.seq.profile import Bin, GeneValue, Profile, Segment
from her2crc.frontends.seq.terms import Table, plain_chromosome, terms

BLANK = frozenset(("", "na", "nan", "n/a", ".", "null", "none", "unknown"))
NORMAL_95 = 1.959964
"""Standard errors from the middle to the end of an interval of 95 %."""
MOST_LOG2 = 30.0
"""A thousand million-fold: whatever is beyond is not a log2 ratio."""


class Header(NamedTuple):
    """The names of the columns in lower case, the separator, and the line (from 1) that holds them."""

    names: list[str]
    separator: str
    line: int


class Sheet(NamedTuple):
    """A recognised table with its lines; ``at`` gives the column of each role."""

    table: Table
    header: Header
    at: dict[str, int]
    lines: list[str]
    file: str


def read_header(lines: list[str]) -> Header:
    """Return the first line that is no comment (#, or @ as of SAM), cut at tabs, else at commas or semicolons."""
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("@") and (not line.startswith("#") or "\t" in line):
            separator = next((mark for mark in "\t,;" if mark in line), "\t")
            names = [cell.strip().strip("\"'").lower() for cell in line.lstrip("#").split(separator)]
            return Header(names, separator, number)
    return Header([], "\t", 1)


def find_table(header: Header) -> Table | None:
    """Return the first kind of table whose columns the header has, None where there is none."""
    names = set(header.names)
    for table in terms().tables:
        if all(names & set(column.split("|")) for column in table.must) and not names & set(table.never):
            return table
    return None


def without_header(header: Header) -> Header | None:
    """Return the header that a SEG file would have had, where what stands in its place is a row of one."""
    names = terms().headerless
    if len(header.names) != len(names) or any(number(cell) is None for cell in header.names[2:]):
        return None
    return Header(list(names), header.separator, header.line - 1)


def read_table(lines: list[str], header: Header, table: Table, file: str, specimen: str) -> list[Profile]:
    """Read the samples of a table; ``specimen`` names the sample where the table has no column for it.

    Raises:
        InputError: a row is cut short, or a position is no number.
    """
    at = {
        role: header.names.index(found)
        for role, names in table.columns.items()
        if (found := next((name for name in names if name in header.names), None)) is not None
    }
    sheet = Sheet(table, header, at, lines, file)
    if table.rows == "bins":
        return [_bins(sheet, specimen)]
    readers = {"segments": _segments, "genes": _genes, "specimens": _specimens}
    return readers[table.rows](sheet, specimen)


def number(text: str) -> float | None:
    """Return a finite number, None where there is none."""
    try:
        value = float(text.replace(",", ".") if "," in text else text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def stated(text: str, where: str) -> float | None:
    """Return a number, None for a blank.

    Raises:
        InputError: something else is written.
    """
    text = text.strip().strip("\"'")
    if text.lower() in BLANK:
        return None
    percent = text.endswith("%")
    value = number(text.rstrip("% "))
    if value is None:
        raise InputError("A value is no number.", where=where, fix="Write a plain number, or leave it blank.")
    return value / 100 if percent else value


def _rows(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows with their line numbers; a row that lacks a needed column is an error, a blank one is passed."""
    needed, separator = max(sheet.at.values()), sheet.header.separator
    for line_number, line in enumerate(sheet.lines[sheet.header.line :], sheet.header.line + 1):
        cells = line.split(separator) if '"' not in line else next(csv.reader([line], delimiter=separator))
        if len(cells) <= needed:
            if not line.strip():
                continue
            raise InputError(
                f"The row has {len(cells)} of {len(sheet.header.names)} columns: the file may be cut short.",
                where=f"{sheet.file}:{line_number}",
                why="What is missing behind this line could be ERBB2.",
                fix="Copy the file again from where it was made.",
            )
        yield line_number, cells


def _position(text: str, sheet: Sheet, line: int) -> int:
    try:
        return int(text)
    except ValueError:
        value = number(text)
    if value is None:
        raise InputError("A position is no number.", where=f"{sheet.file}:{line}", fix="Write the file again.")
    return int(value)


def _bins(sheet: Sheet, specimen: str) -> Profile:
    chromosome_at, start_at, end_at, log2_at = (sheet.at[role] for role in ("chromosome", "start", "end", "log2"))
    gene_at, weight_at = sheet.at.get("gene"), sheet.at.get("weight")
    shift = int(sheet.table.zero_based)
    bins: list[Bin] = []
    absent: list[Bin] = []
    for line, cells in _rows(sheet):
        log2 = number(cells[log2_at])
        log2 = None if log2 is None or abs(log2) > MOST_LOG2 else log2
        weight = 1.0 if weight_at is None else number(cells[weight_at]) or 0.0
        start, end = _position(cells[start_at], sheet, line) + shift, _position(cells[end_at], sheet, line)
        chromosome = plain_chromosome(cells[chromosome_at])
        genes = "" if gene_at is None else cells[gene_at]
        item = Bin(chromosome, start, end, genes, math.nan if log2 is None else log2, weight, line)
        (absent if log2 is None else bins).append(item)
    return Profile(specimen, "", sheet.table.id, sheet.file, bins=tuple(bins), absent=tuple(absent))


def _cell(sheet: Sheet, cells: list[str], role: str) -> str:
    at = sheet.at.get(role)
    return cells[at].strip().strip("\"'") if at is not None else ""


def _number(sheet: Sheet, cells: list[str], role: str, line: int) -> float | None:
    return stated(_cell(sheet, cells, role), f"{sheet.file}:{line}")


def _fold(sheet: Sheet, cells: list[str], line: int) -> float | None:
    """Return the fold change; None where the row has none, or one beyond every ratio (no reads at all)."""
    log2 = _number(sheet, cells, "log2", line)
    if log2 is None:
        return _number(sheet, cells, "fold", line)
    return None if abs(log2) > MOST_LOG2 else 2.0**log2


def _error(sheet: Sheet, cells: list[str], line: int, logged: bool) -> float | None:
    """Return the standard error of log2 from the ends of an interval, if there is one."""
    low, high = (_number(sheet, cells, role, line) for role in ("low", "high"))
    if low is None or high is None:
        return None
    if not logged:
        if not 0 < low <= high:
            raise InputError("An interval is not in order, or not above 0.", where=f"{sheet.file}:{line}")
        low, high = math.log2(low), math.log2(high)
    return (high - low) / (2 * NORMAL_95)


def _segment_error(sheet: Sheet, cells: list[str], line: int) -> float | None:
    """Return the standard error of log2 of a segment: from an interval, else from the deviation of its bins."""
    fold, deviation, bins = (_number(sheet, cells, role, line) for role in ("fold", "deviation", "bins"))
    if fold is None or deviation is None or bins is None or min(fold, deviation, bins) <= 0:
        return _error(sheet, cells, line, logged=True)
    return deviation / fold / math.log(2) / math.sqrt(bins)


def _grouped(found: list[tuple[str, Any]], specimen: str) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for sample, item in found:
        groups.setdefault(sample or specimen, []).append(item)
    return groups


def _segments(sheet: Sheet, specimen: str) -> list[Profile]:
    found: list[tuple[str, Any]] = []
    about: dict[str, Any] = {}
    for line, cells in _rows(sheet):
        bins = _number(sheet, cells, "bins", line)
        sample = _cell(sheet, cells, "sample")
        segment = Segment(
            plain_chromosome(_cell(sheet, cells, "chromosome")),
            _position(_cell(sheet, cells, "start"), sheet, line) + int(sheet.table.zero_based),
            _position(_cell(sheet, cells, "end"), sheet, line),
            _cell(sheet, cells, "gene"),
            _fold(sheet, cells, line),
            _number(sheet, cells, "tumour_copies", line),
            None if bins is None else int(bins),
            _segment_error(sheet, cells, line),
            line,
        )
        found.append((sample, segment))
        about.setdefault(sample or specimen, _about(sheet, cells, line))
    return [
        Profile(name, "", sheet.table.id, sheet.file, segments=tuple(items), **about[name])
        for name, items in _grouped(found, specimen).items()
    ]


def _about(sheet: Sheet, cells: list[str], line: int) -> dict[str, Any]:
    return {role: _number(sheet, cells, role, line) for role in ("purity", "ploidy")}


def _genes(sheet: Sheet, specimen: str) -> list[Profile]:
    wanted = {terms().gene, *terms().neighbours}
    found: list[tuple[str, Any]] = []
    about: dict[str, Any] = {}
    for line, cells in _rows(sheet):
        gene, sample = _cell(sheet, cells, "gene").upper(), _cell(sheet, cells, "sample")
        about.setdefault(sample or specimen, _about(sheet, cells, line))
        if gene in wanted:
            found.append((sample, (gene, _gene_value(sheet, cells, line))))
    groups = _grouped(found, specimen)
    return [
        Profile(name, "", sheet.table.id, sheet.file, genes=dict(groups.get(name, ())), **about[name]) for name in about
    ]


def _gene_value(sheet: Sheet, cells: list[str], line: int) -> GeneValue:
    bins = _number(sheet, cells, "bins", line)
    copies, tumour_copies = (_number(sheet, cells, role, line) for role in ("copies", "tumour_copies"))
    fold, call = _fold(sheet, cells, line), None
    if "value" in sheet.at:
        fold, call = value_of(_cell(sheet, cells, "value"), f"{sheet.file}:{line}")
    error = _error(sheet, cells, line, logged=False)
    return GeneValue(fold, copies, tumour_copies, call, None if bins is None else int(bins), error, line)


def value_of(text: str, where: str) -> tuple[float | None, str | None]:
    """Return the fold change of a log2 value, or the call of a discrete one; a 0 is neither.

    Raises:
        InputError: the value is no number.
    """
    if text in terms().discrete:
        return None, terms().calls.get(text)
    value = stated(text, where)
    return (unlogged(value, where) if value else None), None


def unlogged(log2: float, where: str) -> float:
    """Return the fold change of a log2 value.

    Raises:
        InputError: no ratio is as large, or as small.
    """
    if abs(log2) > MOST_LOG2:
        raise InputError("A log2 value is beyond every possible ratio.", where=where, fix="Check the column.")
    return float(2.0**log2)


def _specimens(sheet: Sheet, specimen: str) -> list[Profile]:
    profiles = []
    for line, cells in _rows(sheet):
        patient = _cell(sheet, cells, "patient")
        name = _cell(sheet, cells, "sample") or patient or f"{specimen}:{line}"
        try:
            found: dict[str, Any] = {
                "genes": {terms().gene: _gene_value(sheet, cells, line)},
                **_about(sheet, cells, line),
            }
        except InputError as error:
            found = {"problem": error}
        profiles.append(Profile(name, patient, sheet.table.id, sheet.file, **found))
    return profiles
