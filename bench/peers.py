"""What one would write without this project: plain json with if/else, and a parse with fhir.resources."""

from __future__ import annotations

import json
from decimal import Decimal


def json_if_else(data: bytes) -> str:
    """Return the status under one rule (2+/3+ with more than 50 % and ratio above 2.0) the plain way."""
    score = percent = ratio = None
    for entry in json.loads(data)["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] != "Observation":
            continue
        code = resource["code"]["coding"][0]["code"]
        if code == "18474-7":
            score = int(resource["valueCodeableConcept"]["text"].rstrip("+"))
            percent = resource["component"][0]["valueQuantity"]["value"]
        elif code == "49683-6":
            ratio = resource["valueQuantity"]["value"]
    if score is None:
        return "indeterminate"
    if score == 3:
        return "indeterminate" if percent is None else "positive" if percent > 50 else "not_covered"
    if score == 2:
        return "equivocal" if ratio is None else "positive" if ratio > 2 else "negative"
    return "negative"


def fhir_resources_parse(data: bytes) -> object:
    """Parse a bundle with fhir.resources (R4B models), without any decision."""
    from fhir.resources.R4B.bundle import Bundle

    return Bundle.model_validate(json.loads(data, parse_float=Decimal))
