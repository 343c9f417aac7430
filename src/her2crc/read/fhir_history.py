"""Diagnoses and drugs into what is known of the patient: tumour, spread, side, stage, and treatment so far.

Only what is plainly stated counts; that something is not in the file never means no.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from her2crc.read.fhir_case import Case
from her2crc.read.fhir_codes import REMEMBERED, codebook
from her2crc.read.fhir_resources import Concept, Extension, Resource, Stage, concepts, many
from her2crc.read.fhir_specimens import COLORECTAL, clear_meaning, read_side
from her2crc.read.fhir_values import meanings

DRUG_TYPES = ("MedicationAdministration", "MedicationStatement", "MedicationRequest", "Procedure")


def read_diagnoses(case: Case) -> str | None:
    """Read every Condition; return the kind of primary tumour, None where none or more than one is stated."""
    tumours: set[str] = set()
    for condition in case.of_type("Condition"):
        tumours |= set(_read_condition(case, condition))
    if len(tumours) > 1:
        case.draft.note("fhir_two_tumours", "Condition", field="tumour")
    return tumours.pop() if len(tumours) == 1 else None


def read_drugs(case: Case) -> None:
    """Read which classes of drugs the patient has had; planned, declined or forbidden ones do not count."""
    lines: list[tuple[int, str]] = []
    for entry in case.of_type(*DRUG_TYPES):
        for concept in _drug_names(case, entry):
            _read_drug(case, entry, concept)
        if entry.extension is not None:
            lines += _lines(case, entry)
    if lines:
        highest, place = max(lines)
        case.draft.give(place, "lines_of_therapy", highest)
        case.draft.note("fhir_line_stated", place, field="lines_of_therapy")


def _read_condition(case: Case, condition: Resource) -> Iterator[str]:
    place, said = case.place(condition), _diagnosis(concepts(condition.code))
    case.check(condition)
    is_primary = _has_profile(condition, "primary")
    is_secondary = said.is_secondary or _has_profile(condition, "secondary")
    if "no" in said.about or not (is_secondary or said.organs or is_primary):
        return
    if _is_doubtful(condition):
        case.draft.note("fhir_condition_not_used", place)
    elif is_secondary:
        _read_spread(case, place, said.spread)
    elif said.about or is_primary or said.is_coded:
        sites = concepts(condition.body_site)
        organs = said.organs or frozenset(organ for site in sites for organ in meanings(site, "organ"))
        if organs == {COLORECTAL}:
            _read_primary(case, condition, place)
        yield from organs


class _Diagnosis(NamedTuple):
    """What the codes and words of a diagnosis say by themselves; ``is_coded``: a code names the organ."""

    about: frozenset[str]
    spread: frozenset[str]
    organs: frozenset[str]
    is_secondary: bool
    is_coded: bool


@lru_cache(maxsize=REMEMBERED)
def _diagnosis(said: tuple[Concept, ...]) -> _Diagnosis:
    about, spread, organs = (
        frozenset(word for concept in said for word in meanings(concept, name))
        for name in ("malignant", "spread", "organ")
    )
    spread = frozenset() if "no" in about else spread
    is_secondary = "distant" in spread or _is_coded(said, "spread")
    return _Diagnosis(about, spread, organs, is_secondary, _is_coded(said, "organ"))


def _read_spread(case: Case, place: str, spread: frozenset[str]) -> None:
    if "lymph" in spread and "distant_lymph" not in spread:
        case.draft.note("fhir_node_secondary", place, field="metastatic")
    else:
        case.draft.give(place, "metastatic", True)


def _read_primary(case: Case, condition: Resource, place: str) -> None:
    for concept in (*concepts(condition.code), *concepts(condition.body_site)):
        read_side(case, concept, place)
    for stage in condition.stage:
        _read_stage(case, stage, place)


def _read_stage(case: Case, stage: Stage, place: str) -> None:
    found = clear_meaning(case, stage.summary, "stage", "", place) if stage.summary else None
    if found:
        case.draft.give(place, "stage", int(found))


def _has_profile(resource: Resource, name: str) -> bool:
    if resource.meta is None:
        return False
    return any(codebook().file.profiles[name] in profile for profile in resource.meta.profile)


def _is_doubtful(condition: Resource) -> bool:
    if condition.verification_status is None:
        return False
    rules = codebook().file.status["Condition"]
    return any(rules.get(coding.code or "") == "no" for coding in condition.verification_status.coding)


def _is_coded(said: tuple[Concept, ...], name: str) -> bool:
    table = codebook().answers[name]
    return any(table.of_coding(coding) is not None for concept in said for coding in concept.coding)


def _drug_names(case: Case, entry: Resource) -> Iterator[Concept]:
    if entry.resource_type == "Procedure":
        yield from concepts(entry.code)
    if entry.medication_codeable_concept is not None:
        yield entry.medication_codeable_concept
    if entry.medication_reference is not None:
        medication = case.find(entry.medication_reference, "Medication", entry)
        yield from concepts(medication.code) if medication is not None else ()


def _lines(case: Case, entry: Resource) -> Iterator[tuple[int, str]]:
    """Yield the line that a systemic treatment states, with its place; drugs are never counted up to a number."""
    rules, place = codebook().file.line_of_therapy, case.place(entry)
    stated = dict(_extensions(entry.extension))
    numbers = {_whole(stated[name]) for name in rules.numbers if name in stated} - {None, 0}
    is_systemic = entry.resource_type != "Procedure" or _has_profile(entry, "systemic")
    if not numbers or not is_systemic or not _was_given(entry):
        return
    intent = stated[rules.intent].value_codeable_concept if rules.intent in stated else None
    if intent is not None and any(coding.code in rules.curative for coding in intent.coding):
        case.draft.note("fhir_line_curative", place)
        return
    for number in numbers:
        if number is not None:
            yield number, place


def _extensions(given: Extension | tuple[Extension, ...] | None, outer: str = "") -> Iterator[tuple[str, Extension]]:
    """Yield extensions by address, inner ones after that of the outer one and a ``#``."""
    for item in many(given):
        name = f"{outer}#{item.url}" if outer else item.url or ""
        yield name, item
        yield from _extensions(item.extension, name)


def _whole(item: Extension) -> int | None:
    values = (item.value_unsigned_int, item.value_positive_int, item.value_integer)
    return next((value for value in values if value is not None), None)


def _was_given(entry: Resource) -> bool:
    rule = codebook().file.status[entry.resource_type].get(entry.status or "", "no")
    return rule == "use" and not (entry.do_not_perform or entry.intent in codebook().file.planned_intents)


def _read_drug(case: Case, entry: Resource, concept: Concept) -> None:
    classes, place, file = meanings(concept, "drug"), case.place(entry), codebook().file
    if not classes - {"no"}:
        return
    case.check(entry)
    rule = file.status[entry.resource_type].get(entry.status or "", "no")
    planned = entry.do_not_perform or entry.intent in file.planned_intents
    if rule == "no" or planned or "no" in classes:
        case.draft.note("fhir_drug_not_counted", place)
        return
    for name in sorted(classes):
        if rule == "order":
            case.draft.note("fhir_drug_ordered", place, field=name)
        case.draft.give(place, name, True)
