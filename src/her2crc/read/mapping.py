"""A laboratory's own table, read through a mapping file: which column is which field, and how a cell is written.

A mapping turns the grid of cells into one with our column names, which :mod:`her2crc.read.table` then reads as any
other. A cell that does not fit its declared form is an error of its row; nothing is ever guessed from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from her2crc.criteria.strict_yaml import line_of, load_strict
from her2crc.errors import InputError, KnowledgeError, UsageError
from her2crc.model.record import Issue, PatientRecord
from her2crc.read.columns import PATIENT_ID, SPECIMEN_ID, given_fields, near
from her2crc.read.excel import excel_grids
from her2crc.read.mapped_cells import ColumnMap, fold, genes_of, of_genes, read_cell, unit_of
from her2crc.read.patterns import check_pattern
from her2crc.read.sniff import sniff
from her2crc.read.source import decode, unpack
from her2crc.read.table import (
    DELIMITERS,
    LAST_HEADER,
    Grid,
    above_header,
    csv_grid,
    is_empty,
    read_grid,
    split_at_header,
)


class ColumnMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole mapping: the columns, and values that hold for every row.

    ``sheet`` names one of a workbook; ``encoding`` the character set of a CSV file that is not UTF-8, as Python does.
    """

    columns: tuple[ColumnMap, ...]
    constants: dict[str, str] = {}
    sheet: str = ""
    encoding: str = ""


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
    text_notes, sheets = read_sheets(data, name, mapping.encoding)
    grid, notes = apply_mapping(_chosen(sheets, mapping, name), mapping, name)
    return read_grid(grid, name, (*text_notes, *notes))


def read_sheets(data: bytes, name: str, encoding: str = "") -> tuple[tuple[Issue, ...], dict[str, Grid]]:
    """Return the cells of a CSV file (one sheet without a name) or of each sheet of a workbook, shown ones first."""
    if data.startswith(b"\x1f\x8b"):
        data = unpack(data, name)
    if data.startswith(b"PK") and sniff(data, name) == "xlsx":
        return (), excel_grids(data, name)
    text, notes = (_decoded(data, name, encoding), ()) if encoding else decode(data, name)
    if "\0" in text or not text.strip():
        raise InputError("This is not a table of CSV or Excel.", where=name, fix="Save it as CSV or .xlsx.")
    return notes, {"": [*csv_grid(text, name, delimiter_in(text))]}


def delimiter_in(text: str) -> str:
    """Return the delimiter that most of the first lines have, of several the one that makes more cells."""
    lines = [line for line in text.splitlines() if line.strip()][:LAST_HEADER]
    counts = {mark: [line.count(mark) for line in lines if mark in line] for mark in DELIMITERS}
    return max(DELIMITERS, key=lambda mark: (len(counts[mark]), min(counts[mark], default=0)))


def _decoded(data: bytes, name: str, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        raise InputError(
            "The file is not in the character set that the mapping names.", where=name, fix="Mend `encoding:`."
        ) from None


def apply_mapping(grid: Grid, mapping: ColumnMapping, name: str) -> tuple[Grid, tuple[Issue, ...]]:
    """Return the grid with our column names, and warnings: columns that are not there, rows above the header."""
    patient = {fold(column.column) for column in mapping.columns if PATIENT_ID in column.fields}
    above, header, filled = split_at_header(grid, lambda cells: not patient.isdisjoint(map(fold, cells)))
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
    names = [*dict.fromkeys(names), *mapping.constants]
    rows = _rows(filled, header, [(column, at[fold(column.column)]) for column in present], mapping.constants)
    missing = [column.column for column in mapping.columns if column not in present]
    return _with_header(names, rows), (*above_header(above, name), *_missing(missing, name))


def _with_header(names: list[str], rows: Iterator[tuple[int, list[object] | None]]) -> Grid:
    """Yield the header and the rows; a header that is repeated in the table is repeated (None stands for it)."""
    yield 0, names
    for number, cells in rows:
        yield number, names if cells is None else cells


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


def _rows(
    rows: Iterator[tuple[int, Sequence[object]]],
    header: Sequence[object],
    columns: list[tuple[ColumnMap, int]],
    constants: dict[str, str],
) -> Iterator[tuple[int, list[object] | None]]:
    """Yield each row as values, one a field; None for the header again, and only ``patient_id`` for another header."""
    at = next(position for column, position in columns if PATIENT_ID in column.fields)
    for number, cells in rows:
        if at < len(cells) and fold(cells[at]) == fold(header[at]):
            same = [*map(fold, cells)] == [*map(fold, header)]
            yield number, None if same else [PATIENT_ID]
        else:
            yield number, [*_values(cells, columns), *constants.values()]


def _values(cells: Sequence[object], columns: list[tuple[ColumnMap, int]]) -> Iterable[object]:
    found: dict[str, object] = {}
    states: dict[str, dict[str, object]] = {}
    for column, position in columns:
        values = read_cell(column, cells[position] if position < len(cells) else None)
        if column.gene:
            states.setdefault(column.field, {})[column.gene] = values[0]
            found[column.field] = of_genes(column.field, states[column.field])
        else:
            found |= zip(column.fields, values, strict=True)
    return found.values()


def _faults(mapping: ColumnMapping) -> Iterator[tuple[str, str]]:
    """Yield each fault of a mapping with a text that stands in its line."""
    taken: set[tuple[str, str]] = set()
    for column in mapping.columns:
        if bool(column.field) == bool(column.capture):
            yield "a column needs either field or capture", column.column
        elif column.capture and (fault := check_pattern(column.capture)):
            yield f"the pattern of this column is not allowed: {fault}", column.column
        elif column.unit and not unit_of(column.field):
            yield "unit is only for fields that are a percentage or a fraction", column.column
        elif column.date and (column.field not in given_fields() or given_fields()[column.field].type != "date"):
            yield "date is only for fields that are a day", column.column
        elif column.gene and column.gene not in genes_of(column.field):
            yield "gene is only for a gene of a marker that has several (KRAS, NRAS of ras)", column.column
        else:
            yield from (
                (fault, column.column) for name in column.fields if (fault := _field_fault(name, column.gene, taken))
            )
    for name in mapping.constants:
        fault = f"{name} cannot be the same in every row" if name in (PATIENT_ID, SPECIMEN_ID) else ""
        if fault := fault or _field_fault(name, "", taken):
            yield fault, name
    if (PATIENT_ID, "") not in taken:
        yield "no column is patient_id", "columns"


def _field_fault(name: str, gene: str, taken: set[tuple[str, str]]) -> str:
    if name not in given_fields() and name not in (PATIENT_ID, SPECIMEN_ID):
        meant = near(name)
        return f"'{name}' is not a field that can be given" + (f"; did you mean {meant}?" if meant else "")
    if any(field == name and (not gene or other in (gene, "")) for field, other in taken):
        return f"the field {name} is filled twice"
    taken.add((name, gene))
    return ""
