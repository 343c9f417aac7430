"""The small parts of FHIR resources: codes, quantities, answers, references, citations; plain dicts in a fixed order.

Part of stage 5. A resource of one patient is an :class:`Entry`; its address is made from the patient, the knowledge
and its role, so that the same answer always gives the same bundle.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from her2crc.criteria.fields import Field
from her2crc.criteria.library import Knowledge
from her2crc.model.citation import Citation, Reference
from her2crc.model.verdict import Assessment
from her2crc.report.citations import identifiers, show_reference
from her2crc.report.fhir_terms import FactTerm, terms
from her2crc.report.stated import Stated
from her2crc.report.words import FIELDS, name_code

Element = dict[str, Any]
Role = tuple[str, ...]

YES_NO = {True: ("Y", "Yes"), False: ("N", "No")}


class Entry(NamedTuple):
    """A resource with its role in the bundle; ``fields`` are the facts it states, ``specimen`` whose they are."""

    role: Role
    resource: Element
    fields: tuple[str, ...] = ()
    specimen: str = ""


class Sheet:
    """What every part of one patient's bundle needs: the answer, the knowledge, and the address of each role."""

    def __init__(self, assessment: Assessment, knowledge: Knowledge) -> None:
        self.assessment, self.knowledge = assessment, knowledge
        self.day = assessment.as_of.isoformat()
        self._space = uuid5(NAMESPACE_URL, json.dumps([assessment.patient_id, assessment.knowledge.sha256]))

    def address(self, role: Role) -> str:
        """Return the address of a resource inside the bundle."""
        return f"urn:uuid:{uuid5(self._space, json.dumps(role))}"

    def refer(self, *role: str) -> Element:
        """Return a reference to the resource of a role."""
        return {"reference": self.address(role)}

    def field(self, name: str) -> Field:
        """Return the definition of a field."""
        return self.knowledge.fields[name]

    def sources(self, cites: Iterable[Citation]) -> list[Element]:
        """Return the sources, each once, as related artifacts."""
        return [citation(item, self.knowledge.references) for item in dict.fromkeys(cites)]

    def cite(self, cites: Iterable[Citation]) -> Element:
        """Return the sources of an observation as its ``extension``, which R4 allows on no request; or nothing."""
        url, listed = terms().related_artifact, self.sources(cites)
        return {"extension": [{"url": url, "valueRelatedArtifact": item} for item in listed]} if listed else {}


def citation(cite: Citation, references: Mapping[str, Reference]) -> Element:
    """Return a source and the place in it as a related artifact."""
    reference = references[cite.ref]
    parts = (show_reference(reference), identifiers(reference), f"Place: {cite.place}.")
    return {"type": "citation", "label": cite.ref, "citation": " ".join(part for part in parts if part)}


def coding(system: str, code: str, display: str = "") -> Element:
    """Return a code of a system that the terms name."""
    shown = {"display": display} if display else {}
    return {"system": terms().systems[system], "code": code, **shown}


def concept(*codings: Element, text: str = "") -> Element:
    """Return a CodeableConcept of codes and words."""
    coded = {"coding": list(codings)} if codings else {}
    return coded | ({"text": text} if text else {})


def test_code(code: str, text: str) -> Element:
    """Return the LOINC code of a test with our own words; the names of LOINC are not ours to repeat."""
    return concept(coding("loinc", code), text=text)


def fact_term(field: Field) -> FactTerm:
    """Return how a fact is written."""
    return terms().fact(field.name, FIELDS.get(field.name, field.meaning))


def fact_code(field: Field) -> Element:
    """Return the code of a fact: LOINC where there is one, else our own."""
    term = fact_term(field)
    return concept(coding("loinc", term.code) if term.code else coding("field", field.name), text=term.text)


def quantity(value: Decimal | int, unit: str = "") -> Element:
    """Return an amount with the digits it has, its unit by UCUM."""
    coded = {"unit": unit, "system": terms().systems["ucum"], "code": unit} if unit else {}
    return {"value": value, **coded}


def absent(reason: str) -> Element:
    """Return why there is no value."""
    return {"dataAbsentReason": concept(coding("absent", reason))}


def answer(field: Field, stated: Stated) -> Element:
    """Return the value of a fact in the FHIR type that fits its own type, or why there is none."""
    value = stated.value
    if value is None:
        return absent(stated.reason)
    match field.type:
        case "boolean":
            code, display = YES_NO[value]
            return {"valueCodeableConcept": concept(coding("v2_0136", code, display))}
        case "code":
            return {"valueCodeableConcept": concept(coding("value", value), text=name_code(value))}
        case "decimal" | "ratio":
            return {"valueQuantity": quantity(value, fact_term(field).unit)}
        case "integer":
            unit = fact_term(field).unit
            return {"valueQuantity": quantity(value, unit)} if unit else {"valueInteger": value}
        case _:
            return {"valueString": str(value)}


def component(field: Field, stated: Stated) -> Element:
    """Return a fact as component of an observation."""
    return {"code": fact_code(field), **answer(field, stated)}


def notes(*texts: str) -> Element:
    """Return remarks for a person; nothing where there is none."""
    written = [{"text": text} for text in texts if text]
    return {"note": written} if written else {}
