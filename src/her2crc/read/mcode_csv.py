"""A folder of CSV tables as the mCODE Extraction Framework takes them, into patient records.

The framework turns such tables into FHIR; so does this reader, row by row, and the FHIR reader knows every code
(:mod:`her2crc.read.as_fhir`). Which columns make which table is data (``knowledge/terms/mcode_csv.yaml``).
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from her2crc.criteria.strict_yaml import load_strict
from her2crc.errors import InputError
from her2crc.model.quantity import parse_decimal
from her2crc.model.record import Issue, PatientRecord
from her2crc.read.as_fhir import Converted, only_meaning, to_specimen
from her2crc.read.fhir_codes import Message
from her2crc.read.fhir_resources import Coding, Concept, Quantity, Resource, Stage
from her2crc.read.folder import Folder
from her2crc.read.source import decode

WORDS_FILE = Path(__file__).parents[1] / "knowledge" / "terms" / "mcode_csv.yaml"
SNOMED = "http://snomed.info/sct"
SIGNS = re.compile(r"[^a-z0-9]")
AMOUNT = re.compile(r"([-+]?[0-9]{1,9}(?:[.,][0-9]{1,6})?)(?: +(\S+))?")
TABLE_NAMES = (".csv", ".tsv")
DRUGS = {"administration": "MedicationAdministration", "request": "MedicationRequest"}


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of table, and the columns it is known by."""

    table: str
    columns: tuple[str, ...]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file of words."""

    tables: tuple[Table, ...]
    key: str
    stage: str
    messages: dict[str, Message]


class Row(NamedTuple):
    """One row: its place, and its filled cells by column."""

    place: str
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """Return a cell, empty where it is blank or absent."""
        return self.cells.get(column, "")


Tables = dict[str, list[Row]]


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the words, loaded once. Raises KnowledgeError where the file is wrong."""
    return load_strict(WORDS_FILE, Words)


def is_mcode(folder: Folder) -> bool:
    """Tell whether a folder holds a table of the mCODE Extraction Framework."""
    return any(kind for _, kind in _kinds(folder))


def read_mcode(folder: Folder) -> list[PatientRecord]:
    """Read the patients of the tables, in the order of the files.

    Raises:
        InputError: a table cannot be split into cells, or no row names a patient.
    """
    patients: dict[str, Tables] = {}
    not_read, nameless = [], 0
    for path, kind in _kinds(folder):
        if not kind:
            not_read.append(path)
            continue
        for row in _rows(folder, path):
            mrn = row.get(words().key)
            nameless += not mrn
            if mrn:
                patients.setdefault(mrn, defaultdict(list))[kind].append(row)
    if not patients:
        raise InputError("No row of the tables names a patient.", where=folder.name, fix="Fill in the column mrn.")
    records = [_read_patient(mrn, tables) for mrn, tables in patients.items()]
    notes = [note for note in (_not_read(not_read, folder), _nameless(nameless, folder)) if note]
    records[0] = msgspec.structs.replace(records[0], issues=(*notes, *records[0].issues))
    return records


def _kinds(folder: Folder) -> Iterator[tuple[str, str]]:
    """Yield each table of the folder with its kind, empty for one that is not read."""
    for path in folder.files:
        if path.lower().endswith(TABLE_NAMES):
            header = _header(next((line for _, line in folder.lines(path)), ""))
            if words().key in header:
                kinds = (table.table for table in words().tables if set(table.columns) <= set(header))
                yield path, next(kinds, "")


def _header(line: str) -> list[str]:
    return [_plain(name) for name in line.split(",")]


def _plain(name: str) -> str:
    return SIGNS.sub("", name.lower())


def _rows(folder: Folder, path: str) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(decode(folder.read(path), path)[0], newline=""), strict=True)
    try:
        header: Sequence[str] = ()
        for cells in reader:
            if not header:
                header = [_plain(name) for name in cells] if any(map(str.strip, cells)) else ()
            elif any(map(str.strip, cells)):
                filled = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
                yield Row(f"{path}:{reader.line_num}", filled)
    except csv.Error:
        raise InputError(
            "The table cannot be split into cells from here on.",
            where=f"{path}:{reader.line_num}",
            fix="Look for a quotation mark that is not closed, or stands inside a cell.",
        ) from None


