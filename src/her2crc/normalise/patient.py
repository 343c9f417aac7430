"""The rows of one patient into a :class:`Patient`: values typed, rows of one specimen merged, contradictions shown.

A value that cannot be used becomes an ``error`` issue, contradicting values a ``conflict`` issue; either way the
fact is unknown and nothing else of the row is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.library import Settings
from her2crc.model.course import Course, Variant
from her2crc.model.patient import IHC, ISH, Genes, History, Patient, Plasma, Specimen, TissueCopyNumber
from her2crc.model.quantity import Value
from her2crc.model.record import Issue, PatientRecord, SpecimenRow
from her2crc.normalise.conflicts import PLASMA_READING, contradictions, unexplained_reading
from her2crc.normalise.doubts import doubts
from her2crc.normalise.values import UnusableError, reader_of

Typed = Value | date

HEAD = ("tumour", "site", "specimen_kind", "collected_on", "scoring_system")
GROUPS: tuple[type[Any], ...] = (IHC, ISH, TissueCopyNumber, Plasma)
"""What a :class:`Specimen` holds after its id, in its order."""
DISTANT = ("liver", "lung", "peritoneum", "brain", "bone")
MATERIAL = ("specimen_kind", "site")
UNKNOWN: dict[type[Any], Any] = {kind: kind() for kind in GROUPS} | {Genes: Genes(), History: History()}


def normalise(record: PatientRecord, fields: Mapping[str, Field], settings: Settings) -> Patient:
    """Type, merge and check everything that was read about one patient.

    Args:
        record: the rows as read.
        fields: the list of fields.
        settings: the metastatic stage, and the copies that a call cannot go with.
    """
    gather = _Gatherer(fields, settings)
    gather.recall(record.issues)
    for number, row in enumerate(record.rows, 1):
        gather.take(row, number)
    specimens = _with_variants(tuple(gather.specimen(name) for name in gather.specimens), record.course)
    patient = gather.settled(gather.patient, "")
    gather.settle_stage(patient)
    gather.check_extent(patient, specimens)
    return Patient(
        patient_id=record.patient_id,
        specimens=specimens,
        genes=_struct(Genes, patient),
        history=_struct(History, patient),
        issues=(*record.issues, *gather.issues, *filter(gather.is_new, doubts(record.rows, specimens, settings))),
        treatments=record.course.treatments,
        imaging=record.course.imaging,
    )


def _with_variants(specimens: tuple[Specimen, ...], course: Course) -> tuple[Specimen, ...]:
    if not course.variants:
        return specimens
    found: dict[str, tuple[Variant, ...]] = {}
    for name, variants in course.variants:
        found[name] = found.get(name, ()) + variants
    return tuple(msgspec.structs.replace(item, variants=found.get(item.specimen_id)) for item in specimens)


class _Gatherer:
    """Collects each fact with every place it was stated, for the patient and for each specimen."""

    def __init__(self, fields: Mapping[str, Field], settings: Settings) -> None:
        self.fields, self.settings = fields, settings
        self.reader = reader_of(fields)
        self.unsettled: dict[str, list[str]] = {}
        self.patient: dict[str, dict[Typed, str]] = {}
        self.specimens: dict[str, dict[str, dict[Typed, str]]] = {}
        self.issues: list[Issue] = []
        self.recalled: set[tuple[str, str]] = set()

    def recall(self, issues: Iterable[Issue]) -> None:
        """Take in that a value which reading, or an earlier run, had to leave out was stated all the same."""
        for issue in issues:
            self.recalled.add((issue.id, issue.specimen))
            if issue.level in ("error", "conflict") and issue.field:
                self.unsettled.setdefault(issue.specimen, []).append(issue.field)

    def is_new(self, issue: Issue) -> bool:
        """Tell whether an earlier result did not say this of a specimen already, whose values it kept."""
        return (issue.id, issue.specimen) not in self.recalled

    def take(self, row: SpecimenRow, number: int) -> None:
        given = row.values.get("specimen_id")
        specimen_id = str(given).strip() if given is not None else f"S{number}"
        if given is not None:
            self.specimens.setdefault(specimen_id, {})
        for name, raw in row.values.items():
            value = self.read(name, raw, specimen_id, row.place)
            if value is None:
                continue
            if self.fields[name].level == "specimen":
                target = self.specimens.setdefault(specimen_id, {})
            else:
                target = self.patient
            target.setdefault(name, {}).setdefault(value, row.place)

    def read(self, name: str, raw: Any, specimen_id: str, place: str) -> Typed | None:
        try:
            return self.reader.read(name, raw)
        except UnusableError as error:
            text = f"{name} {error}; the value is not used."
            self._unsettle("error", error.id, text, specimen_id, name, place)
            return None

    def _unsettle(self, level: str, kind: str, text: str, specimen_id: str, name: str, place: str = "") -> None:
        of_specimen = self.fields[name].level == "specimen"
        self.issues.append(Issue(level, kind, text, specimen_id if of_specimen else "", name, place))
        if of_specimen:
            self.unsettled.setdefault(specimen_id, []).append(name)

    def settled(self, stated: Mapping[str, Mapping[Typed, str]], specimen_id: str) -> dict[str, Typed | None]:
        facts: dict[str, Typed | None] = {}
        for name, values in stated.items():
            facts[name] = next(iter(values)) if len(values) == 1 else None
            if len(values) > 1:
                shown = " and ".join(self._stated(name, value, place) for value, place in values.items())
                text = f"{name} is given as {shown}; which is right is not known, so the fact is unknown."
                self._unsettle("conflict", "contradicting_values", text, specimen_id, name)
        return facts

    def check_extent(self, patient: dict[str, Typed | None], specimens: Iterable[Specimen]) -> None:
        """A specimen of a distant site contradicts 'not metastatic'; which is right is not known."""
        distant = next((item for item in specimens if item.site in DISTANT), None)
        if distant and patient.get("metastatic") is False:
            patient["metastatic"] = None
            text = (
                f"A specimen from the {distant.site} and 'not metastatic' contradict each other; the extent is unknown."
            )
            self._unsettle("conflict", "site_contradicts_metastatic", text, "", "metastatic")

    def _stated(self, name: str, value: Typed, place: str) -> str:
        """A value and its place; free text is not repeated, since a message may end in a log."""
        return f"text at {place}" if self.fields[name].type == "text" else f"{value} ({place})"

    def settle_stage(self, patient: dict[str, Typed | None]) -> None:
        """A metastatic stage means metastatic disease; the two contradicting each other leaves it unknown."""
        if patient.get("stage") != self.settings.metastatic_stage or "metastatic" in self.unsettled.get("", ()):
            return
        if patient.get("metastatic") is False:
            patient["metastatic"] = None
            text = "Stage IV and 'not metastatic' contradict each other; whether the disease is metastatic is unknown."
            self._unsettle("conflict", "stage_contradicts_metastatic", text, "", "metastatic")
        else:
            patient["metastatic"] = True

    def specimen(self, specimen_id: str) -> Specimen:
        facts = self.settled(self.specimens[specimen_id], specimen_id)
        unsettled = self.unsettled.setdefault(specimen_id, [])
        for issue, unknown in contradictions(dict(facts), specimen_id, self.settings):
            self.issues.append(issue)
            unsettled += [unknown[0], *(name for name in unknown if facts.get(name) is not None)]
            facts |= dict.fromkeys(unknown)
        if not unsettled or set(MATERIAL).isdisjoint(unsettled):
            _settle_material(facts)
        findings = (_struct(kind, facts) for kind in GROUPS)
        open_facts = [name for name in dict.fromkeys(unsettled) if facts.get(name) is None]
        place = next(iter(self.specimens[specimen_id].get(PLASMA_READING[0], {}).values()), "")
        for issue in unexplained_reading(facts, specimen_id, place, self.settings):
            open_facts += PLASMA_READING
            self.issues += filter(self.is_new, [issue])
        settled: list[Any] = [*map(facts.get, HEAD), *findings, tuple(open_facts)]
        return Specimen(specimen_id, *settled)


def _struct(kind: type[Any], facts: Mapping[str, Any]) -> Any:
    """Return the finding that the facts make; all that is wholly unknown is one and the same."""
    if facts.keys().isdisjoint(kind.__struct_fields__):
        return UNKNOWN[kind]
    return kind(*map(facts.get, kind.__struct_fields__))


def _settle_material(facts: dict[str, Any]) -> None:
    """Plasma named as site or as kind means both; only plasma findings mean plasma."""
    kind, site = map(facts.get, MATERIAL)
    if "plasma" in (kind, site):
        facts |= {name: facts.get(name) or "plasma" for name in MATERIAL}
    elif kind is None and site is None and _only_plasma(facts):
        facts |= dict.fromkeys(MATERIAL, "plasma")


def _only_plasma(facts: Mapping[str, Any]) -> bool:
    def any_known(kinds: Iterable[type[msgspec.Struct]]) -> bool:
        return any(facts.get(name) is not None for kind in kinds for name in kind.__struct_fields__)

    return any_known([Plasma]) and not any_known([IHC, ISH, TissueCopyNumber])
