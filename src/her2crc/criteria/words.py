"""How a field, a value and a case are said to a person, from the list of fields alone.

Used by the parts that explain and check rules (:mod:`her2crc.criteria.explain`, ``check``, ``diff``), so that a
counter-example reads like a patient and not like a row of a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from her2crc.criteria.fields import Field
from her2crc.criteria.run import Facts, show_value
from her2crc.model.quantity import UNSETTLED, Ratio, Value

NOT_REPORTED = "not reported"


def name_field(field: Field) -> str:
    """Return what a field is called within a sentence: its meaning up to the first colon."""
    meaning = field.meaning.partition(":")[0]
    is_word = meaning[1:2].islower()
    return meaning[0].lower() + meaning[1:] if is_word else meaning


def say_value(value: Value | None, field: Field) -> str:
    """Write a value with its unit. A ratio that two decimals cannot show exactly is given with its two numbers."""
    shown = show_value(value)
    if shown is None:
        return NOT_REPORTED
    if value is UNSETTLED:
        return shown
    unit = f" {field.unit}" if field.unit else ""
    if isinstance(value, Ratio) and value.excess(value.rounded()) != 0:
        return f"{shown}{unit} ({value.numerator} / {value.denominator})"
    return shown + unit


def describe_case(facts: Facts, names: Iterable[str], fields: Mapping[str, Field]) -> str:
    """Say in words what is reported of a case, and whether that is all.

    Args:
        facts: the case.
        names: the fields that matter, in the order to mention them.
        fields: every field by name.
    """
    asked = [fields[name] for name in names]
    reported = [field for field in asked if facts.get(field.name) is not None]
    said = [f"{name_field(field)}: {say_value(facts[field.name], field)}" for field in reported]
    if not said:
        return "nothing reported"
    return "; ".join(said if len(reported) == len(asked) else [*said, "nothing else reported"])
