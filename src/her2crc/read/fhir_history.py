"""Diagnoses and drugs into what is known of the patient: tumour, spread, side, stage, and treatment so far.

Only what is plainly stated counts; that something is not in the file never means no.
"""

from __future__ import annotations

from collections.abc import Iterator

from her2crc.read.fhir_case import Case
from her2crc.read.fhir_codes import codebook
from her2crc.read.fhir_resources import Concept, Resource, Stage, concepts
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
    for entry in case.of_type(*DRUG_TYPES):
        for concept in _drug_names(case, entry):
            _read_drug(case, entry, concept)


def _read_condition(case: Case, condition: Resource) -> Iterator[str]:
    place, said = case.place(condition), concepts(condition.code)
    case.check_subject(condition)
    about = {word for concept in said for word in meanings(concept, "malignant")}
    spread = {word for concept in said for word in meanings(concept, "spread")} if "no" not in about else set()
    organs = {organ for concept in said for organ in meanings(concept, "organ")}
    is_secondary = _has_profile(condition, "secondary") or "distant" in spread or _is_coded(said, "spread")
    if "no" in about or not (is_secondary or organs or _has_profile(condition, "primary")):
        return
    if _is_doubtful(condition):
        case.draft.note("fhir_condition_not_used", place)
    elif is_secondary:
        _read_spread(case, place, spread)
    elif about or _has_profile(condition, "primary") or _is_coded(said, "organ"):
        organs = organs or {organ for site in concepts(condition.body_site) for organ in meanings(site, "organ")}
        if organs == {COLORECTAL}:
            _read_primary(case, condition, place)
        yield from organs


def _read_spread(case: Case, place: str, spread: set[str]) -> None:
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
    profiles = resource.meta.profile if resource.meta else ()
    return any(codebook().file.profiles[name] in profile for profile in profiles)


def _is_doubtful(condition: Resource) -> bool:
    rules = codebook().file.status["Condition"]
    codings = condition.verification_status.coding if condition.verification_status else ()
    return any(rules.get(coding.code or "") == "no" for coding in codings)


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


def _read_drug(case: Case, entry: Resource, concept: Concept) -> None:
    classes, place, file = meanings(concept, "drug"), case.place(entry), codebook().file
    if not classes - {"no"}:
        return
    case.check_subject(entry)
    rule = file.status[entry.resource_type].get(entry.status or "", "no")
    planned = entry.do_not_perform or entry.intent in file.planned_intents
    if rule == "no" or planned or "no" in classes:
        case.draft.note("fhir_drug_not_counted", place)
        return
    for name in sorted(classes):
        if rule == "order":
            case.draft.note("fhir_drug_ordered", place, field=name)
        case.draft.give(place, name, True)
