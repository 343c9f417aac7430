"""A laboratory's own table, read through a mapping file: which column is which field, and how a cell is written.

A mapping turns the grid of cells into one with our column names, which :mod:`her2crc.read.table` then reads as any
other. A cell that does not fit its declared form is an error of its row; nothing is ever guessed from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from her2crc.criteria.strict_yaml import line_of, load_strict
from her2crc.errors import InputError, KnowledgeError, UsageError
from her2crc.model.quantity import parse_decimal
from her2crc.model.record import Issue, PatientRecord
from her2crc.read.columns import PATIENT_ID, SPECIMEN_ID, given_fields, near
from her2crc.read.excel import excel_grids
from her2crc.read.patterns import check_pattern, matched
from her2crc.read.rows import Unusable, as_written
from her2crc.read.sniff import sniff
from her2crc.read.source import decode, first_line, unpack
from her2crc.read.table import DELIMITERS, Grid, csv_grid, is_empty, read_grid

PERCENT = Decimal(100)
PERCENT_SIGN = "%"
UNREADABLE = "it does not have the form that the mapping declares"
NOT_A_NUMBER = "it is not a number of the unit that the mapping declares"


class ColumnMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column: the ``field`` it fills, or a ``capture`` pattern whose named groups are the fields.

    ``values`` translates whole cells (case and spacing aside) before anything else; ``unit`` says what the column
    holds where the field is a percentage or a fraction.
    """

    column: str
    field: str = ""
    capture: str = ""
    values: dict[str, str] = {}
    unit: Literal["percent", "fraction", ""] = ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that the column fills."""
        return (self.field,) if self.field else tuple(re.compile(self.capture).groupindex)


class ColumnMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole mapping: the columns, and values that hold for every row; ``sheet`` names one of a workbook."""

    columns: tuple[ColumnMap, ...]
    constants: dict[str, str] = {}
    sheet: str = ""


def load_mapping(path: Path) -> ColumnMapping:
    """Read a mapping file.

    Raises:
        UsageError: there is no such file.
        KnowledgeError: it is not a mapping, names a field that is not known or twice, or a pattern is not allowed.
    """
    if not path.is_file():
        raise UsageError("The mapping file does not exist.", where=str(path), fix="Make one with `her2crc map`.")
    mapping = load_strict(path, ColumnMapping)
    fault, about = next(_faults(mapping), ("", ""))
    if fault:
        raise KnowledgeError(fault, where=f"{path.name}:{line_of(path, about)}", fix="Mend the mapping file.")
    return mapping


def read_mapped(data: bytes, name: str, mapping: ColumnMapping) -> list[PatientRecord]:
    """Read a table of CSV or Excel through a mapping; see :func:`her2crc.read.table.read_grid`.

    Raises:
        InputError: not a table, the sheet or the column of ``patient_id`` is not there, or a column stands twice.
    """
    text_notes, sheets = read_sheets(data, name)
    grid, notes = apply_mapping(_chosen(sheets, mapping, name), mapping, name)
    return read_grid(grid, name, (*text_notes, *notes))


def read_sheets(data: bytes, name: str) -> tuple[tuple[Issue, ...], dict[str, Grid]]:
    """Return the cells of a CSV file (one sheet without a name) or of each sheet of a workbook."""
    if data.startswith(b"\x1f\x8b"):
        data = unpack(data, name)
    if data.startswith(b"PK") and sniff(data, name) == "xlsx":
        return (), excel_grids(data, name)
    text, notes = decode(data, name)
    if "\0" in text or not text.strip():
        raise InputError("This is not a table of CSV or Excel.", where=name, fix="Save it as CSV or .xlsx.")
    header = first_line(text)
    return notes, {"": [*csv_grid(text, name, max(DELIMITERS, key=header.count))]}


def apply_mapping(grid: Grid, mapping: ColumnMapping, name: str) -> tuple[Grid, tuple[Issue, ...]]:
    """Return the grid with our column names, and a warning about columns of the mapping that are not there."""
    filled = ((number, cells) for number, cells in grid if not all(map(is_empty, cells)))
    first, header = next(filled, (0, ()))
    at = _positions(header, name)
    present = [column for column in mapping.columns if fold(column.column) in at]
    names = [field for column in present for field in column.fields]
    if PATIENT_ID not in names:
        raise InputError(
            "The column that the mapping names for patient_id is not in the table.",
            where=name,
            why="Rows of one patient cannot be told from those of another.",
            fix="Make a new mapping with `her2crc map`.",
        )
    rows = ((number, [*_cells(cells, present, at), *mapping.constants.values()]) for number, cells in filled)
    missing = [column.column for column in mapping.columns if column not in present]
    return _with_header(first, [*names, *mapping.constants], rows), _missing(missing, name)


