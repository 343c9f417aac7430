"""Results of other formats as the FHIR resources they would be, so that one reader knows every code, word and unit.

Shared by the readers of HL7 v2, vendor XML and DNPM JSON: each turns its file into resources, :class:`Converted`
hands them to :func:`her2crc.read.fhir.read_case`. What FHIR has no place for is given as a fact directly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from her2crc.model.record import Issue, PatientRecord, RawValue
from her2crc.read.fhir import read_case
from her2crc.read.fhir_case import PLASMA, Case
from her2crc.read.fhir_codes import Message, codebook
from her2crc.read.fhir_decode import Item
from her2crc.read.fhir_references import Directory
from her2crc.read.fhir_resources import Coding, Collection, Component, Concept, Quantity, Reference, Resource

VARIANT, GENE, PROTEIN, DNA, COPIES, FRACTION, SOURCE = (
    *("69548-6", "48018-6", "48005-3", "48004-6"),
    *("82155-3", "81258-6", "48002-0"),
)
"""LOINC codes of a variant and of its parts, as ``fhir_codes.yaml`` describes them."""
IHC, ISH_RATIO, MSI = "18474-7", "49683-6", "81695-9"
LOINC = "http://loinc.org"


class Converted:
    """One patient of a file: resources to read, facts that need no reading, and remarks; all with their places."""

    def __init__(self, patient_id: str, messages: Mapping[str, Message]) -> None:
        self.patient_id = patient_id
        self._messages = messages
        self._resources: list[Resource] = []
        self._places: dict[int, str] = {}
        self._facts: list[tuple[str, str, RawValue, str]] = []
        self._issues: dict[Issue, None] = {}

    def add(self, place: str, kind: str, **fields: object) -> None:
        """Add a resource. Its id is its place; a specimen's id is its name."""
        resource = Resource(**{"resource_type": kind, "id": place, "status": "final", **fields})  # type: ignore[arg-type]
        self._resources.append(resource)
        self._places[id(resource)] = place

    def add_specimen(
        self, place: str, name: str, types: Sequence[Concept], site: Concept | None = None, day: str | None = None
    ) -> None:
        """Add a specimen by name: what it is, where and on which day (ISO) it was taken."""
        collection = Collection(body_site=site, collected_date_time=day or None)
        self.add(place, "Specimen", id=name, type=tuple(types), collection=collection)

    def add_variant(
        self, place: str, gene: Concept, presence: str, specimen: str, parts: Mapping[str, str] = msgspec.UNSET
    ) -> None:  # fmt: skip
        """Add one variant of a gene, or the report that there is none (``presence``: present, absent or empty)."""
        components = [Component(code=loinc(GENE), value_codeable_concept=gene)]
        components += [_part(code, written) for code, written in parts.items() if written]
        self.add(
            place,
            "Observation",
            code=loinc(VARIANT),
            specimen=to_specimen(specimen),
            component=tuple(components),
            value_codeable_concept=Concept(text=presence) if presence else None,
        )
