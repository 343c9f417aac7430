"""Patients from JSON: one, a list, the specimen table as a list of flat rows, JSON Lines, an earlier result.

A patient is ``{"patient_id": ..., fields of the patient, "specimens": [{"specimen_id": ..., its fields}]}``;
the JSON Schema is in :mod:`her2crc.read.schema`. Fields may also stand in the groups of an earlier result
(``ihc``, ``ish``, ``genes`` ...). Numbers keep the digits they were written with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache

import msgspec

from her2crc.errors import InputError
from her2crc.model.record import Issue, PatientRecord, SpecimenRow
from her2crc.read.columns import (
    PATIENT_ID,
    SPECIMEN_ID,
    canonical,
    columns,
    groups,
    meant_patient_id,
    specimen_columns,
    unknown_names,
)
from her2crc.read.course import IMAGING, TREATMENTS, VARIANTS, read_course, read_variants
from her2crc.read.rows import Found, Unusable, collect, found_row, identifier, lost, read_cells
from her2crc.read.sniff import earlier_patient
from her2crc.read.source import decode

SPECIMENS, ISSUES = "specimens", "issues"
ASIDE = (SPECIMENS, ISSUES, TREATMENTS, IMAGING)
"""Keys of a patient that hold no single field."""

UNSETTLED = "unsettled"
"""Names, in an earlier result, the facts of a specimen that could not be used; its issues say the same."""
Object = dict[str, object]


def read_patients(data: bytes, name: str) -> list[PatientRecord]:
    """Read one patient or earlier result, or a list of them.

    Raises:
        InputError: not JSON (with line and column), or nothing in it can be read.
    """
    return _read_document(data, name, "patient")


def read_json_rows(data: bytes, name: str) -> list[PatientRecord]:
    """Read a list of flat rows: objects whose keys are the columns of the specimen table. Raises as above."""
    return _read_document(data, name, "row")


def read_json_lines(data: bytes, name: str) -> list[PatientRecord]:
    """Read one object a line: patients, rows or earlier results. A bad line becomes an error of its own.

    Raises:
        InputError: no line can be read.
    """
    text, notes = decode(data, name)
    file = _File(name)
    found: list[Found] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            found += file.read_line(line, number)
    return file.records(found, notes)


def _read_document(data: bytes, name: str, word: str) -> list[PatientRecord]:
    text, notes = decode(data, name)
    try:
        document = _parse(text)
    except json.JSONDecodeError as error:
        where = f"{name}:{error.lineno}, column {error.colno}"
        raise InputError(f"This is not valid JSON: {error.msg}.", where=where, fix="Mend it there.") from None
    file = _File(name)
    if not isinstance(document, list):
        return file.records(file.read_entry(document, name, "the patient"), notes)
    found: list[Found] = []
    for number, entry in enumerate(document, 1):
        found += file.read_entry(entry, f"{name}:{word} {number}", f"{word} {number}")
    return file.records(found, notes)


class _File:
    """One file as it is read; gathers the names that are not known, for one warning in all."""

    def __init__(self, name: str) -> None:
        self.name, self.unknown = name, list[str]()

    def records(self, found: Sequence[Found], notes: Sequence[Issue]) -> list[PatientRecord]:
        if not found:
            raise InputError("The list holds no patient.", where=self.name, fix=meant_patient_id(()))
        if all(item.patient_id is None for item in found):
            first = found[0].issues[0]
            raise InputError(first.text, where=first.place, fix=meant_patient_id(self.unknown))
        return collect(found, (*notes, *unknown_names(self.unknown, self.name)))

    def read_line(self, line: str, number: int) -> list[Found]:
        label, place = f"line {number}", f"{self.name}:{number}"
        try:
            return self.read_entry(_parse(line), place, label)
        except json.JSONDecodeError as error:
            text = f"{label} is not valid JSON (column {error.colno}: {error.msg}) and was not used."
            return [lost(label, Issue("error", "not_json", text, place=place))]

    def read_entry(self, entry: object, place: str, label: str) -> list[Found]:
        if not isinstance(entry, dict):
            text = f"{label} is not a JSON object with a patient_id, and was not used."
            return [lost(label, Issue("error", "not_an_object", text, place=place))]
        if "resourceType" in entry:
            text = f"{label} is a FHIR resource and was not used: put FHIR resources into one Bundle."
            return [lost(label, Issue("error", "fhir_among_json", text, place=place))]
        patient = earlier_patient(entry)
        return self.read_patient(entry if patient is None else patient, place, label)

    def read_patient(self, patient: Object, place: str, label: str) -> list[Found]:
        """Read the patient's own fields as one row, then each specimen; without ``specimens`` a flat row."""
        cells = self.cells({key: value for key, value in patient.items() if key not in ASIDE})
        misplaced = specimen_columns() if SPECIMENS in patient else frozenset()
        head = found_row([(name, value) for name, value in cells if name not in misplaced], place, label)
        if head.patient_id is None:
            return [head]
        course, problems = read_course(patient, place)
        return [
            head,
            Found(label, head.patient_id, issues=problems, course=course),
            *(_misplaced(head.patient_id, name, place) for name, _ in cells if name in misplaced),
            Found(label, head.patient_id, issues=self.earlier_issues(patient)),
            *self.read_specimens(patient.get(SPECIMENS), head.patient_id, place),
        ]

    def read_specimens(self, entries: object, patient_id: str, place: str) -> Iterator[Found]:
        if entries is None:
            return
        if not isinstance(entries, list):
            yield _unused(patient_id, "specimens is not one list, and was not used.", place)
            return
        for number, entry in enumerate(entries, 1):
            between = ":" if place == self.name else ", "
            yield self.read_specimen(entry, patient_id, f"{place}{between}specimen {number}")

    def read_specimen(self, entry: object, patient_id: str, place: str) -> Found:
        if not isinstance(entry, dict):
            return _unused(patient_id, "This specimen is not a JSON object, and was not used.", place)
        values, issues = read_cells(self.cells(entry), place)
        if identifier(values.pop(PATIENT_ID, None)) not in (None, patient_id):
            return _unused(patient_id, "This specimen names another patient_id, and was not used.", place)
        course, problems = read_variants(entry, identifier(values.get(SPECIMEN_ID)), place)
        return Found(place, patient_id, SpecimenRow(place, values), (*issues, *problems), course)

    def cells(self, entry: Object) -> list[tuple[str, object]]:
        """Return the known fields of an object, those in groups too, and remember the names of the others."""
        flat = _object(_ungrouped(entry))
        self.unknown += [name for name in flat if name not in (*columns(), UNSETTLED, VARIANTS)]
        return [(name, value) for name, value in flat.items() if name in columns()]

    def earlier_issues(self, patient: Object) -> tuple[Issue, ...]:
        """Return what was found wrong when an earlier result was made; its values were left out for it."""
        try:
            return msgspec.convert(patient.get(ISSUES, ()), tuple[Issue, ...])
        except msgspec.ValidationError:
            self.unknown.append(ISSUES)
            return ()


