"""Results of other formats as the FHIR resources they would be, so that one reader knows every code, word and unit.

Shared by the readers of HL7 v2, vendor XML and DNPM JSON: each turns its file into resources, and :class:`Converted`
has them read by :func:`her2crc.read.fhir.read_case`. What FHIR has no place for is given as a fact directly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from her2crc.model.record import Issue, PatientRecord, RawValue, SpecimenRow
from her2crc.read.columns import SPECIMEN_ID
from her2crc.read.fhir import read_case
from her2crc.read.fhir_case import Case
from her2crc.read.fhir_codes import Message, codebook
from her2crc.read.fhir_decode import Item
from her2crc.read.fhir_references import Directory
from her2crc.read.fhir_resources import Coding, Collection, Component, Concept, Quantity, Reference, Resource

LOINC, HGNC, ICD10 = "http://loinc.org", "http://www.genenames.org", "http://hl7.org/fhir/sid/icd-10"
IHC, ISH_RATIO = "18474-7", "49683-6"
VARIANT, GENE, PROTEIN, DNA = "69548-6", "48018-6", "48005-3", "48004-6"
COPIES, FRACTION, SOURCE = "82155-3", "81258-6", "48002-0"
"""LOINC codes of a variant and of its parts; ``fhir_codes.yaml`` says what each fills."""

PRESENT, ABSENT = "present", "absent"

Given = str | Quantity | Concept | None


class Converted:
    """One patient of a file: resources to read, facts that need no reading, and remarks; each with its place."""

    def __init__(self, patient_id: str, messages: Mapping[str, Message]) -> None:
        self.patient_id = patient_id
        self._messages = messages
        self._resources: list[Resource] = []
        self._places: dict[int, str] = {}
        self._homes: dict[str, str] = {}
        self._facts: list[tuple[str, str, RawValue, str]] = []
        self._issues: dict[Issue, None] = {}

    def add(self, place: str, resource: Resource) -> None:
        """Add a resource; messages about it name ``place``."""
        self._resources.append(resource)
        self._places[id(resource)] = place
        if resource.resource_type == "Specimen":
            self._homes.setdefault(resource.id or "", place)

    def add_birth(self, place: str, day: str) -> None:
        """Add the day of birth (ISO, as far as known), by which other dates are checked."""
        self.add(place, Resource(resource_type="Patient", id=self.patient_id, birth_date=day or None))

    def add_specimen(
        self, place: str, name: str, types: Sequence[Concept], site: Concept | None = None, day: str | None = None
    ) -> None:
        """Add a specimen by name: what it is, where and on which day (ISO) it was taken."""
        collection = Collection(body_site=site, collected_date_time=day or None)
        self.add(place, Resource(resource_type="Specimen", id=name, type=tuple(types), collection=collection))

    def add_result(
        self, place: str, code: Concept, given: Given, specimen: str, parts: Iterable[Component] = ()
    ) -> None:
        """Add a final result of a specimen."""
        self.add(
            place,
            Resource(
                resource_type="Observation",
                id=place,
                status="final",
                code=code,
                specimen=to_specimen(specimen),
                component=tuple(parts),
                value_codeable_concept=given if isinstance(given, Concept) else None,
                value_quantity=given if isinstance(given, Quantity) else None,
                value_string=given if isinstance(given, str) else None,
            ),
        )

    def add_variant(
        self, place: str, gene: Concept, presence: str, specimen: str, parts: Mapping[str, Given] | None = None
    ) -> None:
        """Add a variant of a gene, or that there is none (``presence``: present, absent or empty); parts by code."""
        components = [part(GENE, gene), *(part(code, given) for code, given in (parts or {}).items() if given)]
        self.add_result(place, loinc(VARIANT), Concept(text=presence) if presence else None, specimen, components)

    def add_diagnosis(self, place: str, concept: Concept) -> None:
        """Add a confirmed diagnosis."""
        self.add(place, Resource(resource_type="Condition", id=place, code=concept))

    def give(self, place: str, field: str, value: RawValue, specimen: str = "") -> None:
        """Add a fact as written: of the specimen that is named, or of the patient."""
        self._facts.append((place, field, value, specimen))

    def note(self, id: str, place: str, *, field: str = "", specimen: str = "", what: str = "") -> None:
        """Add a remark; its level and text stand in the format's file of words."""
        message = self._messages[id]
        text = message.text.format(what=what)
        self._issues[Issue(message.level, id, text, specimen, field, place)] = None

    def record(self) -> PatientRecord:
        """Read everything that was added."""
        items = [Item(resource) for resource in self._resources]
        case = _PlacedCase(self.patient_id, items, Directory(items), self._places)
        for place, field, value, specimen in self._facts:
            case.draft.give(place, field, value, specimen)
            if field == "tumour":
                case.with_tumour.add(specimen)
        found = read_case(case)
        own = sorted(self._issues, key=lambda issue: (issue.place, issue.id, issue.field, issue.text))
        return msgspec.structs.replace(found, rows=tuple(self._at_home(found.rows)), issues=(*own, *found.issues))

    def _at_home(self, rows: Iterable[SpecimenRow]) -> Iterator[SpecimenRow]:
        """Yield the rows, the first of each specimen where the file speaks of it; others stand where they conflict."""
        seen: set[RawValue] = set()
        for row in rows:
            name = row.values.get(SPECIMEN_ID)
            home = self._home(str(name)) if name and name not in seen else ""
            seen.add(name)
            yield SpecimenRow(home or row.place, row.values)

    def _home(self, specimen: str) -> str:
        """Return where a specimen is described, else where the first of its results stands."""
        results = (item for item in self._resources if item.specimen == to_specimen(specimen))
        return self._homes.get(specimen) or next((self._places[id(item)] for item in results), "")


class _PlacedCase(Case):
    """A case whose messages name places of the file that was converted."""

    def __init__(self, patient_id: str, items: Sequence[Item], directory: Directory, places: Mapping[int, str]) -> None:
        self._places = places
        super().__init__(patient_id, items, directory)

    def place(self, resource: Resource) -> str:
        return self._places[id(resource)]


def loinc(code: str) -> Concept:
    """Return a LOINC code as a concept."""
    return Concept(coding=(Coding(LOINC, code),))


def part(code: str, given: Given) -> Component:
    """Return a component with the kind of value that is given."""
    return Component(
        code=loinc(code),
        value_codeable_concept=given if isinstance(given, Concept) else None,
        value_quantity=given if isinstance(given, Quantity) else None,
        value_string=given if isinstance(given, str) else None,
    )


def to_specimen(name: str) -> Reference | None:
    """Return the reference to a specimen by name."""
    return Reference(f"Specimen/{name}") if name else None


def only_meaning(text: str | None, answers: str) -> str:
    """Return the one value that a text means by an answer list of ``fhir_codes.yaml``; empty for none or several."""
    meant = codebook().answers[answers].of_text(text)
    return meant.pop() if len(meant) == 1 else ""
