"""What was read of one patient so far, and how it becomes rows of the specimen table.

A fact is a value of one field with the resource it stood in. Facts that agree are one; where they differ, the extra value
goes to a row of its own with the same specimen, so that ``normalise`` sees and reports the conflict.
"""

from __future__ import annotations

from typing import NamedTuple

from her2crc.model.record import Issue, PatientRecord, RawValue, SpecimenRow
from her2crc.read.fhir_codes import codebook

UNSPECIFIED = "unspecified"
"""The specimen of results that name none."""


class Fact(NamedTuple):
    """A value of a field; ``specimen`` is empty for a fact of the patient."""

    place: str
    field: str
    value: RawValue
    specimen: str


class Draft:
    """The facts, specimens and issues of one patient, in no order."""

    def __init__(self, patient_id: str) -> None:
        self.patient_id = patient_id
        self.specimens: dict[str, str] = {}
        self.facts: list[Fact] = []
        self._issues: dict[Issue, None] = {}

    def add_specimen(self, specimen: str, place: str) -> None:
        """Give a specimen a row of its own, whether or not there is a result of it."""
        self.specimens[specimen] = min(place, self.specimens.get(specimen, place))

    def give(self, place: str, field: str, value: RawValue, specimen: str = "") -> None:
        """Add a fact: of the specimen that is named, or of the patient."""
        if specimen and specimen not in self.specimens:
            self.add_specimen(specimen, place)
        self.facts.append(Fact(place, field, value, specimen))

    def note(self, id: str, place: str, *, field: str = "", specimen: str = "", what: str = "") -> None:
        """Add an issue; its level and text stand in the codes file."""
        message = codebook().file.messages[id]
        issue = Issue(message.level, id, message.text.format(what=what), specimen, field, place)
        self._issues[issue] = None

    def record(self) -> PatientRecord:
        """Return what was read, in an order that does not depend on the order of the file."""
        issues = sorted(self._issues, key=lambda issue: (issue.place, issue.id, issue.field, issue.text))
        return PatientRecord(self.patient_id, tuple(self._rows()), tuple(issues))

    def _rows(self) -> list[SpecimenRow]:
        facts = sorted(self.facts, key=lambda fact: (fact.place, fact.field, str(fact.value)))
        if facts and not self.specimens:
            self.add_specimen(UNSPECIFIED, facts[0].place)
        ids = sorted(self.specimens)
        main: dict[str, dict[str, RawValue]] = {specimen: {"specimen_id": specimen} for specimen in ids}
        extra: dict[tuple[str, str, int], dict[str, RawValue]] = {}
        for fact in facts:
            holders = (fact.specimen,) if fact.specimen else ids
            known = [main[holder].setdefault(fact.field, fact.value) for holder in holders]
            if known[0] != fact.value:
                _add_extra(extra, fact, holders[0])
        rows = [SpecimenRow(self.specimens[specimen], main[specimen]) for specimen in ids]
        return rows + [SpecimenRow(key[0], values) for key, values in extra.items()]


def _add_extra(extra: dict[tuple[str, str, int], dict[str, RawValue]], fact: Fact, holder: str) -> None:
    number = 0
    while fact.field in (row := extra.setdefault((fact.place, holder, number), {"specimen_id": holder})):
        if row[fact.field] == fact.value:
            return
        number += 1
    row[fact.field] = fact.value