def _not_read(paths: list[str], folder: Folder) -> Issue | None:
    return _note("mcode_not_read", folder.name, ", ".join(paths)) if paths else None


def _nameless(rows: int, folder: Folder) -> Issue | None:
    return _note("mcode_no_mrn", folder.name, str(rows)) if rows else None


def _note(id: str, place: str, what: str) -> Issue:
    message = words().messages[id]
    return Issue(message.level, id, message.text.format(what=what), place=place)


def _read_patient(mrn: str, tables: Tables) -> PatientRecord:
    patient = Converted(mrn, words().messages)
    stages: dict[str, list[Row]] = defaultdict(list)
    for row in tables["staging"]:
        stages[row.get("conditionid")].append(row)
    for row in tables["condition"]:
        _add_condition(patient, row, stages.pop(row.get("conditionid"), []))
    for row in (row for rows in stages.values() for row in rows):
        patient.note("mcode_stage_alone", row.place, field="stage")
    for row in tables["observation"]:
        _add_observation(patient, row)
    for kind, resource_type in DRUGS.items():
        for row in tables[kind]:
            _add_drug(patient, row, resource_type)
    return patient.record()


def _add_condition(patient: Converted, row: Row, stages: list[Row]) -> None:
    site = Concept(coding=(Coding(SNOMED, row.get("bodysite")),)) if row.get("bodysite") else None
    condition = Resource(
        resource_type="Condition",
        id=row.place,
        code=_coded(row, "displayname"),
        body_site=site,
        stage=tuple(Stage(summary=Concept(text=text)) for stage in stages if (text := _stage(patient, stage))),
        verification_status=Concept(coding=(Coding(code=row.get("verificationstatus")),)),
    )
    patient.add(row.place, condition)


def _stage(patient: Converted, row: Row) -> str:
    written = row.get("stagegroup").lower()
    found = re.fullmatch(words().stage, written)
    text = found.group(1) if found else written
    if text and not only_meaning(text, "stage"):
        patient.note("mcode_stage", row.place, field="stage")
    return text


def _add_observation(patient: Converted, row: Row) -> None:
    site = row.get("bodysite")
    if site:
        patient.add_specimen(row.place, site, (), Concept(coding=(Coding(SNOMED, site),)))
    value = _value(row)
    observation = Resource(
        resource_type="Observation",
        id=row.place,
        status=row.get("status") or None,
        code=_coded(row, "displayname"),
        specimen=to_specimen(site),
        value_codeable_concept=value if isinstance(value, Concept) else None,
        value_quantity=value if isinstance(value, Quantity) else None,
        value_string=value if isinstance(value, str) else None,
    )
    patient.add(row.place, observation)


def _value(row: Row) -> Concept | Quantity | str | None:
    """Return a value as FHIR has it: a code where its system is named, an amount with its unit, else words."""
    written = row.get("value")
    if row.get("valuecodesystem"):
        return Concept(coding=(Coding(row.get("valuecodesystem"), written),))
    amount = AMOUNT.fullmatch(written)
    if amount is None:
        return written or None
    unit = amount.group(2)
    return Quantity(value=parse_decimal(amount.group(1)), unit=unit, code=unit)


def _add_drug(patient: Converted, row: Row, resource_type: str) -> None:
    drug = Resource(
        resource_type=resource_type,
        id=row.place,
        status=row.get("status") or None,
        intent=row.get("intent") or None,
        medication_codeable_concept=_coded(row, "displaytext"),
    )
    patient.add(row.place, drug)


def _coded(row: Row, display: str) -> Concept:
    shown = row.get(display) or None
    return Concept(coding=(Coding(row.get("codesystem") or None, row.get("code") or None, shown),), text=shown)
