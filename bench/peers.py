"""What one would write without this project: json or orjson with if/else, and a parse with three FHIR libraries."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def json_if_else(data: bytes) -> str:
    """Return the status under one rule (2+/3+ with more than 50 % and ratio above 2.0) the plain way."""
    return _if_else(json.loads(data))


def orjson_if_else(data: bytes) -> str:
    """Return the same with the fastest general JSON parser of Python."""
    import orjson

    return _if_else(orjson.loads(data))


def _if_else(bundle: dict[str, Any]) -> str:
    score = percent = ratio = None
    for entry in bundle["entry"]:
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


def fhirclient_parse(data: bytes) -> object:
    """Parse a bundle with fhirclient (the SMART client's models), without any decision."""
    from fhirclient.models.bundle import Bundle

    return Bundle(json.loads(data))


def fhirkit_parse(data: bytes) -> object:
    """Parse a bundle with fhirkit-rs (models in Rust), without any decision."""
    import fhirkit

    return fhirkit.parse(json.loads(data))
