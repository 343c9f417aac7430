"""Whose resource is whose: references resolved in any order, resources sorted by patient.

A reference may be a full address, ``urn:uuid:``, ``Type/id``, a contained ``#id`` or a business identifier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from her2crc.read.fhir_decode import READ_TYPES, Content, Item, SealedEntry, addressed
from her2crc.read.fhir_resources import Frame, Identifier, Reference, Resource, many

UNKNOWN = "unknown"
"""The patient of resources that name none, where the file does not have exactly one patient."""
GROUPED_TYPES = READ_TYPES - {"Bundle"}


class Directory:
    """Every resource of a file under each address that it can be referred to by.

    Most references are relative (``Type/id``), so that index is made at once, the others when they are asked for.
    """

    def __init__(self, items: Iterable[Item], idle: Sequence[SealedEntry] = ()) -> None:
        self._idle = idle
        self._entered: list[tuple[str, Resource]] = []
        self._by_name: dict[str, list[Resource]] = {}
        self._by_address: dict[str, list[Resource]] | None = None
        self._by_identifier: dict[tuple[str, str, str], list[Resource]] | None = None
        self._patients: dict[str | None, str] = {}
        self._names: dict[int, str] = {}
        for item in items:
            if item.parent is None:
                self._enter(item.resource, item.full_url, "entry", item.number)
            else:
                holder = self.name_of(item.parent)
                self._names[id(item.resource)] = _contained_name(item.resource, holder, f"entry-{item.number}")

    def _enter(self, resource: Resource, full_url: str, prefix: str, number: int) -> None:
        name = resource.id
        if not name:
            name = full_url.rpartition("/")[2].rpartition(":")[2] or f"{prefix}-{number}"
            self._names[id(resource)] = name
        self._entered.append((full_url, resource))
        address = f"{resource.resource_type}/{name}"
        self._by_name.setdefault(address, []).append(resource)
        if full_url and ":" not in full_url and full_url != address:
            self._by_name.setdefault(full_url, []).append(resource)

    def _addressed_absolutely(self) -> dict[str, list[Resource]]:
        """Return every resource under each of its addresses, for references that are absolute: they hold a colon."""
        if self._by_address is not None:
            return self._by_address
        at: dict[str, list[Resource]] = defaultdict(list)
        for full_url, resource in self._entered:
            own_id = self.name_of(resource)
            for address in {full_url, f"{resource.resource_type}/{own_id}", f"urn:uuid:{own_id}"}:
                at[address].append(resource)
        self._by_address = at
        return at

    def _identified(self) -> dict[tuple[str, str, str], list[Resource]]:
        if self._by_identifier is not None:
            return self._by_identifier
        identified: dict[tuple[str, str, str], list[Resource]] = defaultdict(list)
        for _, resource in self._entered:
            for identifier in many(resource.identifier):
                identified[_identity(resource.resource_type, identifier)].append(resource)
        self._by_identifier = identified
        return identified

    def name_of(self, resource: Frame) -> str:
        """Return the id of a resource, else the last part of its address, else its number in the file."""
        return self._names.get(id(resource)) or resource.id or ""

    def find(self, reference: Reference, kind: str, inside: Frame) -> list[Resource]:
        """Return what ``inside`` refers to, if of type ``kind`` (empty: of any).

        Several only where a file uses one address twice, as exports of several patients in one array do.
        """
        if self._idle and kind in ("", "Observation"):
            self._enter_idle()
        address = reference.reference or ""
        if address.startswith("#"):
            return _of_kind(kind, (part for part in inside.contained if part.id == address[1:]))
        if address:
            return self._addressed(address.partition("/_history/")[0], kind)
        found = self._identified().get(_identity(kind, reference.identifier), []) if reference.identifier else []
        return found if len({self.name_of(resource) for resource in found}) == 1 else []

    def _addressed(self, address: str, kind: str) -> list[Resource]:
        index = self._addressed_absolutely() if ":" in address else self._by_name
        found = _of_kind(kind, index.get(address, ()))
        return found or _of_kind(kind, index.get("/".join(address.split("/")[-2:]), ()))

    def _enter_idle(self) -> None:
        """Enter the addresses of what is not read, once somebody may refer to them."""
        idle, self._idle = self._idle, ()
        for number, entry in enumerate(idle, 1):
            if entry.resource is not None:
                self._enter(addressed(entry.resource), entry.full_url or "", "idle", number)
        self._by_address = self._by_identifier = None

    def patient_of(self, resource: Frame, fallback: str) -> str:
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


def by_patient(content: Content, directory: Directory) -> dict[str, list[Item]]:
    """Sort the resources that are read by patient; those that name none go to the only patient, or to ``unknown``."""
    items = content.items
    named = {directory.name_of(item.resource) for item in items if item.resource.resource_type == "Patient"}
    if not named:
        stand_alone = [item.resource for item in items if item.parent is None]
        named = {directory.patient_of(resource, "") for resource in (*stand_alone, *content.owners)} - {""}
    fallback = named.pop() if len(named) == 1 else UNKNOWN
    grouped: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        resource, parent = item.resource, item.parent
        if item.fault or resource.resource_type in GROUPED_TYPES:
            owner = parent if parent is not None and resource.subject is None else resource
            grouped[directory.patient_of(owner, fallback)].append(item)
    for idle in content.owners:
        if idle.resource_type in GROUPED_TYPES:
            grouped[directory.patient_of(idle, fallback)]  # known, even where nothing is read of this patient
    return grouped


def _of_kind(kind: str, resources: Iterable[Resource]) -> list[Resource]:
    return [resource for resource in resources if not kind or kind == resource.resource_type]


def _contained_name(resource: Resource, holder: str, number: str) -> str:
    """Return a name for a contained resource; its own id is only unique inside its holder."""
    numbers = [item.value for item in many(resource.identifier) if item.value]
    return numbers[0] if numbers else f"{holder}#{resource.id or number}"


def _identity(kind: str, identifier: Identifier | None) -> tuple[str, str, str]:
    return (kind, (identifier.system or "") if identifier else "", (identifier.value or "") if identifier else "")
