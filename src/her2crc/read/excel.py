"""The specimen table from Excel (.xlsx): cells as a person sees them, for :mod:`her2crc.read.table`."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from her2crc.errors import Her2crcError, InputError, MissingExtraError
from her2crc.model.record import Issue, PatientRecord
from her2crc.read.columns import PATIENT_ID, canonical
from her2crc.read.rows import Unusable
from her2crc.read.source import refuse_too_large
from her2crc.read.table import Grid, is_header, read_grid, split_at_header

Result = TypeVar("Result")
PER_CENT = 100
SHOWN = "visible"
LITERAL = re.compile(r'"[^"]*"|\\.')
"""Parts of a number format that only decorate: a % among them does not multiply what is shown."""
FORMULA = re.compile(rb"<f[ />]")


def read_excel(data: bytes, name: str) -> list[PatientRecord]:
    """Read the first sheet with a ``patient_id`` column, a hidden one only where no other has it.

    See :func:`her2crc.read.table.read_grid`.

    Raises:
        MissingExtraError: openpyxl is not installed.
        InputError: the workbook is damaged or too large, or none of its sheets is a specimen table.
    """
    return _opened(_read, data, name)


def excel_grids(data: bytes, name: str) -> dict[str, Grid]:
    """Return the cells of every sheet by its title, hidden sheets last. Raises as :func:`read_excel`."""
    return _opened(_read_all, data, name)


def _opened(read: Callable[[bytes, str], Result], data: bytes, name: str) -> Result:
    try:
        import openpyxl  # noqa: F401 - told apart here from a damaged workbook
    except ImportError:
        raise MissingExtraError(
            "Reading Excel needs openpyxl, which is not installed.",
            where=name,
            fix="Run: pip install 'her2crc[tables]', or save the table as CSV.",
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of decorations that it drops; none is a result
            return read(data, name)
    except Her2crcError:
        raise
    except Exception:  # noqa: BLE001 - openpyxl raises nearly anything on a damaged workbook
        raise InputError(
            "The Excel workbook is damaged.", where=name, fix="Save it again in Excel, or save it as CSV."
        ) from None


def _read_all(data: bytes, name: str) -> dict[str, Grid]:
    has_formulas = _check_content(data, name)
    sheets = _sheets(data)
    formulas: list[Any] = _sheets(data, formulas=True) if has_formulas else [None] * len(sheets)
    pairs = sorted(zip(sheets, formulas, strict=True), key=lambda pair: is_hidden(pair[0]))
    return {sheet.title: [*_grid(sheet, other)] for sheet, other in pairs}


def _read(data: bytes, name: str) -> list[PatientRecord]:
    has_formulas = _check_content(data, name)
    tables = sorted(filter(_has_patients, _sheets(data)), key=is_hidden)
    if not tables:
        raise InputError(
            "No sheet of the workbook has a column patient_id.",
            where=name,
            fix="A row must hold the names of the columns, patient_id among them; or map them with `her2crc map`.",
        )
    chosen = tables[0]
    formulas = _sheets(data, formulas=True)[_position(chosen)] if has_formulas else None
    return read_grid(_grid(chosen, formulas), name, _other_tables(len(tables) - 1, name))


def _check_content(data: bytes, name: str) -> bool:
    """Refuse what would unpack to too much, and tell whether any sheet has formulas."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        refuse_too_large(sum(item.file_size for item in archive.infolist()), name)
        sheets = [item for item in archive.namelist() if item.startswith("xl/worksheets/")]
        return any(FORMULA.search(archive.read(item)) for item in sheets)


def _sheets(data: bytes, *, formulas: bool = False) -> list[Any]:
    import openpyxl

    workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=not formulas)
    sheets: list[Any] = workbook.worksheets
    for sheet in sheets:
        sheet.reset_dimensions()  # the size that a file claims may be wrong, or an attack
    return sheets


def _position(sheet: Any) -> int:
    position: int = sheet.parent.worksheets.index(sheet)
    return position


def _has_patients(sheet: Any) -> bool:
    _, header, _ = split_at_header(enumerate(sheet.iter_rows(values_only=True)), is_header)
    return PATIENT_ID in map(canonical, header)


def is_hidden(sheet: Any) -> bool:
    """Tell whether a person who opens the workbook does not see the sheet, as with old or working copies."""
    return bool(sheet.sheet_state != SHOWN)


def _grid(sheet: Any, formulas: Any | None) -> Iterator[tuple[int, Sequence[object]]]:
    if formulas is None:
        for number, row in enumerate(sheet.iter_rows(), 1):
            yield number, [_shown(cell) for cell in row]
        return
    pairs = zip(sheet.iter_rows(), formulas.iter_rows(), strict=True)
    for number, (row, sources) in enumerate(pairs, 1):
        yield number, [_result(cell, source) for cell, source in zip(row, sources, strict=True)]


def _result(cell: Any, source: Any) -> object:
    """A formula that no program has computed yet has no result: that must not pass for a blank."""
    if cell.value is None and source.data_type == "f":
        return Unusable("its formula has no stored result (open the workbook in Excel and save it)")
    return _shown(cell)


def _shown(cell: Any) -> object:
    """Excel keeps 60 % as 0.6 with a percent format: return it as the person wrote it."""
    value: object = cell.value
    if type(value) not in (int, float) or "%" not in LITERAL.sub("", cell.number_format):
        return value
    return f"{Decimal(repr(value)) * PER_CENT:f}%"


def _other_tables(more: int, name: str) -> tuple[Issue, ...]:
    if not more:
        return ()
    text = f"{more} more sheet(s) of the workbook have a column patient_id and were not read: only the first is."
    return (Issue("warning", "other_sheets", text, place=name),)
