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
from her2crc.model.patient import IHC, ISH, Genes, History, Patient, Plasma, Specimen, TissueCopyNumber
from her2crc.model.quantity import Value
from her2crc.model.record import Issue, PatientRecord, SpecimenRow
from her2crc.normalise.conflicts import contradictions
from her2crc.normalise.values import UnusableError, read_value

Typed = Value | date

GROUPS: dict[str, type[msgspec.Struct]] = {
    "ihc": IHC,
    "ish": ISH,
    "tissue": TissueCopyNumber,
    "plasma": Plasma,
}
HEAD = ("tumour", "site", "specimen_kind", "collected_on", "scoring_system")
DISTANT = ("liver", "lung", "peritoneum", "brain", "bone")
MATERIAL = ("specimen_kind", "site")


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
    specimens = tuple(gather.specimen(specimen_id) for specimen_id in gather.specimens)
    patient = gather.settled(gather.patient, "")
    gather.settle_stage(patient)
    gather.check_extent(patient, specimens)
    return Patient(
        patient_id=record.patient_id,
        specimens=specimens,
        genes=_struct(Genes, patient),
        history=_struct(History, patient),
        issues=(*record.issues, *gather.issues),
    )


class _Gatherer:
    """Collects each fact with every place it was stated, for the patient and for each specimen."""

    def __init__(self, fields: Mapping[str, Field], settings: Settings) -> None:
        self.fields, self.settings = fields, settings
        self.unsettled: dict[str, list[str]] = {}
        self.patient: dict[str, dict[Typed, str]] = {}
        self.specimens: dict[str, dict[str, dict[Typed, str]]] = {}
        self.issues: list[Issue] = []

    def recall(self, issues: Iterable[Issue]) -> None:
        """Take in that a value which reading, or an earlier run, had to leave out was stated all the same."""
        for issue in issues:
            if issue.level in ("error", "conflict") and issue.field:
                self.unsettled.setdefault(issue.specimen, []).append(issue.field)

    def take(self, row: SpecimenRow, number: int) -> None:
        given = row.values.get("specimen_id")
        specimen_id = str(given).strip() if given is not None else f"S{number}"
        typed = {name: self.read(name, raw, specimen_id, row.place) for name, raw in row.values.items()}
        known = {name: value for name, value in typed.items() if value is not None}
        of_specimen = [name for name in known if self.fields[name].level == "specimen"]
        if of_specimen or given is not None:
            target = self.specimens.setdefault(specimen_id, {})
            for name in of_specimen:
                target.setdefault(name, {}).setdefault(known[name], row.place)
        for name, value in known.items():
            if self.fields[name].level == "patient":
                self.patient.setdefault(name, {}).setdefault(value, row.place)

    def read(self, name: str, raw: Any, specimen_id: str, place: str) -> Typed | None:
        field = self.fields.get(name)
        if field is None or (field.derived_from and field.group != "ish") or field.group == "judged":
            return None
        try:
            return read_value(field, raw)
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
        if not set(MATERIAL) & set(unsettled):
            _settle_material(facts)
        findings = {name: _struct(kind, facts) for name, kind in GROUPS.items()}
        head = {name: facts.get(name) for name in HEAD}
        open_facts = tuple(name for name in dict.fromkeys(unsettled) if facts.get(name) is None)
        return Specimen(specimen_id=specimen_id, unsettled=open_facts, **head, **findings)  # type: ignore[arg-type]


def _struct(kind: type[Any], facts: Mapping[str, Any]) -> Any:
    return kind(*map(facts.get, kind.__struct_fields__))


def _settle_material(facts: dict[str, Any]) -> None:
    """Plasma named as site or as kind means both; only plasma findings mean plasma."""
    if "plasma" in (facts.get(name) for name in MATERIAL):
        facts |= {name: facts.get(name) or "plasma" for name in MATERIAL}
    elif all(facts.get(name) is None for name in MATERIAL) and _only_plasma(facts):
        facts |= dict.fromkeys(MATERIAL, "plasma")


def _only_plasma(facts: Mapping[str, Any]) -> bool:
    def any_known(kinds: Iterable[type[msgspec.Struct]]) -> bool:
        return any(facts.get(name) is not None for kind in kinds for name in kind.__struct_fields__)

    return any_known([Plasma]) and not any_known([IHC, ISH, TissueCopyNumber])