def _misplaced(patient_id: str, name: str, place: str) -> Found:
    text = f"{name} belongs into an entry of 'specimens', and was not used: it does not say which one."
    return _unused(patient_id, text, place, name)


def _unused(patient_id: str, text: str, place: str, field: str = "") -> Found:
    return Found(place, patient_id, issues=(Issue("error", "not_used", text, field=field, place=place),))


def _parse(text: str) -> object:
    """Parse with the digits kept; the standard library does it, because it says where a fault is."""
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=str,  # NaN is read as a sign of blank; an infinity stays text, not a number
        )
    except RecursionError:
        raise json.JSONDecodeError("It is nested too deeply", text, 0) from None


def _object(pairs: Iterable[tuple[str, object]]) -> Object:
    """Spell known names as the table does; a known name that stands twice cannot be used."""
    found: Object = {}
    for written, value in pairs:
        name = canonical(written) if canonical(written) in _names() else written
        found[name] = Unusable("it is given twice") if name in found and name in columns() else value
    return found


@cache
def _names() -> frozenset[str]:
    return frozenset((*columns(), *groups(), SPECIMENS))


def _ungrouped(entry: Object) -> Iterator[tuple[str, object]]:
    for name, value in entry.items():
        if name in groups() and isinstance(value, dict):
            yield from value.items()
        else:
            yield name, value


def _decimal(digits: str) -> Decimal | str:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond all measure: as text it is refused where it is checked
        return digits


def _whole(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # thousands of digits
        return digits
