"""One patient's resources as they are read: which specimen a result is of, and what that specimen is made of.

A result that names no specimen takes the one of its report or panel, or of what it is derived from, if these name one
only.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from her2crc.read.fhir_codes import codebook
from her2crc.read.fhir_decode import Item
from her2crc.read.fhir_draft import UNSPECIFIED, Draft
from her2crc.read.fhir_references import Directory, tail
from her2crc.read.fhir_resources import Reference, Resource, many
from her2crc.read.fhir_values import NotRead

BIRTH = re.compile(r"\d{4}(-\d\d(-\d\d)?)?(?![\d/.])")
PLASMA, TISSUE, FLUID = "plasma", "tissue", "fluid"


class Case:
    """One patient: the resources by type, the draft of the record, and what is known of each specimen by name.

    ``born`` is the day of birth as far as it is written, for checks only: it never leaves the reader.
    ``matrix`` is ``plasma``, ``tissue`` or ``fluid`` (of the body, cells or not) where that is known; ``sited`` and
    ``with_tumour`` name the specimens that say their own site and tumour; ``void`` those entered in error.
    """

    def __init__(self, patient_id: str, items: Sequence[Item], directory: Directory) -> None:
        self.patient_id, self.directory = patient_id, directory
        self.draft = Draft(patient_id)
        self.matrix: dict[str, str] = {}
        self.sited: set[str] = set()
        self.with_tumour: set[str] = set()
        self.void: set[str] = set()
        self._checked: set[str | None] = set()
        self._specimens: dict[str, str] = {}
        self._of_type: dict[str, list[Resource]] = {}
        faulty = [item for item in items if item.fault]
        for item in items:
            if not item.fault:
                self._of_type.setdefault(item.resource.resource_type, []).append(item.resource)
        self._holders = self._find_holders()
        for item in faulty:
            self._note_fault(item)
        births = [BIRTH.match(person.birth_date or "") for person in self.of_type("Patient")]
        self.born = min((birth.group() for birth in births if birth), default="")

    def _note_fault(self, item: Item) -> None:
        """Say that a resource cannot be read, and which test of which specimen was done all the same."""
        resource = item.resource
        code = codebook().find(resource.code)
        field = code.field if code is not None and not is_dropped(resource, "Observation") else ""
        specimen = ""
        if field:
            with suppress(NotRead):
                specimen = self.specimen_of(resource)
        self.draft.note("fhir_bad_resource", self.place(resource), field=field, specimen=specimen, what=item.fault)

    def of_type(self, *kinds: str) -> Sequence[Resource]:
        """Return the patient's resources of these types."""
        if len(kinds) == 1:
            return self._of_type.get(kinds[0], [])
        return [resource for kind in kinds for resource in self._of_type.get(kind, ())]

    def place(self, resource: Resource) -> str:
        """Return how messages name a resource, as in ``Observation/o1``."""
        return f"{resource.resource_type}/{self.directory.name_of(resource)}"

    def find(self, reference: Reference, kind: str, inside: Resource) -> Resource | None:
        """Return the resource that is referred to, this patient's if an address is used twice.

        A reference that leads nowhere becomes an issue.
        """
        found = self.directory.find(reference, kind, inside)
        if not found:
            place = reference.reference or self.place(inside)
            self.draft.note("fhir_reference_dangling", place, what=kind or "resource")
            return None
        if len(found) == 1:
            return found[0]
        return next((resource for resource in found if self._is_mine(resource)), found[0])

    def check(self, resource: Resource) -> None:
        """Report a patient who is referred to but not in the file, and a resource dated before the patient was born."""
        for day in _dates(resource) if self.born else ():
            if day is not None and self.is_before_birth(day):
                self.draft.note("fhir_dated_before_birth", self.place(resource))
        subject = resource.subject
        if subject is not None and subject.reference not in self._checked:
            self.find(subject, "Patient", resource)
            self._checked.add(subject.reference)

    def is_before_birth(self, day: str) -> bool:
        """Tell whether a date (ISO) lies before the day of birth, as far as that and the date are written."""
        if day >= self.born:  # ISO days, months and years compare as text
            return False
        found = BIRTH.match(day)
        return found is not None and found.group() < self.born[: len(found.group())]

    def specimen_of(self, result: Resource) -> str:
        """Return the name of the specimen that a result is of.

        Raises:
            NotRead: the specimen is another patient's, or was entered in error.
        """
        if isinstance(result.specimen, Reference):
            name = self._specimen_name(result.specimen, result)
        else:
            names = {self._specimen_name(reference, holder) for holder, reference in self._specimen_references(result)}
            name = names.pop() if len(names) == 1 else UNSPECIFIED
        if name in self.void:
            raise NotRead("fhir_specimen_in_error")
        return name

    def _is_mine(self, resource: Resource) -> bool:
        return resource.subject is None or self.directory.patient_of(resource, "") == self.patient_id

    def _specimen_references(self, result: Resource) -> Iterator[tuple[Resource, Reference]]:
        """Yield the result's own references, else those of what holds it, and so on upwards."""
        waiting, seen = [result], set[int]()
        while waiting:
            holder = waiting.pop()
            references = many(holder.specimen)
            yield from ((holder, reference) for reference in references)
            if not references and id(holder) not in seen:
                seen.add(id(holder))
                waiting += self._holders.get(id(holder), [])

    def _specimen_name(self, reference: Reference, result: Resource) -> str:
        known = self._specimens.get(reference.reference or "")
        if known:
            return known
        found = self.find(reference, "Specimen", result)
        if found is None:
            return tail(reference) or UNSPECIFIED
        if not self._is_mine(found):
            raise NotRead("fhir_specimen_of_other_patient")
        name = self.directory.name_of(found)
        if reference.reference and not reference.reference.startswith("#"):  # a contained one is only its holder's
            self._specimens[reference.reference] = name
        return name

    def sources_of(self, result: Resource) -> list[Resource]:
        """Return what a result is derived from."""
        found = (self.find(reference, "", result) for reference in result.derived_from)
        return [source for source in found if source is not None]

    def _find_holders(self) -> dict[int, list[Resource]]:
        """Return where each resource takes its specimen from: its report or panel, and what it is derived from."""
        holders: dict[int, list[Resource]] = defaultdict(list)
        for holder in self.of_type("DiagnosticReport", "Observation"):
            if not (holder.result or holder.has_member or holder.derived_from):
                continue
            if not is_dropped(holder, "Observation"):
                for reference in (*holder.result, *holder.has_member):
                    member = self.find(reference, "", holder)
                    if member is not None:
                        holders[id(member)].append(holder)
                holders[id(holder)] += self.sources_of(holder)
        return holders


def _dates(resource: Resource) -> tuple[str | None, ...]:
    """Return the dates of what a resource says, as they are written."""
    effective, performed = resource.effective_period, resource.performed_period
    return (
        resource.effective_date_time,
        resource.issued,
        resource.onset_date_time,
        resource.performed_date_time,
        effective.start if effective is not None else None,
        performed.start if performed is not None else None,
    )


def is_dropped(resource: Resource, kind: str) -> bool:
    """Tell whether the status of a resource forbids its use, by the rules for resources of type ``kind``."""
    return codebook().file.status[kind].get(resource.status or "") == "no"


def names_and_identifiers(resource: Resource, directory: Directory) -> Iterable[tuple[str, str]]:
    """Return what makes two resources versions of the same one: the id, and each business identifier."""
    identifiers = [(item.system or "", item.value) for item in many(resource.identifier) if item.value]
    return [("id", directory.name_of(resource)), *identifiers]
