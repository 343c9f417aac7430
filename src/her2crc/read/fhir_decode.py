"""FHIR R4 JSON into a flat list of resources.

First step of :mod:`her2crc.read.fhir`. A whole bundle is decoded in one pass. Where that fails, each resource is
decoded by itself, so that one bad resource does not hide the others. Most of a bundle is ordinary laboratory values, so
that pass leaves codes and quantities sealed: a code is opened once and remembered, a quantity only where it is read.
What is not read is idle: set aside at once, its quantity never looked at, kept only so that a reference to it is not
called dangling.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from her2crc.errors import InputError
from her2crc.read.fhir_codes import REMEMBERED, codebook
from her2crc.read.fhir_resources import Concept, Frame, Quantity, Reference, Resource, many
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

ABSENT = msgspec.Raw(b"")
FRAME = len(Frame.__struct_fields__)
"""How many fields of a resource stand before those that are sealed."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """A resource as it is used: ``parent`` holds it where it is contained, ``fault`` says why it could not be read."""

    resource: Resource
    full_url: str = ""
    parent: Resource | None = None
    fault: str = ""
    number: int = 0


class Sealed(Frame, frozen=True, gc=False, rename="camel"):
    """A resource whose code and quantity are still JSON."""

    code: msgspec.Raw = ABSENT
    value_quantity: msgspec.Raw = ABSENT
    entry: tuple[SealedEntry, ...] = ()


class SealedEntry(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One entry of a bundle."""

    full_url: str | None = None
    resource: Sealed | None = None


class Content(NamedTuple):
    """A file: the resources to read, and the entries that are idle; ``number`` counts both.

    ``owners`` are idle resources too, one of each patient at least, so that every patient is known.
    """

    items: list[Item]
    idle: list[SealedEntry]
    owners: list[Sealed]


class _Head(msgspec.Struct, rename="camel"):
    resource_type: str = ""


class _RawEntry(msgspec.Struct, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = ABSENT


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


_FILE = msgspec.json.Decoder(Sealed | tuple[Sealed, ...])
_SEALED = msgspec.json.Decoder(Sealed)
_RESOURCE = msgspec.json.Decoder(Resource)
_CODE: msgspec.json.Decoder[Concept | str | None] = msgspec.json.Decoder(Concept | str | None)
_QUANTITY = msgspec.json.Decoder(Quantity | None)
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
    if not content.idle and not any(item.resource.resource_type for item in items):
        raise _refused(source, "not FHIR: no resource with a resourceType in it", "Give FHIR R4 as JSON.")
    if items and all(item.fault for item in items):
        raise _refused(source, f"not FHIR R4: {items[0].fault}", "Mend the value at this path.")
    return content


def addressed(resource: Sealed) -> Resource:
    """Return what is idle as something that can be referred to: without its code and quantity."""
    return Resource(*msgspec.structs.astuple(resource)[:FRAME])


def _decode_lines(data: bytes) -> Content:
    """Decode JSON, or else JSON in lines, whose first line is whole by itself."""
    try:
        return _decode(data)
    except msgspec.DecodeError:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) <= 1 or not _is_json(lines[0]):
            raise
    with suppress(msgspec.DecodeError):
        resources = _SEALED.decode_lines(b"\n".join(lines))
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
        return _sorted(many(_FILE.decode(data)))
    except msgspec.ValidationError:
        sorting = _Sorting()
        documents = _RAW_LIST.decode(data) if data.lstrip().startswith(b"[") else [data]
        for document in documents:
            sorting.take_apart(bytes(document), "")
        return sorting.content


def _sorted(resources: Iterable[Sealed]) -> Content:
    sorting = _Sorting()
    sorting.take(SealedEntry(None, resource) for resource in resources)
    return sorting.content


