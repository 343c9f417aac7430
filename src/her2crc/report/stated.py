"""What an answer states of each fact: its value, that it cannot be used, or that it is unknown and would decide.

Part of stage 5, for the formats that other systems read (FHIR, HL7 v2). A fact that is unknown and decides nothing
is not stated at all; none is ever stated as negative for want of a result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import msgspec

from her2crc.model.patient import Specimen
from her2crc.model.verdict import Assessment

UNUSABLE, UNKNOWN = "error", "unknown"
"""Codes of the FHIR code system data-absent-reason. A value that was given and cannot be used is an ``error``: the
test was done. ``not-a-number`` would say so only of numbers, ``not-performed`` would be untrue."""

HEAD = ("tumour", "site", "specimen_kind", "collected_on", "scoring_system")
BAD_LEVELS = ("error", "conflict")

PLASMA, TISSUE = "plasma", "tissue"


class Stated(NamedTuple):
    """One fact: its value, or None with the reason why there is none."""

    name: str
    value: Any
    reason: str = ""


Facts = dict[str, Stated]


def specimen_statements(specimen: Specimen, assessment: Assessment) -> Facts:
    """Return what is stated of a specimen, by field name."""
    values: dict[str, Any] = {name: getattr(specimen, name) for name in HEAD}
    for part in (specimen.ihc, specimen.ish, specimen.tissue, specimen.plasma):
        values |= msgspec.structs.asdict(part)
    return _stated(values, specimen.unsettled, _missing_of(specimen, assessment))


def patient_statements(assessment: Assessment) -> Facts:
    """Return what is stated of the patient, by field name."""
    patient = assessment.patient
    values = msgspec.structs.asdict(patient.genes) | msgspec.structs.asdict(patient.history)
    unusable = [item.field for item in patient.issues if item.level in BAD_LEVELS and not item.specimen]
    conditions = (condition for action in assessment.actions for condition in action.conditions)
    missing = [*assessment.testing.missing, *(name for item in conditions for name in item.missing)]
    return _stated(values, unusable, missing)


def matrix_of(specimen: Specimen, facts: Mapping[str, Stated]) -> str:
    """Return whether a specimen is plasma or tissue, by what is known of it; empty where nothing says so."""
    if PLASMA in (specimen.site, specimen.specimen_kind):
        return PLASMA
    parts = (specimen.ihc, specimen.ish, specimen.tissue)
    of_tissue = ("site", "specimen_kind", *(field.name for part in parts for field in msgspec.structs.fields(part)))
    return TISSUE if any(name in facts and facts[name].value is not None for name in of_tissue) else ""


def is_preliminary(names: Iterable[str], assessment: Assessment) -> bool:
    """Tell whether one of these facts came from a result that was not final."""
    uncertain = {item.field for item in assessment.patient.issues if item.id == "fhir_status_uncertain"}
    return not uncertain.isdisjoint(names)


def shown_date(value: date | None) -> str:
    """Return a day as the formats write it (ISO), empty where it is unknown."""
    return value.isoformat() if value else ""


def _missing_of(specimen: Specimen, assessment: Assessment) -> list[str]:
    rules = [item.specimens for item in assessment.criteria.values() if item.role == "rule"]
    return [name for item in rules if specimen.specimen_id in item for name in item[specimen.specimen_id].missing]


def _stated(values: Mapping[str, Any], unusable: Iterable[str], missing: Iterable[str]) -> Facts:
    bad, open_facts = set(unusable), set(missing)
    found: Facts = {}
    for name, value in values.items():
        if value is not None:
            found[name] = Stated(name, value)
        elif name in bad:
            found[name] = Stated(name, None, UNUSABLE)
        elif name in open_facts:
            found[name] = Stated(name, None, UNKNOWN)
    return found
