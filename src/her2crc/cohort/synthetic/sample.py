"""A few synthetic patients as FHIR NDJSON and as report text, from the same rows as the table.

Beside the tables of a synthetic registry. FHIR holds the facts only, in a bulk-export folder: one file a type of
resource, each resource tagged as test data.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from her2crc.cohort.synthetic.text import report_text
from her2crc.criteria.library import Knowledge
from her2crc.flow import assess, read_patients
from her2crc.model.patient import Patient
from her2crc.report.fhir_elements import Element, Sheet
from her2crc.report.fhir_facts import fact_entries

TAG = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
"""The code that HL7 gives for data of nobody; https, as everywhere in FHIR, names the system and opens no page."""

URN = "urn:uuid:"
ENCODER = msgspec.json.Encoder(decimal_format="number")


def write_sample(tables: Sequence[Any], folder: Path, knowledge: Knowledge, *, fhir: int, text: int) -> dict[str, str]:
    """Write the first patients of some tables as FHIR and as text; return the files by what they hold."""
    patients = list(islice(_patients(tables, knowledge), max(fhir, text)))
    files: dict[str, str] = {}
    if fhir:
        files |= _write_fhir(patients[:fhir], folder / "fhir.synthetic", knowledge)
    if text:
        (folder / "text").mkdir(exist_ok=True)
        for patient in patients[:text]:
            (folder / "text" / f"{patient.patient_id}.txt").write_text(report_text(patient), encoding="utf-8")
        files["text"] = str(folder / "text")
    return files


def _patients(tables: Sequence[Any], knowledge: Knowledge) -> Iterator[Patient]:
    """Read the rows as any laboratory's table is read."""
    from pyarrow.parquet import write_table

    for table in tables:
        sink = io.BytesIO()
        write_table(table, sink)
        yield from read_patients(sink.getvalue(), knowledge, "synthetic.parquet")


def _write_fhir(patients: Sequence[Patient], folder: Path, knowledge: Knowledge) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    lines: dict[str, list[bytes]] = {}
    for patient in patients:
        for resource in fhir_resources(patient, knowledge):
            lines.setdefault(resource["resourceType"], []).append(ENCODER.encode(resource) + b"\n")
    for kind, found in lines.items():
        (folder / f"{kind}.ndjson").write_bytes(b"".join(found))
    return {"fhir": str(folder)}


def fhir_resources(patient: Patient, knowledge: Knowledge) -> Iterator[Element]:
    """Yield a patient, the specimens and the facts as resources of FHIR R4, each with an id, a tag and references."""
    sheet = Sheet(assess(patient, knowledge), knowledge)
    entries = [(sheet.address(entry.role), entry.resource) for entry in fact_entries(sheet)]
    ids = {address: item.get("id") or address.removeprefix(URN) for address, item in entries}
    names = {address: f"{item['resourceType']}/{ids[address]}" for address, item in entries}
    for address, resource in entries:
        pointed = _point(resource, names)
        head = {"resourceType": pointed["resourceType"], "id": ids[address], "meta": {"tag": [TAG]}}
        yield head | {key: value for key, value in pointed.items() if key not in head}


def _point(value: Any, names: dict[str, str]) -> Any:
    """Replace addresses inside a bundle by references between files."""
    if isinstance(value, dict):
        return {
            key: names.get(item, item) if key == "reference" else _point(item, names) for key, item in value.items()
        }
    return [_point(item, names) for item in value] if isinstance(value, list) else value
