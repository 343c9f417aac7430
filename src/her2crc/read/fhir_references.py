"""Whose resource is whose: references resolved in any order, resources sorted by patient.

A reference may be a full address, ``urn:uuid:``, ``Type/id``, a contained ``#id`` or a business identifier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from her2crc.read.fhir_decode import READ_TYPES, Item
from her2crc.read.fhir_resources import Entry, Identifier, Reference, Resource, many

UNKNOWN = "unknown"
"""The patient of resources that name none, where the file does not have exactly one patient."""


class Directory:
    """Every resource of a file under each address that it can be referred to by."""

    def __init__(self, items: Sequence[Item], idle: Sequence[Entry] = ()) -> None:
        self._idle = idle
        self._at: dict[str, list[Resource]] = defaultdict(list)
        self._identified: dict[tuple[str, str, str], list[Resource]] = defaultdict(list)
        self._patients: dict[str | None, str] = {}
        self.names: dict[int, str] = {}
        for item in items:
            if item.parent is None:
                self._enter(item.resource, item.full_url, f"entry-{item.number}")
        for item in items:
            if item.parent is not None:
                holder = self.name_of(item.parent)
                self.names[id(item.resource)] = _contained_name(item.resource, holder, f"entry-{item.number}")

    def _enter(self, resource: Resource, full_url: str, number: str) -> None:
        kind = resource.resource_type
        own_id = resource.id or full_url.rpartition("/")[2].rpartition(":")[2] or number
        self.names[id(resource)] = own_id
        for address in {full_url, f"{kind}/{own_id}", f"urn:uuid:{own_id}"}:
            self._at[address].append(resource)
        for identifier in many(resource.identifier):
            self._identified[_identity(kind, identifier)].append(resource)

    def name_of(self, resource: Resource) -> str:
        """Return the id of a resource, else the last part of its address, else its number in the file."""
        return self.names.get(id(resource)) or resource.id or ""

    def find(self, reference: Reference, kind: str, inside: Resource) -> list[Resource]:
        """Return what ``inside`` refers to, if of type ``kind`` (empty: of any).

        Several only where a file uses one address twice, as exports of several patients in one array do.
        """
        if kind in ("", "Observation"):
            self._enter_idle()
        address = reference.reference or ""
        if address.startswith("#"):
            return _of_kind(kind, (part for part in inside.contained if part.id == address[1:]))
        if address:
            address = address.partition("/_history/")[0]
            tries = (address, "/".join(address.split("/")[-2:]))
            return next((found for name in tries if (found := _of_kind(kind, self._at.get(name, ())))), [])
        found = self._identified.get(_identity(kind, reference.identifier), []) if reference.identifier else []
        return found if len({self.name_of(resource) for resource in found}) == 1 else []

    def _enter_idle(self) -> None:
        """Enter the addresses of what is not read, once somebody may refer to them."""
        idle, self._idle = self._idle, ()
        for number, entry in enumerate(idle, 1):
            if entry.resource is not None:
                self._enter(entry.resource, entry.full_url or "", f"idle-{number}")

    def patient_of(self, resource: Resource, fallback: str) -> str:
        """Return the id of the patient that a resource is about."""
        if resource.resource_type == "Patient":
            return self.name_of(resource)
        subject = resource.subject or resource.patient
        if subject is None:
            return fallback
        address = subject.reference
        if address in self._patients:
            return self._patients[address] or fallback
        patients = self.find(subject, "Patient", resource)
        name = self.name_of(patients[0]) if patients else tail(subject)
        if address and not address.startswith("#"):
            self._patients[address] = name
        return name or fallback


def tail(reference: Reference) -> str:
    """Return the id that a reference ends in, or the value of its identifier."""
    if reference.reference:
        return reference.reference.partition("/_history/")[0].rpartition("/")[2].rpartition(":")[2].lstrip("#")
    return (reference.identifier.value or "") if reference.identifier else ""


def by_patient(items: Sequence[Item], directory: Directory) -> dict[str, list[Item]]:
    """Sort the resources that are read by patient; those that name none go to the only patient, or to ``unknown``."""
    named = {directory.patient_of(item.resource, "") for item in items if item.resource.resource_type == "Patient"}
    if not named:
        named = {directory.patient_of(item.resource, "") for item in items if item.parent is None} - {""}
    fallback = named.pop() if len(named) == 1 else UNKNOWN
    grouped: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.fault or (item.resource.resource_type in READ_TYPES and item.resource.resource_type != "Bundle"):
            owner = item.parent if item.parent is not None and item.resource.subject is None else item.resource
            grouped[directory.patient_of(owner, fallback)].append(item)
    return grouped


def _of_kind(kind: str, resources: Iterable[Resource]) -> list[Resource]:
    return [resource for resource in resources if kind in ("", resource.resource_type)]


def _contained_name(resource: Resource, holder: str, number: str) -> str:
    """Return a name for a contained resource; its own id is only unique inside its holder."""
    numbers = [item.value for item in many(resource.identifier) if item.value]
    return numbers[0] if numbers else f"{holder}#{resource.id or number}"


def _identity(kind: str, identifier: Identifier | None) -> tuple[str, str, str]:
    return (kind, (identifier.system or "") if identifier else "", (identifier.value or "") if identifier else "")
