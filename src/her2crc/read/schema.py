"""The JSON Schema of the patient JSON, made from the list of fields, so that the two cannot differ.

It describes what a program should write; the reader also takes other spellings.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from her2crc.criteria.fields import NUMERIC, Field
from her2crc.model.course import Imaging, Treatment, Variant
from her2crc.read.columns import PATIENT_ID, SPECIMEN_ID, given_fields

DIALECT = "https://json-schema.org/draft/2020-12/schema"
JSON_TYPES = {
    "integer": "integer",
    "decimal": "number",
    "ratio": "number",
    "code": "string",
    "boolean": "boolean",
    "date": "string",
    "text": "string",
}


def patient_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one patient: type, range, codes, unit and meaning of fields.

    Every field may be null or left out: both say that it is unknown. ``x-unit`` carries the unit.
    """
    return {
        "$schema": DIALECT,
        "title": "her2crc patient",
        "description": "One patient: markers and history once, and each specimen with its findings.",
        "type": "object",
        "required": [PATIENT_ID],
        "additionalProperties": False,
        "properties": {
            PATIENT_ID: _identifier("Pseudonym of the patient; never a name"),
            **_properties("patient"),
            "specimens": {"type": "array", "items": {"$ref": "#/$defs/specimen"}},
            "treatments": _list(Treatment, "Treatments with their days; stop null: still given, or not stated"),
            "imaging": _list(Imaging, "What imaging showed, with its day"),
        },
        "$defs": {"specimen": _specimen()},
    }


def _specimen() -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            SPECIMEN_ID: _identifier("Identifier of the specimen, unique within the patient"),
            **_properties("specimen"),
            "variants": _list(Variant, "Variants reported; left out: not stated which were found"),
        },
    }


def _list(shape: type[msgspec.Struct], meaning: str) -> dict[str, Any]:
    (schema,), parts = msgspec.json.schema_components([shape])
    entry = parts.get(shape.__name__, schema)
    entry = {key: value for key, value in entry.items() if key != "title"} | {"additionalProperties": False}
    return {"description": meaning, "type": ["array", "null"], "items": entry}


def _identifier(meaning: str) -> dict[str, Any]:
    return {"description": meaning, "type": "string", "minLength": 1}


def _properties(level: str) -> dict[str, Any]:
    return {name: _property(field) for name, field in given_fields().items() if field.level == level}


def _property(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {"description": field.meaning, "type": [JSON_TYPES[field.type], "null"]}
    if field.unit:
        schema["x-unit"] = field.unit
    if field.type == "date":
        schema["format"] = "date"
    if field.type == "code":
        schema["enum"] = [*field.values, None]
    if field.type in NUMERIC:
        bounds = {"minimum": field.minimum, "maximum": field.maximum}
        schema |= {word: _number(bound) for word, bound in bounds.items() if bound is not None}
    return schema


def _number(bound: Decimal) -> int | float:
    return int(bound) if bound == bound.to_integral_value() else float(bound)
