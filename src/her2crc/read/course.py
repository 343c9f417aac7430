"""Treatments, imaging and variants of a patient, from patient JSON or from tables of their own.

Each entry that cannot be used becomes an error with its place and is left out; the others stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from her2crc.errors import InputError
from her2crc.model.course import Course, Imaging, Treatment, Variant
from her2crc.model.record import Issue, PatientRecord, SpecimenRow
from her2crc.read.excel import excel_grids
from her2crc.read.rows import as_written
from her2crc.read.source import decode, first_line, read_source
from her2crc.read.table import DELIMITERS, csv_grid

TREATMENTS, IMAGING, VARIANTS = "treatments", "imaging", "variants"
PATIENT_ID, SPECIMEN_ID, COLLECTED, ZIP = "patient_id", "specimen_id", "collected_on", b"PK"
CODES = ("kind", "finding")
SHAPES: dict[str, tuple[type[Any], str]] = {
    TREATMENTS: (Treatment, "regimen, kind (anti_her2, anti_egfr, chemotherapy, other), start and stop (2026-01-31)"),
    IMAGING: (Imaging, "on (2026-01-31) and finding (progression, stable, response)"),
    VARIANTS: (Variant, "gene, change and allele_fraction (0 to 1)"),
}
Shape = TypeVar("Shape")


def read_course(entry: Mapping[str, object], place: str) -> tuple[Course, tuple[Issue, ...]]:
    """Return the treatments and imaging that a patient's JSON object states."""
    treatments, first = _entries(entry.get(TREATMENTS), TREATMENTS, place)
    imaging, second = _entries(entry.get(IMAGING), IMAGING, place)
    return Course(treatments, imaging), (*first, *second)


def read_variants(entry: Mapping[str, object], specimen_id: str | None, place: str) -> tuple[Course, tuple[Issue, ...]]:
    """Return the variants that a specimen's JSON object states; none stated is not none found."""
    if entry.get(VARIANTS) is None:
        return Course(), ()
    variants, issues = _entries(entry[VARIANTS], VARIANTS, place)
    if specimen_id is None:
        text = "variants were not used: the specimen has no specimen_id to which they could belong."
        return Course(), (*issues, Issue("error", "not_used", text, field=VARIANTS, place=place))
    return Course(variants=((specimen_id, variants),)), issues


def read_course_table(path: str | Path, what: str) -> dict[str, Course]:
    """Return the courses by patient of a table (CSV, TSV, Excel) of ``treatments`` or ``imaging``.

    Raises:
        MissingInputError: there is no such file.
        InputError: no ``patient_id`` in the header, or a row that cannot be used (with its line).
    """
    data, name = read_source(str(path), None)
    courses: dict[str, Course] = {}
    for line, row in _rows(data, name):
        patient = row.pop(PATIENT_ID, None)
        found, issues = _entries([row], what, f"{name}:{line}")
        if issues or patient is None:
            text = issues[0].text if issues else "patient_id is blank."
            raise InputError(text, where=f"{name}:{line}", fix=f"Each row has {PATIENT_ID}, {SHAPES[what][1]}.")
        added = Course(treatments=found) if what == TREATMENTS else Course(imaging=found)
        courses[str(patient)] = courses.get(str(patient), Course()) + added
    return courses


def join_records(records: Iterable[PatientRecord], tables: Mapping[str, str | Path | None]) -> list[PatientRecord]:
    """Return one record a patient, with the courses that tables add; ``tables`` is by ``treatments`` and ``imaging``.

    Raises:
        MissingInputError: there is no such table.
        InputError: a row of a table cannot be used, or no patient of it has a result (a registry's table may hold
            more patients than are followed).
    """
    joined: dict[str, PatientRecord] = {}
    for record in records:
        known = joined.get(record.patient_id)
        joined[record.patient_id] = record if known is None else _together(known, record)
    for what, path in tables.items():
        courses = read_course_table(path, what) if path is not None else {}
        if courses and joined.keys().isdisjoint(courses):
            raise InputError(
                f"No patient of the table of {what} has a result in the files.",
                where=Path(str(path)).name,
                fix="Use the same patient_id in both.",
            )
        for patient in courses.keys() & joined.keys():
            record = joined[patient]
            joined[patient] = msgspec.structs.replace(record, course=record.course + courses[patient])
    return list(joined.values())


