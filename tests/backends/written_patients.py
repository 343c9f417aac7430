"""Patients for the tests of the writers: every example that ships, and any patient that Hypothesis can build."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from her2crc.criteria.library import Knowledge
from her2crc.flow import assess, load_knowledge, normalise_record, read_patients
from her2crc.model.patient import Patient, Specimen
from her2crc.model.record import PatientRecord, SpecimenRow
from her2crc.model.verdict import Assessment

EXAMPLES = Path(__file__).parents[2] / "src" / "her2crc" / "examples"
KNOWLEDGE = load_knowledge(date(2026, 11, 22))
PATIENTS = [
    patient
    for path in sorted([*EXAMPLES.glob("*.json"), *EXAMPLES.glob("*.csv")])
    for patient in read_patients(path, KNOWLEDGE)
]
ANSWERS: dict[str, Assessment] = {patient.patient_id: assess(patient, KNOWLEDGE) for patient in PATIENTS}
UNREADABLE = ("not a number", "5000000", "> 10")
"""Values that `normalise` refuses, so that facts that were stated and cannot be used are among the patients."""

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=20)
LEGAL_NAMES = st.from_regex(r"[A-Za-z0-9.\-]{1,30}", fullmatch=True)


def given_fields(knowledge: Knowledge, level: str) -> list[Any]:
    fields = knowledge.fields.values()
    return [f for f in fields if f.level == level and f.group != "judged" and (not f.derived_from or f.group == "ish")]


def values_of(field: Any) -> st.SearchStrategy[Any]:
    match field.type:
        case "code":
            return st.sampled_from(sorted(field.values))
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(int(field.minimum), int(min(field.maximum, 500)))
        case "decimal" | "ratio":
            most = min(field.maximum, Decimal(100))
            return st.decimals(field.minimum, most, places=2) | st.decimals(field.minimum, most, places=1)
        case "date":
            return st.dates(date(2015, 1, 1), date(2026, 11, 1)).map(str)
        case _:
            return NAMES.map(str.strip).filter(bool)


def rows_of(level: str, *, unreadable: bool) -> st.SearchStrategy[dict[str, Any]]:
    extra = st.sampled_from(UNREADABLE) if unreadable else st.nothing()
    optional = {
        field.name: values_of(field) | extra if field.type != "text" else values_of(field)
        for field in given_fields(KNOWLEDGE, level)
    }
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def patients(draw: st.DrawFn, *, unreadable: bool = True) -> Patient:
    names = draw(st.lists(LEGAL_NAMES, max_size=3, unique=True))
    rows = [SpecimenRow("about", draw(rows_of("patient", unreadable=unreadable)))]
    for number, name in enumerate(names):
        values = draw(rows_of("specimen", unreadable=unreadable))
        rows.append(SpecimenRow(f"row {number}", {"specimen_id": name, **values}))
    return normalise_record(PatientRecord(draw(LEGAL_NAMES), tuple(rows)), KNOWLEDGE)


def findings(patient: Patient, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Every fact of a patient by specimen; what is wrong in the input is told by `unsettled`, not by its messages."""
    return {
        "patient": patient.patient_id,
        "genes": _known(patient.genes, without),
        "history": _known(patient.history, without),
        "specimens": {item.specimen_id: _specimen(item, without) for item in patient.specimens},
    }


def _specimen(specimen: Specimen, without: tuple[str, ...]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for part in (specimen, specimen.ihc, specimen.ish, specimen.tissue, specimen.plasma):
        facts |= _known(part, without)
    groups = ("ihc", "ish", "tissue", "plasma", "specimen_id", "unsettled")
    facts = {name: value for name, value in facts.items() if name not in groups}
    return facts | {"unsettled": sorted(set(specimen.unsettled) - set(without))}


def _known(part: msgspec.Struct, without: tuple[str, ...]) -> dict[str, Any]:
    facts = msgspec.structs.asdict(part)
    return {name: value for name, value in facts.items() if value is not None and name not in without}
