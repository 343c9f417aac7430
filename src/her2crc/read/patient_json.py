"""Patients from JSON: one patient, a list, a list of flat rows (the table as records), JSON Lines, an earlier result.

A patient is ``{"patient_id": ..., patient-level fields, "specimens": [{"specimen_id": ..., specimen fields}]}``;
its JSON Schema is in :mod:`her2crc.read.schema`. Fields may also stand in the groups of an earlier result
(``ihc``, ``ish``, ``genes`` ...). Numbers keep the digits they were written with.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation

import msgspec

from her2crc.errors import InputError
from her2crc.model.record import Issue, PatientRecord, SpecimenRow
from her2crc.read.columns import PATIENT_ID, canonical, columns, given_fields, groups, meant_patient_id, unknown_names
from her2crc.read.rows import Found, Unusable, collect, found_row, identifier, lost, read_cells
from her2crc.read.sniff import earlier_patient
from her2crc.read.source import decode

SPECIMENS = "specimens"
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
        raise InputError(f"This is not valid JSON: {error.msg}.", where=where, fix="Mend the JSON there.") from None
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
            text = f"{label} is a FHIR resource and was not used: put FHIR resources into one Bundle of their own."
            return [lost(label, Issue("error", "fhir_among_json", text, place=place))]
        patient = earlier_patient(entry)
        return self.read_patient(entry if patient is None else patient, place, label)

    def read_patient(self, patient: Object, place: str, label: str) -> list[Found]:
        """Read the patient's own fields as one row without specimen, then each specimen; a flat row is one row."""
        own = {key: value for key, value in patient.items() if key not in (SPECIMENS, "issues")}
        head = found_row(self.cells(own), place, label)
        if head.patient_id is None or head.row is None:
            return [head]
        entries = patient.get(SPECIMENS)
        if SPECIMENS in patient:
            head = _without_specimen_fields(head, head.row)
        if entries is not None and not isinstance(entries, list):
            text = "'specimens' is not one list, and was not used."
            issue = Issue("error", "specimens_not_a_list", text, field=SPECIMENS, place=place)
            head, entries = head._replace(issues=(*head.issues, issue)), None
        head = head._replace(issues=(*head.issues, *self.earlier_issues(patient)))
        if head.row and not head.row.values:
            head = head._replace(row=None)
        return [head, *self.read_specimens(entries or [], head.patient_id, place)]
