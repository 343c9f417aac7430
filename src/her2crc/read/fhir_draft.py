"""What was read of one patient so far, and how it becomes rows of the specimen table.

A fact is a value of one field with the resource it stood in. Facts that agree are one; where they differ, the extra
value goes to a row of its own with the same specimen, so that ``normalise`` sees and reports the conflict.
"""

from __future__ import annotations

from operator import itemgetter

from her2crc.model.record import Issue, PatientRecord, RawValue, SpecimenRow
from her2crc.read.columns import SPECIMEN_ID
from her2crc.read.fhir_codes import codebook

UNSPECIFIED = "unspecified"
"""The specimen of results that name none."""


OWN_PLACE = "Specimen/"
"""A row stands where its specimen does, else where the first of its results does."""


Fact = tuple[str, str, str, RawValue, str]
"""Place, field, the value as text, the value, and its specimen (empty for a fact of the patient)."""
SORTED_BY = itemgetter(0, 1, 2)
"""Facts stand by place, field and text."""


class Draft:
    """The facts, specimens and issues of one patient, in no order."""

    def __init__(self, patient_id: str) -> None:
        self.patient_id = patient_id
        self.specimens: dict[str, str] = {}
        self.facts: list[Fact] = []
        self._issues: dict[Issue, None] = {}

    def add_specimen(self, specimen: str, place: str) -> None:
        """Give a specimen a row of its own, whether or not there is a result of it."""
        known = self.specimens.get(specimen)
        if known is None or (not known.startswith(OWN_PLACE) and (place.startswith(OWN_PLACE) or place < known)):
            self.specimens[specimen] = place

    def give(self, place: str, field: str, value: RawValue, specimen: str = "") -> None:
        """Add a fact: of the specimen that is named, or of the patient."""
        if specimen and self.specimens.get(specimen) != place:
            self.add_specimen(specimen, place)
        self.facts.append((place, field, str(value), value, specimen))

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
        facts = sorted(self.facts, key=SORTED_BY)
        if not facts and not self.specimens:
            return []
        places = self.specimens or {"": facts[0][0]}  # facts of the patient alone: a row that names no specimen
        main = {specimen: _row(specimen) for specimen in sorted(places)}
        extra: dict[tuple[str, str, int], dict[str, RawValue]] = {}
        for fact in facts:
            _, field, _, value, specimen = fact
            holders = (main[specimen],) if specimen else main.values()
            known = [row.setdefault(field, value) for row in holders]
            if known[0] != value:
                _add_extra(extra, fact)
        rows = [SpecimenRow(places[specimen], values) for specimen, values in main.items()]
        return rows + [SpecimenRow(place, values) for (place, _, _), values in extra.items()]


def _row(specimen: str) -> dict[str, RawValue]:
    return {SPECIMEN_ID: specimen} if specimen else {}


def _add_extra(extra: dict[tuple[str, str, int], dict[str, RawValue]], fact: Fact) -> None:
    place, field, _, value, specimen = fact
    number = 0
    while field in (row := extra.setdefault((place, specimen, number), _row(specimen))):
        if row[field] == value:
            return
        number += 1
    row[field] = value
