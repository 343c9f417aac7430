"""The specimen table: a header row, then one row a specimen, from CSV, Excel, Parquet or anything with cells.

A *grid* is what all of them become first: pairs of row number and cells, the header among them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from typing import NamedTuple

from her2crc.errors import InputError
from her2crc.model.record import Issue, PatientRecord
from her2crc.read.columns import PATIENT_ID, canonical, columns, meant_patient_id, unknown_names
from her2crc.read.rows import TOTALS, Found, collect, found_row
from her2crc.read.source import decode, first_line

Grid = Iterable[tuple[int, Sequence[object]]]
DELIMITERS = ",;\t|"
SPLIT = re.compile(f"[{DELIMITERS}]")
LAST_HEADER = 20
"""Filled rows among which the header is looked for: titles, dates of export and ``sep=;`` stand above it."""


class Header(NamedTuple):
    """The columns of a table: the known name of each (None: not known), how it was written, and cells in the row."""

    names: tuple[str | None, ...]
    written: tuple[str, ...]
    width: int

    def unknown(self) -> list[str]:
        """Return the columns that are not known, as written."""
        return [
            written or f"column {position} (no name)"
            for position, (name, written) in enumerate(zip(self.names, self.written, strict=True), 1)
            if name is None
        ]


def read_csv(data: bytes, name: str) -> list[PatientRecord]:
    """Read a table separated by commas, semicolons, tabs or bars; see :func:`read_grid`."""
    text, notes = decode(data, name)
    return read_grid(csv_grid(text, name, delimiter_of(header_line(text))), name, notes)


def header_line(text: str) -> str:
    """Return the first line that names ``patient_id`` among other cells, else the first that is not blank."""
    lines = islice((line for line in text.splitlines() if line.strip()), LAST_HEADER)
    cells = ((line, SPLIT.split(line)) for line in lines)
    return next((line for line, parts in cells if is_header(parts)), first_line(text))


def is_header(cells: Sequence[object]) -> bool:
    """Tell whether a row names ``patient_id`` and another known column; a list of columns has one in each row."""
    names = {canonical(str(cell).strip('" ')) for cell in cells}
    return PATIENT_ID in names and len(names.intersection(columns())) > 1


def read_grid(grid: Grid, name: str, notes: Sequence[Issue] = ()) -> list[PatientRecord]:
    """Return the patients of a table in the order first seen; a place reads ``cases.csv:17``.

    Raises:
        InputError: no header, no ``patient_id``, a column given twice, or no row below the header.
    """
    above, first, filled = split_at_header(grid, is_header)
    header = read_header(first, name)
    remarks = [*notes, *above_header(above, name)]
    found = [_row(header, cells, number, name) for number, cells in _below(header, filled, name, remarks)]
    if not found:
        raise InputError("The table has a header, but no rows.", where=name, fix="Add one row for each specimen.")
    return collect(found, (*remarks, *unknown_names(header.unknown(), name)))


def filled_rows(grid: Grid) -> Iterator[tuple[int, Sequence[object]]]:
    """Yield the rows in which anything stands."""
    return ((number, cells) for number, cells in grid if not all(map(is_empty, cells)))


def split_at_header(
    grid: Grid, is_header: Callable[[Sequence[object]], bool]
) -> tuple[int, Sequence[object], Iterator[tuple[int, Sequence[object]]]]:
    """Return how many rows stand above the header, its cells, and the rows below; the first row where none is one."""
    rows = filled_rows(grid)
    start = [*islice(rows, LAST_HEADER)]
    above = next((at for at, (_, cells) in enumerate(start) if is_header(cells)), 0)
    header = start[above][1] if start else ()
    return above, header, chain(start[above + 1 :], rows)


def _below(
    header: Header, rows: Iterator[tuple[int, Sequence[object]]], name: str, remarks: list[Issue]
) -> Iterator[tuple[int, Sequence[object]]]:
    """Yield the rows of patients, up to a second table; a header repeated on each page and totals are none."""
    at = header.names.index(PATIENT_ID)
    totals = 0
    for number, cells in rows:
        stated = str(cells[at] if at < len(cells) else "").strip().casefold()
        if stated in TOTALS:
            totals += 1
        elif canonical(stated) != PATIENT_ID and PATIENT_ID not in cells:
            yield number, cells
        elif _as_written(cells[: len(header.names)]) != header.written:
            text = "Another header stands here, so a second table begins; nothing was read from here on."
            remarks.append(Issue("error", "second_table", text, place=f"{name}:{number}"))
            break
    if totals:
        text = f"{totals} row(s) of totals, not of a patient, were not read."
        remarks.append(Issue("warning", "total_row", text, place=name))


def above_header(rows: int, name: str) -> tuple[Issue, ...]:
    """Return the remark that rows stand above the header, if there are any."""
    text = f"{rows} row(s) above the header were not read."
    return (Issue("warning", "rows_above_header", text, place=name),) if rows else ()


def is_empty(cell: object) -> bool:
    """Tell whether nothing at all stands in a cell (a sign of blank, such as NA, is something)."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def read_header(cells: Sequence[object], name: str) -> Header:
    """Match the cells of a header row to the known columns.

    Raises:
        InputError: the row is empty, ``patient_id`` is missing, or a known column stands twice.
    """
    last = max((position for position, cell in enumerate(cells, 1) if not is_empty(cell)), default=0)
    written = _as_written(cells[:last])
    if not written:
        raise InputError("The table is empty.", where=name, fix="Its first row names the columns.")
    known = frozenset(columns())
    spelt = map(canonical, written)
    header = Header(tuple(column if column in known else None for column in spelt), written, len(cells))
    for column in columns():
        if header.names.count(column) > 1:
            raise InputError(
                f"The column {column} stands more than once in the header.",
                where=name,
                why="It is not clear which of them holds the result.",
                fix="Keep one of them, or rename the others.",
            )
    if PATIENT_ID not in header.names:
        raise _no_patient_id(written, name)
    return header


