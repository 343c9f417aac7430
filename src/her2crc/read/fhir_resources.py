"""FHIR R4 resources as typed structs: only the fields that are read, every digit kept.

One struct with optional fields stands for every resource type, so that a whole bundle is decoded in one pass by
:mod:`her2crc.read.fhir_decode`; fields whose shape differs between types have each shape here. What that pass leaves
undecoded at first (:class:`Resource` only) is kept apart from the rest (:class:`Frame`).

``gc=False`` throughout: what comes from JSON is a tree, so the cycle collector need not look at it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar

import msgspec

One = TypeVar("One")


class Coding(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One code of one code system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, cache_hash=True):
    """A CodeableConcept: the same thing said in codes and in words; as a body site it may point to a BodyStructure.

    What each means is remembered, so its hash is too.
    """

    coding: tuple[Coding, ...] = ()
    text: str | None = None
    extension: Extension | tuple[Extension, ...] | None = None


class Quantity(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A measured amount; ``value`` has the digits that were written."""

    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None


class Ratio(msgspec.Struct, frozen=True, gc=False):
    """A quotient of two amounts."""

    numerator: Quantity = Quantity()
    denominator: Quantity = Quantity()


class Range(msgspec.Struct, frozen=True, gc=False):
    """Two amounts between which the value lies."""

    low: Quantity = Quantity()
    high: Quantity = Quantity()


class Other(msgspec.Struct, frozen=True, gc=False):
    """A value of a kind that no test here has: it is known to be there, and not looked into."""


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """A business identifier."""

    system: str | None = None
    value: str | None = None


class Reference(msgspec.Struct, frozen=True, gc=False):
    """A pointer to another resource, by address or by identifier."""

    reference: str | None = None
    identifier: Identifier | None = None


class Extension(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename="camel"):
    """What a guide adds to a resource or element: a value of its own, or further extensions."""

    url: str | None = None
    value_reference: Reference | None = None
    value_codeable_concept: Concept | None = None
    value_unsigned_int: int | None = None
    value_positive_int: int | None = None
    value_integer: int | None = None
    extension: Extension | tuple[Extension, ...] | None = None


class Meta(msgspec.Struct, frozen=True, gc=False):
    """The profiles that a resource claims."""

    profile: tuple[str, ...] = ()


class Period(msgspec.Struct, frozen=True, gc=False):
    """When something began and ended."""

    start: str | None = None
    end: str | None = None


class Collection(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """How, where and when a specimen was taken."""

    body_site: Concept | None = None
    method: Concept | None = None
    collected_date_time: str | None = None
    collected_period: Period | None = None


class Stage(msgspec.Struct, frozen=True, gc=False):
    """A stage of a condition."""

    summary: Concept | None = None


class Component(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename="camel"):
    """A part of an observation: what it is, and its value in one of the kinds that are read."""

    code: Concept | None = None
    value_codeable_concept: Concept | None = None
    value_quantity: Quantity | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_ratio: Ratio | None = None
    value_range: Range | None = None
    value_boolean: bool | None = None
    value_date_time: str | None = None
    value_time: str | None = None
    value_period: Other | None = None
    value_sampled_data: Other | None = None
    data_absent_reason: Concept | None = None


class Frame(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Any resource, without its code, its quantity and, of a bundle, its entries.

    The order is that of most files, from the subject on and around the end (the code) to the status: keys are looked
    for from the last one found on.
    """

    subject: Reference | None = None
    specimen: Reference | tuple[Reference, ...] | None = None
    effective_date_time: str | None = None
    issued: str | None = None
    value_codeable_concept: Concept | None = None
    value_string: str | None = None
    value_integer: int | None = None
    component: tuple[Component, ...] = ()
    derived_from: tuple[Reference, ...] = ()
    has_member: tuple[Reference, ...] = ()
    birth_date: str | None = None
    do_not_perform: bool = False
    type: Concept | tuple[Concept, ...] | str | None = None
    patient: Reference | None = None
    value_ratio: Ratio | None = None
    value_range: Range | None = None
    value_boolean: bool | None = None
    value_date_time: str | None = None
    value_time: str | None = None
    value_period: Other | None = None
    value_sampled_data: Other | None = None
    data_absent_reason: Concept | None = None
    body_site: Concept | tuple[Concept, ...] | None = None
    location: Concept | tuple[Concept, ...] | None = None
    result: tuple[Reference, ...] = ()
    collection: Collection | None = None
    stage: tuple[Stage, ...] = ()
    conclusion: str | None = None
    verification_status: Concept | None = None
    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    effective_period: Period | None = None
    onset_date_time: str | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    contained: tuple[Resource, ...] = ()
    extension: Extension | tuple[Extension, ...] | None = None
    intent: str | None = None
    resource_type: str = ""
    id: str | None = None
    meta: Meta | None = None
    identifier: Identifier | tuple[Identifier, ...] | None = None
    status: str | None = None


class Resource(Frame, frozen=True, gc=False, rename="camel"):
    """Any resource."""

    code: Concept | str | None = None
    value_quantity: Quantity | None = None
    entry: tuple[Entry, ...] = ()


class Entry(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One entry of a bundle."""

    full_url: str | None = None
    resource: Resource | None = None


def concepts(value: Concept | tuple[Concept, ...] | str | None) -> tuple[Concept, ...]:
    """Return a coded field as concepts, whatever its shape (a bare code word is not a concept)."""
    if isinstance(value, Concept):
        return (value,)
    return value if isinstance(value, tuple) else ()


def many(value: One | tuple[One, ...] | None) -> tuple[One, ...]:
    """Return a field that holds one or several as a tuple."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)
