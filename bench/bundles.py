"""Synthetic FHIR R4 bundles of a wanted size: one patient with HER2 results, the rest ordinary laboratory values.

No two are alike: ids, days, scores, percentages, ratios and sites vary, and a result is missing now and then, so that
nothing is fast only because it was seen before.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any
from uuid import UUID

Resource = dict[str, Any]
LOINC = "http://loinc.org"
SITES = ("Sigmoid colon", "Rectum", "Liver", "Cecum", "Lung", "Transverse colon")
LABORATORY = (
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L"),
    ("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "mmol/L"),
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL"),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL"),
)


def bundles_of_size(size: int, number: int, seed: int = 1) -> list[bytes]:
    """Return ``number`` bundles of about ``size`` bytes each, the same ones for the same seed."""
    chance = Random(seed)
    return [_bundle(size, chance) for _ in range(number)]


def _bundle(size: int, chance: Random) -> bytes:
    patient, specimen = _name(chance), _name(chance)
    resources = [_patient(patient, chance), _diagnosis(patient, chance), _specimen(patient, specimen, chance)]
    resources += _stain(patient, specimen, chance)
    resources += _ratio(patient, specimen, chance)
    length = len(_encode(resources))
    while True:
        value = _laboratory(patient, chance)
        length += len(_encode([value])) - len(_encode([]))
        if length > size:
            chance.shuffle(resources)
            return _encode(resources)
        resources.append(value)


def _encode(resources: list[Resource]) -> bytes:
    entries = [{"fullUrl": f"https://example.org/{r['resourceType']}/{r['id']}", "resource": r} for r in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def _name(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _day(chance: Random, year: int) -> str:
    return f"{year}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"


def _of(patient: str) -> Resource:
    return {"subject": {"reference": f"Patient/{patient}"}}


def _patient(name: str, chance: Random) -> Resource:
    born = _day(chance, chance.randint(1930, 1990))
    return {"resourceType": "Patient", "id": name, "gender": chance.choice(["female", "male"]), "birthDate": born}


def _diagnosis(patient: str, chance: Random) -> Resource:
    code = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": f"C18.{chance.randint(0, 9)}"}]}
    return {"resourceType": "Condition", "id": _name(chance), "code": code, **_of(patient)}


def _specimen(patient: str, name: str, chance: Random) -> Resource:
    collection = {"collectedDateTime": _day(chance, 2025), "bodySite": {"text": chance.choice(SITES)}}
    return {
        "resourceType": "Specimen",
        "id": name,
        "type": {"text": "Tissue"},
        **_of(patient),
        "collection": collection,
    }


def _observation(patient: str, chance: Random, code: str, display: str, **value: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": _name(chance),
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code, "display": display}]},
        **_of(patient),
        **value,
    }


def _stain(patient: str, specimen: str, chance: Random) -> list[Resource]:
    if chance.random() < 0.05:
        return []
    quantity = {"value": chance.randint(0, 100), "unit": "%", "code": "%"}
    value = {
        "specimen": {"reference": f"Specimen/{specimen}"},
        "valueCodeableConcept": {"text": chance.choice(["0", "1+", "2+", "2+", "3+"])},
        "component": [{"code": {"text": "percent"}, "valueQuantity": quantity}],
    }
    return [_observation(patient, chance, "18474-7", "HER2 Ag [Presence] in Tissue by Immune stain", **value)]


def _ratio(patient: str, specimen: str, chance: Random) -> list[Resource]:
    if chance.random() < 0.4:
        return []
    value = {
        "specimen": {"reference": f"Specimen/{specimen}"},
        "valueQuantity": {"value": chance.choice([2.0, chance.randint(90, 990) / 100])},
    }
    name = "ERBB2 gene copy number/Chromosome 17 copy number in Tissue by FISH"
    return [_observation(patient, chance, "49683-6", name, **value)]


def _laboratory(patient: str, chance: Random) -> Resource:
    code, name, unit = chance.choice(LABORATORY)
    quantity = {"value": chance.randint(1, 2000) / 10, "unit": unit, "system": "http://unitsofmeasure.org"}
    return _observation(patient, chance, code, name, valueQuantity=quantity | {"code": unit})
