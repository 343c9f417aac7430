"""One value of an HL7 v2 result (OBX-5, by the type in OBX-2) as the FHIR value it would be, or why it is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from her2crc.criteria.fields import Field
from her2crc.model.quantity import parse_decimal
from her2crc.read.fhir_resources import Coding, Component, Concept, Quantity, Ratio, Resource
from her2crc.read.fhir_values import NotRead
from her2crc.read.hl7v2_message import Repetition, Segment, component_text
from her2crc.read.hl7v2_words import LOCAL, read_concept, usual_answer, words

TYPE, VALUE, UNIT = 2, 5, 6
ERROR = Concept((Coding("http://terminology.hl7.org/CodeSystem/data-absent-reason", "error"),))
"""Why a result that could not be obtained has no value: the test was done (a reason of FHIR)."""
PERCENT = re.compile(r"([0-9.,]+)\s*%")
NO_BOUND = ("", "=")
PERCENT_UNITS, NO_UNIT, ANNOTATION = ("%", "percent"), "1", "{"
"""Units of a share, and the ways of UCUM to write that a number has none."""
RATIO_SIGNS = ("/", ":")
AND_MORE = "+"
"""Closes a structured number that is a category, as in 2+."""


class Value(NamedTuple):
    """A value of one kind, or of none."""

    concept: Concept | None = None
    quantity: Quantity | None = None
    text: str | None = None
    ratio: Ratio | None = None
    absent: Concept | None = None

    def fields(self) -> Mapping[str, object]:
        """Return the value as fields of an observation or component."""
        return {
            "value_codeable_concept": self.concept,
            "value_quantity": self.quantity,
            "value_string": self.text,
            "value_ratio": self.ratio,
            "data_absent_reason": self.absent,
        }

    def as_written(self) -> str:
        """Return the value as it was written, a number with its comparator and unit."""
        if self.quantity is not None:
            return f"{self.quantity.comparator or ''}{self.quantity.value}{self.quantity.unit or ''}"
        shown = [coding.display or coding.code for coding in self.concept.coding] if self.concept else []
        return self.text or next((text for text in shown if text), "")


def read_value(obx: Segment, code: str = "") -> Value:
    """Return the value of a result; ``code`` chooses the answers that laboratories send for it in other words.

    Raises:
        NotRead: the message that says why there is no value to read.
    """
    kind, types = obx.text(TYPE).upper(), words().value_types
    values = list(dict.fromkeys(obx.repetitions(VALUE)))
    if len(values) > 1:
        raise NotRead("hl7_several_values")
    if not values or not any(component_text(values[0], at) for at in range(1, len(values[0]) + 1)):
        return Value()
    if kind in types.number:
        return Value(quantity=_quantity(component_text(values[0]), obx))
    if kind in types.structured:
        return _structured(values[0], obx)
    if kind in types.coded:
        return Value(concept=_answer(values[0], code))
    if kind in (*types.words, *types.free_text):
        return _written(component_text(values[0]), obx, code)
    raise NotRead("hl7_value_type")


def own_value(value: Value, field: Field) -> str:
    """Return a value that goes to a field as it was written: one of the field's codes, words, or a number.

    Raises:
        NotRead: a unit that is not the field's, or a quotient.
    """
    codes = (coding.code for coding in value.concept.coding) if value.concept is not None else ()
    known = next((code for code in codes if code in field.values), None)
    if known is not None:
        return known
    if value.ratio is not None:
        raise NotRead("hl7_value_type")
    if value.quantity is None:
        return value.as_written()
    unit = value.quantity.code or value.quantity.unit or ""
    bare = Value(quantity=Quantity(value=value.quantity.value, comparator=value.quantity.comparator)).as_written()
    if unit.casefold() in PERCENT_UNITS:
        return f"{bare}%"
    if unit not in ("", NO_UNIT, field.unit) and not unit.startswith(ANNOTATION):
        raise NotRead("hl7_unit")
    return bare


def _quantity(text: str, obx: Segment) -> Quantity:
    return Quantity(value=_number(text), **_unit(obx))


def _number(text: str) -> Decimal:
    try:
        return parse_decimal(text)
    except ValueError:
        raise NotRead("hl7_number_is_text") from None


def _unit(obx: Segment) -> dict[str, str]:
    """Return OBX-6: a code only where it is one of UCUM, else the text."""
    code, text, system = (obx.text(UNIT, at) for at in (1, 2, 3))
    if system.upper() == words().unit_system and code:
        return {"code": code}
    return {"unit": code or text} if code or text else {}


def _structured(value: Repetition, obx: Segment) -> Value:
    """Read a structured number: comparator, first number, separator or suffix, second number."""
    comparator, first, sign, second = (component_text(value, at) for at in (1, 2, 3, 4))
    if sign == AND_MORE and not second and comparator in NO_BOUND:
        return Value(text=first + sign)
    if not sign and not second:
        bound = None if comparator in NO_BOUND else comparator
        return Value(quantity=Quantity(value=_number(first), comparator=bound, **_unit(obx)))
    if sign in RATIO_SIGNS and comparator in NO_BOUND:
        return Value(ratio=Ratio(Quantity(value=_number(first)), Quantity(value=_number(second))))
    raise NotRead("hl7_range")


def _answer(value: Repetition, code: str) -> Concept:
    """Return a coded answer. A local code has no meaning beside its text: '3' may be the third answer of a list."""
    concept = read_concept(value)
    codings = tuple(_in_usual_words(coding, code) for coding in concept.coding)
    return Concept(codings, usual_answer(code, concept.text) if concept.text else None)


def _in_usual_words(coding: Coding, code: str) -> Coding:
    shown = coding.display or (coding.code if coding.system == LOCAL else None)
    return Coding(coding.system, coding.code, usual_answer(code, shown) if shown else None)


def _written(text: str, obx: Segment, code: str) -> Value:
    percent = PERCENT.fullmatch(text)
    if percent:
        return Value(quantity=Quantity(value=_number(percent.group(1)), unit="%"))
    unit = _unit(obx)
    if unit:
        try:
            return Value(quantity=Quantity(value=parse_decimal(text), **unit))
        except ValueError:
            pass
    return Value(text=usual_answer(code, text))


def as_component(code: Concept, value: Value) -> Component:
    """Return a value as part of a variant."""
    return Component(code=code, **value.fields())  # type: ignore[arg-type]


def as_observation(name: str, code: Concept, value: Value, **fields: object) -> Resource:
    """Return a value as an observation."""
    return Resource(resource_type="Observation", id=name, code=code, **value.fields(), **fields)  # type: ignore[arg-type]