def _together(first: PatientRecord, second: PatientRecord) -> PatientRecord:
    """Join what two files say of a patient; specimens of one id but different days are different specimens."""
    days = {row.values.get(SPECIMEN_ID): row.values.get(COLLECTED) for row in first.rows}
    others = {
        name: f"{name} ({day})"
        for row in second.rows
        if (name := row.values.get(SPECIMEN_ID)) is not None
        and (day := row.values.get(COLLECTED)) is not None
        and days.get(name) not in (None, day)
    }
    variants = tuple((others.get(name, name), found) for name, found in second.course.variants)
    return PatientRecord(
        first.patient_id,
        (*first.rows, *(_renamed(row, others) for row in second.rows)),
        (*first.issues, *second.issues),
        first.course + msgspec.structs.replace(second.course, variants=variants),
    )


def _renamed(row: SpecimenRow, others: Mapping[Any, str]) -> SpecimenRow:
    name = row.values.get(SPECIMEN_ID)
    return SpecimenRow(row.place, {**row.values, SPECIMEN_ID: others[name]}) if name in others else row


def _rows(data: bytes, name: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield line and cells by the name of the column."""
    if data.startswith(ZIP):
        grid: Iterable[Any] = next(iter(excel_grids(data, name).values()))
    else:
        text, _ = decode(data, name)
        grid = csv_grid(text, name, max(DELIMITERS, key=first_line(text).count))
    header: list[str] = []
    for line, cells in grid:
        values = [as_written(cell) for cell in cells]
        if not any(value is not None for value in values):
            continue
        if header:
            yield line, {key: value for key, value in zip(header, values, strict=False) if key and value is not None}
        else:
            header = [str(value or "").strip().lower().replace(" ", "_") for value in values]
            if PATIENT_ID not in header:
                raise InputError("The first row has no column patient_id.", where=f"{name}:{line}")


def _entries(value: object, what: str, place: str) -> tuple[tuple[Any, ...], tuple[Issue, ...]]:
    if value is None:
        return (), ()
    if not isinstance(value, list):
        return (), (_unused(f"{what} is not a list, and was not used.", what, place),)
    found: list[Any] = []
    issues: list[Issue] = []
    for number, entry in enumerate(value, 1):
        item = _converted(entry, what)
        if item is None:
            text = f"Entry {number} of {what} was not used; it needs {SHAPES[what][1]}."
            issues.append(_unused(text, what, place))
        else:
            found.append(item)
    return tuple(found), tuple(issues)


def _converted(entry: object, what: str) -> Any:
    if not isinstance(entry, dict):
        return None
    plain = {key: str(value) if value is not None else None for key, value in entry.items()}
    plain |= {key: "_".join(str(plain[key]).lower().replace("-", " ").split()) for key in CODES if plain.get(key)}
    try:
        item = msgspec.convert(plain, SHAPES[what][0], strict=False)
    except msgspec.ValidationError:
        return None
    if isinstance(item, Treatment) and item.stop == date.max:  # how some systems write an end that is not known
        item = msgspec.structs.replace(item, stop=None)
    return item if _possible(item) else None


def _possible(item: object) -> bool:
    """A treatment does not stop before it starts; an allele fraction lies between 0 and 1."""
    if isinstance(item, Treatment):
        return item.stop is None or item.stop >= item.start
    if isinstance(item, Variant):
        return item.allele_fraction is None or 0 <= item.allele_fraction <= 1
    return True


def _unused(text: str, what: str, place: str) -> Issue:
    return Issue("error", "not_used", text, field=what, place=place)