def _as_written(cells: Sequence[object]) -> tuple[str, ...]:
    return tuple("" if is_empty(cell) else str(cell).strip() for cell in cells)


def _no_patient_id(written: Sequence[str], name: str) -> InputError:
    return InputError(
        "The table has no column patient_id in its header.",
        where=name,
        why="Rows of one patient cannot be told from those of another.",
        fix=meant_patient_id(written),
    )


def _row(header: Header, cells: Sequence[object], number: int, name: str) -> Found:
    place = f"{name}:{number}"
    padded = chain(cells, repeat(None))
    named = [(column, cell) for column, cell in zip(header.names, padded, strict=False) if column]
    found = found_row(named, place, f"row {number}")
    if all(map(is_empty, cells[len(header.names) :])):
        return found
    if all(map(is_empty, cells[header.width :])):
        text = "A cell stands under no column name; it was not used."
        return found._replace(issues=(*found.issues, Issue("error", "cell_without_column", text, place=place)))
    text = (
        f"The row has {len(cells)} cells, the header {header.width}: they may stand in the wrong column, so nothing"
        " of the row was used. Look for decimal commas without quotes."
    )
    return found._replace(row=None, issues=(*found.issues, Issue("error", "too_many_cells", text, place=place)))


def csv_grid(text: str, name: str, delimiter: str) -> Iterator[tuple[int, Sequence[object]]]:
    """Split a text into rows of cells.

    Strict, because a quote that is never closed would otherwise swallow the rest of the file.

    Raises:
        InputError: from some row on, it cannot be split.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in reader:
            yield number, cells
            number = reader.line_num + 1
    except csv.Error:
        raise InputError(
            "The table cannot be split into cells from here on.",
            where=f"{name}:{number}",
            fix="Look for a quotation mark that is not closed, or stands inside a cell.",
        ) from None


def delimiter_of(header: str) -> str:
    """Return the delimiter that makes the most known columns of a header line."""

    def known(mark: str) -> int:
        return sum(canonical(cell.strip('" ')) in columns() for cell in header.split(mark))

    return max(DELIMITERS, key=known)
