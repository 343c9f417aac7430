"""Synthetic FHIR R4 bundles of a wanted size: one patient with HER2 results, the rest ordinary laboratory values."""

from __future__ import annotations

import json
from typing import Any

Resource = dict[str, Any]
LOINC = "http://loinc.org"


def bundle_of_size(size: int) -> bytes:
    """Return a bundle of about ``size`` bytes with a 3+ result in 80 % and a ratio of 5.4 on one specimen."""
    core = [_patient(), _specimen(), _ihc(), _ratio()]
    filler: list[Resource] = []
    while len(_encode([*core, *filler, _potassium(len(filler))])) <= size:
        filler.append(_potassium(len(filler)))
    return _encode([*core, *filler])


def _encode(resources: list[Resource]) -> bytes:
    entries = [{"fullUrl": f"urn:x:{r['resourceType']}:{r['id']}", "resource": r} for r in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def _patient() -> Resource:
    return {"resourceType": "Patient", "id": "synthetic", "gender": "female", "birthDate": "1960-01-01"}


def _specimen() -> Resource:
    collection = {"collectedDateTime": "2026-02-20", "bodySite": {"text": "Sigmoid colon"}}
    return {
        "resourceType": "Specimen",
        "id": "s1",
        "type": {"text": "Tissue"},
        "subject": {"reference": "Patient/synthetic"},
        "collection": collection,
    }


def _observation(number: str, code: str, display: str, **value: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": number,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
        "subject": {"reference": "Patient/synthetic"},
        "specimen": {"reference": "Specimen/s1"},
        **value,
    }


def _ihc() -> Resource:
    percent = {"code": {"text": "percent"}, "valueQuantity": {"value": 80, "unit": "%", "code": "%"}}
    value = {"valueCodeableConcept": {"text": "3+"}, "component": [percent]}
    return _observation("ihc", "18474-7", "HER2 Ag [Presence] in Tissue by Immune stain", **value)


def _ratio() -> Resource:
    return _observation(
        "ish",
        "49683-6",
        "ERBB2 gene copy number/Chromosome 17 copy number in Tissue by FISH",
        valueQuantity={"value": 5.4},
    )


def _potassium(number: int) -> Resource:
    value = {"valueQuantity": {"value": 4.1, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"}}
    resource = _observation(f"k{number}", "2823-3", "Potassium [Moles/volume] in Serum or Plasma", **value)
    del resource["specimen"]
    return resource
