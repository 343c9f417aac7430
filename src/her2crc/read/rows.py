"""From cells to patient records: what every reader of tables and JSON has in common.

A cell keeps its value as written; only the signs of blank become None (unknown). What is not one value (given
twice, a list, a formula without result) becomes an error issue and is unknown. Rows are gathered by patient.
Typing, spelling and ranges are the business of the next stage, ``normalise``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import count
from typing import NamedTuple
from uuid import UUID

import msgspec

from her2crc.model.course import NO_COURSE, Course
from her2crc.model.record import Issue, PatientRecord, RawValue, SpecimenRow
from her2crc.read.columns import PATIENT_ID, SPECIMEN_ID, specimen_columns

BLANK = frozenset(
    (
        *("", "na", "n/a", "n.a.", "nan", "null", "none", "-", "--", ".", "?", "unknown", "nd", "n.d.", "n/d", "k.a."),
        *("not done", "not tested", "not performed", "not available", "pending", "unbekannt", "nicht bestimmt"),
        *("ausstehend", "non fait", "no realizado", "未做", "未检测"),
    )
)
"""Usual signs, in lower case, that nothing is known."""
TOTALS = frozenset(
    (
        *("total", "totals", "subtotal", "sum", "mean", "average", "median", "summe", "gesamt", "mittelwert", "somme"),
        *("moyenne", "suma", "media", "promedio", "totale", "somma", "toplam", "ortalama", "合计", "总计", "平均"),
    )
)
"""What stands, in lower case, in the place of a patient where a row adds up the others."""


SPREADSHEET_NUMBER = re.compile(r"^(\d+)\.0$")

Values = dict[str, RawValue]


class Unusable(NamedTuple):
    """Stands in a cell that cannot be used; ``reason`` ends the sentence 'NAME could not be used: ...'."""

    reason: str


class Found(NamedTuple):
    """One row as read. Without ``patient_id`` it could not be used; ``label`` names it, as in 'row 4'."""

    label: str
    patient_id: str | None = None
    row: SpecimenRow | None = None
    issues: tuple[Issue, ...] = ()
    course: Course = NO_COURSE


def lost(label: str, issue: Issue) -> Found:
    """Return a row that belongs to no patient, so that its error is seen."""
    return Found(label, issues=(issue,))


def found_row(cells: Iterable[tuple[str, object]], place: str, label: str) -> Found:
    """Read one row by column name, ``patient_id`` among them; ``label`` names the row where that is blank."""
    values, issues = read_cells(cells, place)
    patient_id = identifier(values.pop(PATIENT_ID, None))
    if patient_id is None:
        text = f"patient_id is missing or blank, so nothing of {label} was used: fill it in."
        return lost(label, Issue("error", "no_patient_id", text, field=PATIENT_ID, place=place))
    return Found(label, patient_id, SpecimenRow(place, values) if values else None, issues)


def read_cells(cells: Iterable[tuple[str, object]], place: str) -> tuple[Values, tuple[Issue, ...]]:
    """Return the values as written, by column name, and an error for each that cannot be used."""
    values: Values = {}
    issues = []
    for name, cell in cells:
        value = as_written(cell)
        if isinstance(value, Unusable):
            text = f"{name} could not be used: {value.reason}."
            issues.append(Issue("error", "unusable_value", text, field=name, place=place))
            values[name] = None
        else:
            values[name] = value
    return values, tuple(issues)


def as_written(cell: object) -> RawValue | Unusable:
    """Return the value of a cell: None for a sign of blank, digits as they stand, dates in ISO form."""
    if isinstance(cell, str):
        # JSON can escape half a character, which no report could print.
        text = cell.strip().encode("utf-8", "replace").decode("utf-8")
        return None if text.lower() in BLANK else text
    if isinstance(cell, float):
        return _from_float(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, UUID):  # the identifier of a database
        return str(cell)
    if cell is None or isinstance(cell, bool | int | Decimal | Unusable):
        return cell
    return Unusable("it is not a single value")


def _from_float(number: float) -> RawValue:
    """Through repr, so that 2.2 stays 2.2; pandas writes an empty number as NaN."""
    if math.isnan(number):
        return None
    return Decimal(repr(number)) if math.isfinite(number) else repr(number)


def identifier(value: RawValue) -> str | None:
    """Return an identifier as text; a spreadsheet may have made 101 of it, or 101.0."""
    return None if value is None else SPREADSHEET_NUMBER.sub(r"\1", str(value))


def collect(found: Iterable[Found], notes: Sequence[Issue] = ()) -> list[PatientRecord]:
    """Gather rows by patient, in the order first seen; ``notes`` on the whole file go to the first."""
    gathered: dict[tuple[bool, str], list[Found]] = {}
    for item in found:
        known = item.patient_id is not None
        gathered.setdefault((known, item.patient_id or item.label), []).append(item)
    records = [_record(name, items) for (_, name), items in gathered.items()]
    if records and notes:
        records[0] = msgspec.structs.replace(records[0], issues=(*notes, *records[0].issues))
    return records


def _record(name: str, items: Sequence[Found]) -> PatientRecord:
    named = [*_with_specimen_ids(items)]
    rows = tuple(item.row for item in named if item.row is not None)
    course = sum((item.course for item in items if item.course is not NO_COURSE), NO_COURSE)
    return PatientRecord(name, rows, tuple(issue for item in named for issue in item.issues), course)


def _with_specimen_ids(items: Sequence[Found]) -> Iterator[Found]:
    """Give S1, S2 ... to specimens without an id; a row that only speaks of the patient gets none."""
    taken = {_specimen_id(item) for item in items}
    fresh = (name for name in map("S{}".format, count(1)) if name not in taken)
    for item in items:
        if item.row is None:
            yield item
            continue
        specimen_id = _specimen_id(item) or (next(fresh) if _tells_of_specimen(item) else None)
        head: Values = {SPECIMEN_ID: specimen_id} if specimen_id else {}
        tail = {name: value for name, value in item.row.values.items() if name != SPECIMEN_ID}
        issues = tuple(_of_specimen(issue, specimen_id) for issue in item.issues)
        yield item._replace(row=SpecimenRow(item.row.place, head | tail), issues=issues)


def _specimen_id(item: Found) -> str | None:
    return identifier(item.row.values.get(SPECIMEN_ID)) if item.row else None


def _tells_of_specimen(item: Found) -> bool:
    stated = {name for name, value in item.row.values.items() if value is not None} if item.row else set()
    return not specimen_columns().isdisjoint(stated | {issue.field for issue in item.issues})


def _of_specimen(issue: Issue, specimen_id: str | None) -> Issue:
    if specimen_id is None or issue.field not in specimen_columns():
        return issue
    return msgspec.structs.replace(issue, specimen=specimen_id)