def fold(written: object) -> str:
    """Return a text without differences of case and spacing."""
    return " ".join(str(written).casefold().split())


def _with_header(number: int, names: list[str], rows: Grid) -> Grid:
    yield number, names
    yield from rows


def _chosen(sheets: dict[str, Grid], mapping: ColumnMapping, name: str) -> Grid:
    if not mapping.sheet:
        return next(iter(sheets.values()), [])
    if mapping.sheet not in sheets:
        raise InputError("The sheet that the mapping names is not in the workbook.", where=name, fix="Mend `sheet:`.")
    return sheets[mapping.sheet]


def _positions(header: Sequence[object], name: str) -> dict[str, int]:
    at: dict[str, int] = {}
    for position, cell in enumerate(header):
        if is_empty(cell):
            continue
        if fold(cell) in at:
            raise InputError(
                f"Columns {at[fold(cell)] + 1} and {position + 1} have the same name.",
                where=name,
                why="It is not clear which of them the mapping means.",
                fix="Rename one of them.",
            )
        at[fold(cell)] = position
    return at


def _missing(names: list[str], name: str) -> tuple[Issue, ...]:
    if not names:
        return ()
    text = f"Columns of the mapping that are not in the table, so their fields are unknown: {'; '.join(names)}"
    return (Issue("warning", "columns_missing", text, place=name),)


def _cells(cells: Sequence[object], columns: list[ColumnMap], at: dict[str, int]) -> Iterator[object]:
    for column in columns:
        position = at[fold(column.column)]
        yield from read_cell(column, cells[position] if position < len(cells) else None)


def read_cell(column: ColumnMap, cell: object) -> list[object]:
    """Return the values of one cell, in the order of the column's fields."""
    written = as_written(cell)
    if written is None or isinstance(written, Unusable):
        return [written] * len(column.fields)
    translated = next((value for key, value in column.values.items() if fold(key) == fold(written)), None)
    text = str(written) if translated is None else translated
    if column.capture:
        parts = matched(column.capture, text)
        return [parts[name] if parts else Unusable(UNREADABLE) for name in column.fields]
    if column.unit:
        return [_converted(text, column)]
    return [written if translated is None else translated]


def _converted(text: str, column: ColumnMap) -> object:
    """Return a percentage as a fraction or the reverse; a number of the field's own unit as it is."""
    bare = text.removesuffix(PERCENT_SIGN).strip() if column.unit == "percent" else text
    try:
        number = parse_decimal(bare)
    except ValueError:
        return Unusable(NOT_A_NUMBER)
    wanted = unit_of(column.field)
    if wanted == column.unit:
        return number
    return number / PERCENT if wanted == "fraction" else number * PERCENT


def unit_of(name: str) -> str:
    """Return whether a field is a percentage, a fraction, or neither (empty)."""
    field = given_fields().get(name)
    if field is None:
        return ""
    return "percent" if field.unit == PERCENT_SIGN else "fraction" if field.maximum == 1 else ""


def _faults(mapping: ColumnMapping) -> Iterator[tuple[str, str]]:
    """Yield each fault of a mapping with a text that stands in its line."""
    taken: set[str] = set()
    for column in mapping.columns:
        if bool(column.field) == bool(column.capture):
            yield "a column needs either field or capture", column.column
        elif column.capture and (fault := check_pattern(column.capture)):
            yield f"the pattern of this column is not allowed: {fault}", column.column
        elif column.unit and not unit_of(column.field):
            yield "unit is only for fields that are a percentage or a fraction", column.column
        else:
            yield from ((fault, column.column) for name in column.fields if (fault := _field_fault(name, taken)))
    for name in mapping.constants:
        fault = f"{name} cannot be the same in every row" if name in (PATIENT_ID, SPECIMEN_ID) else ""
        if fault := fault or _field_fault(name, taken):
            yield fault, name
    if PATIENT_ID not in taken:
        yield "no column is patient_id", "columns"


def _field_fault(name: str, taken: set[str]) -> str:
    if name not in given_fields() and name not in (PATIENT_ID, SPECIMEN_ID):
        meant = near(name)
        return f"'{name}' is not a field that can be given" + (f"; did you mean {meant}?" if meant else "")
    if name in taken:
        return f"the field {name} is filled twice"
    taken.add(name)
    return ""
