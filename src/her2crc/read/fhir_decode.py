"""FHIR R4 JSON into a flat list of resources.

First step of :mod:`her2crc.read.fhir`. A whole bundle is decoded in one pass. Where that fails, each resource is
decoded by itself, so that one bad resource does not hide the others. Most of a bundle is ordinary laboratory values:
these are set aside at once, kept only so that a reference to them is not called dangling.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from her2crc.errors import InputError
from her2crc.read.fhir_codes import codebook
from her2crc.read.fhir_resources import Concept, Entry, Reference, Resource, many
from her2crc.read.source import UTF16
from her2crc.read.source import decode as decode_text

MAX_BYTES = 200_000_000
"""Larger files are refused; a bundle of one patient has less than a thousandth of this."""

READ_TYPES = frozenset(
    (
        *("Bundle", "Patient", "Specimen", "Observation", "Condition", "DiagnosticReport"),
        *("Medication", "MedicationAdministration", "MedicationStatement", "MedicationRequest"),
        *("Procedure", "BodyStructure"),
    )
)
"""The types of resource that are looked into."""


NOBODY: Reference | None = Reference()
"""Stands for no subject at all."""


class Item(NamedTuple):
    """A resource as it is used: ``parent`` holds it where it is contained, ``fault`` says why it could not be read."""

    resource: Resource
    full_url: str = ""
    parent: Resource | None = None
    fault: str = ""
    number: int = 0


class Content(NamedTuple):
    """A file: the resources to read, and the entries that only have an address; ``number`` counts both."""

    items: list[Item]
    idle: list[Entry]


class _Head(msgspec.Struct, rename="camel"):
    resource_type: str = ""


class _RawEntry(msgspec.Struct, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw(b"")


class _RawBundle(msgspec.Struct):
    entry: tuple[_RawEntry, ...] = ()


class _Name(msgspec.Struct):
    id: str | None = None


class _Owner(msgspec.Struct):
    subject: Reference | None = None
    patient: Reference | None = None


class _Test(msgspec.Struct):
    status: str | None = None
    code: Concept | str | None = None
    specimen: Reference | tuple[Reference, ...] | None = None


_FILE = msgspec.json.Decoder(Resource | tuple[Resource, ...])
_RESOURCE = msgspec.json.Decoder(Resource)
_RAW = msgspec.json.Decoder(msgspec.Raw)
_RAW_LIST = msgspec.json.Decoder(tuple[msgspec.Raw, ...])
_RAW_BUNDLE = msgspec.json.Decoder(_RawBundle)
_HEAD = msgspec.json.Decoder(_Head)
_FRAGMENTS: tuple[msgspec.json.Decoder[Any], ...] = (
    _HEAD,
    msgspec.json.Decoder(_Name),
    msgspec.json.Decoder(_Owner),
    msgspec.json.Decoder(_Test),
)
"""What can still be told of a resource that is faulty elsewhere."""


def decode(data: bytes, source: str) -> Content:
    """Read a file: a bundle of any type, a single resource, or a JSON array or lines (NDJSON) of those.

    Args:
        data: the bytes of the file, JSON in UTF-8 (or UTF-16 with its mark).
        source: name of the file, for messages.

    Raises:
        InputError: too large, nested too deeply, not JSON (with the byte), or not FHIR.
    """
    if len(data) > MAX_BYTES:
        raise _refused(source, f"the file is larger than {MAX_BYTES // 1_000_000} MB", "Split it by patient.")
    if data.startswith(UTF16):
        data = decode_text(data, source)[0].encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        content = _decode_lines(data)
    except RecursionError:
        raise _refused(source, "the JSON is nested too deeply", "FHIR resources are never nested so deeply.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _refused(source, _complaint(error, data), "Export the file again.") from None
    items = content.items
    if not any(item.resource.resource_type for item in items):
        raise _refused(source, "not FHIR: no resource with a resourceType in it", "Give FHIR R4 as JSON.")
    if all(item.fault for item in items):
        raise _refused(source, f"not FHIR R4: {items[0].fault}", "Mend the value at this path.")
    return content


def _decode_lines(data: bytes) -> Content:
    """Decode JSON, or else JSON in lines, whose first line is whole by itself."""
    try:
        return _decode(data)
    except msgspec.DecodeError:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) <= 1 or not _is_json(lines[0]):
            raise
    with suppress(msgspec.DecodeError):
        resources = _RESOURCE.decode_lines(b"\n".join(lines))
        if len(resources) == len(lines):
            return _sorted(resources)
    bad = next((number for number, line in enumerate(lines, 1) if not _is_json(line)), 0)
    if bad:
        raise msgspec.DecodeError(f"line {bad} that is not blank is no JSON")
    return _decode(b"[" + b",".join(lines) + b"]")


def _is_json(line: bytes) -> bool:
    try:
        _RAW.decode(line)
    except msgspec.DecodeError:
        return False
    return True


def _decode(data: bytes) -> Content:
    try:
        whole = _FILE.decode(data)
    except msgspec.ValidationError:
        return Content([item._replace(number=number) for number, item in enumerate(_one_by_one(data), 1)], [])
    return _sorted(many(whole))


def _sorted(resources: Iterable[Resource]) -> Content:
    content = Content([], [])
    _sort_entries([Entry(None, resource) for resource in resources], content)
    return content


def _sort(resource: Resource, full_url: str, content: Content) -> None:
    """Add a resource and all that it holds."""
    items, idle = content
    items.append(Item(resource, full_url, None, "", len(items) + len(idle) + 1))
    if resource.entry:
        _sort_entries(resource.entry, content)
    for inner in resource.contained:
        items.append(Item(inner, "", resource, "", len(items) + len(idle) + 1))


def _sort_entries(entries: Iterable[Entry], content: Content) -> None:
    """Add the resources of a bundle, or of a file of several, but set idle ones aside.

    Idle is an observation of something else, with nothing in it that is read. Of those in a row with one subject the
    first stays an item, so that its patient is known.
    """
    may_concern, subject = codebook().may_concern, NOBODY
    for entry in entries:
        inner = entry.resource
        if inner is None:
            continue
        if inner.resource_type == "Observation" and not (
            inner.component or inner.has_member or inner.contained or may_concern(inner.code)
        ):
            if inner.subject == subject:
                content.idle.append(entry)
                continue
            subject = inner.subject
        _sort(inner, entry.full_url or "", content)


def _flat(item: Item) -> Iterator[Item]:
    content = Content([], [])
    _sort(item.resource, item.full_url, content)
    yield from content.items


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
    known: dict[str, Any] = {}
    for fragment in _FRAGMENTS:
        with suppress(msgspec.ValidationError):
            known |= msgspec.structs.asdict(fragment.decode(data))
    return Item(Resource(**known), full_url, fault=fault)


def _refused(source: str, what: str, fix: str) -> InputError:
    return InputError(what, where=source, fix=fix)


def _complaint(error: Exception, data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as wrong:
        return f"not UTF-8 text (byte {wrong.start})"
    place = "" if "byte" in str(error) else f" (byte {len(data)})"
    return f"not readable as JSON: {error}{place}"
