"""FHIR R4 JSON into flat, typed resources: only the fields that are read, every digit kept.

First step of :mod:`her2crc.read.fhir`. One struct with optional fields stands for every resource type, so that a whole
bundle is decoded in one pass. Where that fails, each resource is decoded by itself, so that one bad resource does
not hide the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple, TypeVar

import msgspec

from her2crc.errors import InputError

MAX_BYTES = 200_000_000
"""Larger files are refused; a bundle of one patient has less than a thousandth of this."""

READ_TYPES = frozenset(
    "Bundle Patient Specimen Observation Condition DiagnosticReport Medication MedicationAdministration "
    "MedicationStatement MedicationRequest".split()
)


class Coding(msgspec.Struct, frozen=True, gc=False):
    """One code of one code system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(msgspec.Struct, frozen=True):
    """A CodeableConcept: the same thing said in codes and in words."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Quantity(msgspec.Struct, frozen=True, gc=False):
    """A measured amount; ``value`` has the digits that were written."""

    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None


class Ratio(msgspec.Struct, frozen=True):
    """A quotient of two amounts."""

    numerator: Quantity = Quantity()
    denominator: Quantity = Quantity()


class Identifier(msgspec.Struct, frozen=True, gc=False):
    """A business identifier."""

    system: str | None = None
    value: str | None = None


class Reference(msgspec.Struct, frozen=True):
    """A pointer to another resource, by address or by identifier."""

    reference: str | None = None
    identifier: Identifier | None = None


class Meta(msgspec.Struct, frozen=True):
    """The profiles that a resource claims."""

    profile: tuple[str, ...] = ()


class Collection(msgspec.Struct, frozen=True, rename="camel"):
    """How, where and when a specimen was taken."""

    body_site: Concept | None = None
    method: Concept | None = None
    collected_date_time: str | None = None


class Stage(msgspec.Struct, frozen=True):
    """A stage of a condition."""

    summary: Concept | None = None


class Component(msgspec.Struct, frozen=True, rename="camel"):
    """A part of an observation: what it is, and its value in one of the kinds that are read."""

    code: Concept | None = None
    value_codeable_concept: Concept | None = None
    value_quantity: Quantity | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_ratio: Ratio | None = None
    data_absent_reason: Concept | None = None


class Resource(msgspec.Struct, frozen=True, rename="camel"):
    """Any resource. Fields that differ in shape between types have each shape here; see the helpers below."""

    resource_type: str = ""
    id: str | None = None
    meta: Meta | None = None
    status: str | None = None
    intent: str | None = None
    do_not_perform: bool = False
    identifier: Identifier | tuple[Identifier, ...] | None = None
    code: Concept | str | None = None
    type: Concept | tuple[Concept, ...] | str | None = None
    subject: Reference | None = None
    specimen: Reference | tuple[Reference, ...] | None = None
    value_codeable_concept: Concept | None = None
    value_quantity: Quantity | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_ratio: Ratio | None = None
    data_absent_reason: Concept | None = None
    component: tuple[Component, ...] = ()
    body_site: Concept | tuple[Concept, ...] | None = None
    has_member: tuple[Reference, ...] = ()
    result: tuple[Reference, ...] = ()
    collection: Collection | None = None
    stage: tuple[Stage, ...] = ()
    verification_status: Concept | None = None
    medication_codeable_concept: Concept | None = None
    medication_reference: Reference | None = None
    contained: tuple[Resource, ...] = ()
    entry: tuple[Entry, ...] = ()


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One entry of a bundle."""

    full_url: str | None = None
    resource: Resource | None = None


class Item(NamedTuple):
    """A resource as it is used: ``parent`` holds it where it is contained, ``fault`` says why it could not be read."""

    resource: Resource
    full_url: str = ""
    parent: Resource | None = None
    fault: str = ""


class _Head(msgspec.Struct, rename="camel"):
    resource_type: str = ""


class _RawEntry(msgspec.Struct, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw(b"")


class _RawBundle(msgspec.Struct):
    entry: tuple[_RawEntry, ...] = ()


class _Owner(msgspec.Struct, rename="camel"):
    id: str | None = None
    subject: Reference | None = None


_FILE = msgspec.json.Decoder(Resource | tuple[Resource, ...])
_RESOURCE = msgspec.json.Decoder(Resource)
_RAW_LIST = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_RAW_BUNDLE = msgspec.json.Decoder(_RawBundle)
_HEAD = msgspec.json.Decoder(_Head)
_OWNER = msgspec.json.Decoder(_Owner)

One = TypeVar("One")


def decode(data: bytes, source: str) -> list[Item]:
    """Read a file: a bundle of any type, a single resource, or a JSON array of those.

    Args:
        data: the bytes of the file, UTF-8 JSON.
        source: name of the file, for messages.

    Raises:
        InputError: too large, nested too deeply, not JSON (with the byte), or not FHIR.
    """
    if len(data) > MAX_BYTES:
        raise _refused(source, f"the file is larger than {MAX_BYTES // 1_000_000} MB", "Split it by patient.")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        items = _decode(data)
    except RecursionError:
        raise _refused(source, "the JSON is nested too deeply", "FHIR resources are never nested so deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(source, _complaint(error, data), "Export the file again.") from None
    if not any(item.resource.resource_type for item in items):
        raise _refused(source, "not FHIR: no resource with a resourceType in it", "Give FHIR R4 as JSON.")
    if all(item.fault for item in items):
        raise _refused(source, f"not FHIR R4: {items[0].fault}", "Mend the value at this path.")
    return items


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


def _decode(data: bytes) -> list[Item]:
    try:
        whole = _FILE.decode(data)
    except msgspec.ValidationError:
        return list(_one_by_one(data))
    return [item for resource in many(whole) for item in _flat(Item(resource))]


def _flat(item: Item) -> Iterator[Item]:
    yield item
    for entry in item.resource.entry:
        if entry.resource is not None:
            yield from _flat(Item(entry.resource, entry.full_url or ""))
    for inner in item.resource.contained:
        yield Item(inner, parent=item.resource)


def _one_by_one(data: bytes) -> Iterator[Item]:
    if data.lstrip()[:1] == b"[":
        for raw in _RAW_LIST.decode(data):
            yield from _single(bytes(raw), "")
    else:
        yield from _single(data, "")


def _single(data: bytes, full_url: str) -> Iterator[Item]:
    try:
        kind = _HEAD.decode(data).resource_type
        if kind == "Bundle":
            bundle = _RAW_BUNDLE.decode(data)
            yield Item(Resource(resource_type=kind), full_url)
            for entry in bundle.entry:
                if bytes(entry.resource):
                    yield from _single(bytes(entry.resource), entry.full_url or "")
        elif kind in READ_TYPES:
            yield from _flat(Item(_RESOURCE.decode(data), full_url))
        else:
            yield Item(Resource(resource_type=kind), full_url)
    except msgspec.ValidationError as error:
        yield _faulty(data, full_url, str(error))


def _faulty(data: bytes, full_url: str, fault: str) -> Item:
    try:
        owner, kind = _OWNER.decode(data), _HEAD.decode(data).resource_type
    except msgspec.ValidationError:
        owner, kind = _Owner(), ""
    return Item(Resource(resource_type=kind, id=owner.id, subject=owner.subject), full_url, fault=fault)


def _refused(source: str, what: str, fix: str) -> InputError:
    return InputError(what, where=source, fix=fix)


def _complaint(error: Exception, data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as wrong:
        return f"not UTF-8 text (byte {wrong.start})"
    place = "" if "byte" in str(error) else f" (byte {len(data)})"
    return f"not readable as JSON: {error}{place}"