class _Sorting:
    """Sorts resources into those to read and those that are idle."""

    def __init__(self) -> None:
        self.content = Content([], [], [])

    def take(self, entries: Iterable[SealedEntry]) -> None:
        """Take the entries of a bundle. Raises ValidationError if what is sealed has a wrong shape and is read."""
        idle, owners = self.content.idle, self.content.owners
        last: Sealed | None = None
        for entry in entries:
            inner = entry.resource
            if inner is None:
                continue
            if not _is_idle(inner):
                self.add(_opened(inner), entry.full_url or "")
                if inner.entry:
                    self.take(inner.entry)
                continue
            idle.append(entry)
            if last is None or inner.subject != last.subject or inner.resource_type != "Observation":
                owners.append(inner)  # most often, all are observations of one patient
                last = inner

    def take_apart(self, data: bytes, full_url: str) -> None:
        """Take a resource by itself, and each that it holds where it is a bundle: the fault of one is its own."""
        try:
            kind = _HEAD.decode(data).resource_type
            if kind == "Bundle":
                bundle = _RAW_BUNDLE.decode(data)
                self.add(Resource(resource_type=kind), full_url)
                for entry in bundle.entry:
                    if entry.resource:
                        self.take_apart(bytes(entry.resource), entry.full_url or "")
            elif kind not in READ_TYPES:
                self.add(Resource(resource_type=kind), full_url)
            elif _is_idle(sealed := _SEALED.decode(data)):
                self.take([SealedEntry(full_url, sealed)])
            else:
                self.add(_RESOURCE.decode(data), full_url)
        except msgspec.ValidationError as error:
            self.add(_faulty(data), full_url, str(error))

    def add(self, resource: Resource, full_url: str, fault: str = "") -> None:
        """Add a resource that is read, and what it contains."""
        items, idle, _ = self.content
        items.append(Item(resource, full_url, None, fault, len(items) + len(idle) + 1))
        for inner in resource.contained:
            items.append(Item(inner, "", resource, "", len(items) + len(idle) + 1))


def _is_idle(resource: Sealed) -> bool:
    """Tell whether nothing is read of a resource: an observation of something else, or a type that is never read."""
    if resource.resource_type == "Observation":
        if _CONCERNS[bytes(resource.code)] or resource.component or resource.has_member or resource.contained:
            return False
        if resource.value_quantity is not ABSENT:  # as most of them
            return True
        return not codebook().speaks_of_her2(resource.value_string, resource.value_codeable_concept)
    is_read = not resource.resource_type or resource.resource_type in READ_TYPES
    return not (is_read or resource.contained or resource.entry)


class _Concerns(dict[bytes, bool]):
    """Whether an observation may be one to read, by its code as JSON; one without a code that can be read may be."""

    def __missing__(self, code: bytes) -> bool:
        try:
            known = _code(code) if code else None
            concerns = known is None or codebook().may_concern(known)
        except msgspec.ValidationError:
            concerns = True
        if len(self) >= REMEMBERED:
            self.clear()
        self[code] = concerns
        return concerns


_CONCERNS = _Concerns()


@lru_cache(maxsize=REMEMBERED)
def _code(data: bytes) -> Concept | str | None:
    return _CODE.decode(data)


def _opened(resource: Sealed) -> Resource:
    """Return a resource that is read, its entries aside. Raises ValidationError as :meth:`_Sorting.take`."""
    code = _code(bytes(resource.code)) if resource.code else None
    quantity = _QUANTITY.decode(resource.value_quantity) if resource.value_quantity else None
    fields = list(msgspec.structs.astuple(resource))
    fields[FRAME:] = code, quantity
    return Resource(*fields)


def _faulty(data: bytes) -> Resource:
    """Return what is known of a resource that cannot be read."""
    known: dict[str, Any] = {}
    for fragment in _FRAGMENTS:
        with suppress(msgspec.ValidationError):
            known |= msgspec.structs.asdict(fragment.decode(data))
    return Resource(**known)


def _refused(source: str, what: str, fix: str) -> InputError:
    return InputError(what, where=source, fix=fix)


def _complaint(error: Exception, data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as wrong:
        return f"not UTF-8 text (byte {wrong.start})"
    place = "" if "byte" in str(error) else f" (byte {len(data)})"
    return f"not readable as JSON: {error}{place}"
