"""FHIR R4 JSON into a flat list of resources.

First step of :mod:`her2crc.read.fhir`. A whole bundle is decoded in one pass. Where that fails, each resource is
decoded by itself, so that one bad resource does not hide the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from her2crc.errors import InputError
from her2crc.read.fhir_resources import Reference, Resource, many

MAX_BYTES = 200_000_000
"""Larger files are refused; a bundle of one patient has less than a thousandth of this."""

READ_TYPES = frozenset(
    (
        *("Bundle", "Patient", "Specimen", "Observation", "Condition", "DiagnosticReport"),
        *("Medication", "MedicationAdministration", "MedicationStatement", "MedicationRequest"),
    )
)
"""The types of resource that are looked into."""


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
