"""Facts that her2crc itself wrote under its own code system, because no standard code says them.

Part of :mod:`her2crc.read.fhir`. The code is the name of the field, so that the value goes where it came from; an
observation or a component may carry one. Verdicts, proposals and issues of an earlier answer are never read back.
"""

from __future__ import annotations

from functools import lru_cache

from her2crc.model.record import RawValue
from her2crc.read.columns import columns, specimen_columns
from her2crc.read.fhir_case import Case, is_dropped
from her2crc.read.fhir_codes import REMEMBERED, codebook
from her2crc.read.fhir_resources import Component, Concept, Quantity, Ratio, Resource
from her2crc.read.fhir_values import NotRead, value_of

FIELD_SYSTEM, VALUE_SYSTEM = "her2crc_field", "her2crc_value"


def read_own(case: Case) -> None:
    """Read every fact under our own codes into the draft of the record."""
    for observation in case.of_type("Observation"):
        parts: tuple[Resource | Component, ...] = (observation, *observation.component)
        answers = [(field, part) for part in parts if isinstance(part.code, Concept) and (field := field_of(part.code))]
        if answers and not is_dropped(observation, "Observation"):
            _read_observation(case, observation, answers)


def _read_observation(case: Case, observation: Resource, answers: list[tuple[str, Resource | Component]]) -> None:
    place = case.place(observation)
    try:
        specimen = case.specimen_of(observation)
    except NotRead as reason:
        case.draft.note(reason.id, place, what=reason.what)
        return
    for field, part in answers:
        owner = specimen if field in specimen_columns() else ""
        try:
            case.draft.give(place, field, _value(part), owner)
        except NotRead as reason:
            case.draft.note(reason.id, place, field=field, specimen=owner, what=reason.what)


@lru_cache(maxsize=REMEMBERED)
def field_of(concept: Concept) -> str:
    """Return the field that a code of our own system names, empty where there is none."""
    names = (item.code or "" for item in concept.coding if codebook().system(item) == FIELD_SYSTEM)
    return next((name for name in names if name in columns()), "")


def _value(part: Resource | Component) -> RawValue:
    value = value_of(part)
    if isinstance(value, Concept):
        own = (item.code for item in value.coding if codebook().system(item) == VALUE_SYSTEM)
        return next((text for text in (*own, *(item.code for item in value.coding), value.text) if text), "")
    if isinstance(value, Quantity):
        if value.comparator or value.value is None:
            raise NotRead("fhir_bound" if value.comparator else "fhir_no_value")
        return value.value
    if isinstance(value, Ratio):
        raise NotRead("fhir_value_kind")
    return value
