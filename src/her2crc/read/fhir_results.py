"""Observations into facts: HER2 on slides (score, percent, pattern, ISH), microsatellites, stage.

Only observations whose code is known are looked at. What their status forbids or a correction replaces is not used,
and it is said so. Slides are read further in :mod:`her2crc.read.fhir_slides`, variants in
:mod:`her2crc.read.fhir_markers`.
"""

from __future__ import annotations

from collections.abc import Iterator

from her2crc.read.fhir_case import PLASMA, Case, is_dropped, names_and_identifiers
from her2crc.read.fhir_codes import Code, codebook, misnaming
from her2crc.read.fhir_markers import read_variants
from her2crc.read.fhir_resources import Concept, Resource, concepts
from her2crc.read.fhir_slides import read_slide
from her2crc.read.fhir_specimens import read_body_site, stated_site
from her2crc.read.fhir_values import NotRead, read_choice
from her2crc.read.fhir_variants import Result, parts_of

VARIANTS, OF_PATIENT = ("variant", "legacy"), ("msi", "stage")
"""Kinds of code that are read together, and those that say something of the patient."""


def read_results(case: Case, tumour: str | None) -> None:
    """Read every observation of a patient whose diagnoses name ``tumour``."""
    results = [result for code, observation in _living(case) for result in _placed(case, code, observation)]
    sited = frozenset(case.sited)
    for result in results:
        for given in concepts(result.observation.body_site):
            site = stated_site(case, result.observation, given)
            if site is not None and result.specimen not in sited:
                read_body_site(case, site, result.specimen, result.place, tumour)
    for result in results:
        if result.code.group:
            _read_slide_test(case, result)
        elif result.code.kind in OF_PATIENT:
            _read_patient_fact(case, result)
    read_variants(case, [result for result in results if result.code.kind in VARIANTS])


def _living(case: Case) -> list[tuple[Code, Resource]]:
    """Return the observations to read: known code, not void, not replaced; the others become issues."""
    book = codebook()
    coded = [(book.find(item.code), item) for item in case.of_type("Observation")]
    known = [(code, item) for code, item in coded if code is not None and code.kind != "part"]
    return known if {item.status for _, item in known} <= {"final"} else _without_replaced(case, known)


def _without_replaced(case: Case, known: list[tuple[Code, Resource]]) -> list[tuple[Code, Resource]]:
    versions = [(code, item, _versions(case, code, item)) for code, item in known]
    file = codebook().file
    replaced = {key for _, item, keys in versions if item.status in file.replaces for key in keys}
    void = {key for _, item, keys in versions if item.status == "entered-in-error" for key in keys}
    living = []
    for code, item, keys in versions:
        place = case.place(item)
        if item.status not in file.replaces and keys & replaced:
            case.draft.note("fhir_replaced", place)
        elif is_dropped(item, "Observation") or (keys & void and not keys & replaced):
            dropped = item.status if is_dropped(item, "Observation") else "entered-in-error"
            case.draft.note("fhir_status_not_used", place, what=dropped or "")
        else:
            living.append((code, item))
    return living


def _versions(case: Case, code: Code, item: Resource) -> frozenset[tuple[object, ...]]:
    """Return the keys that two versions of one result share. An identifier may be that of the whole report."""
    about = (code.code, item.specimen, tuple(parts_of(item.component).get("gene", ())))
    keys = names_and_identifiers(item, case.directory)
    return frozenset((key,) if key[0] == "id" else (key, about) for key in keys)


def _placed(case: Case, code: Code, observation: Resource) -> Iterator[Result]:
    """Yield an observation with its place and specimen, unless something forbids its use."""
    place = case.place(observation)
    case.check_subject(observation)
    wrong = misnaming(observation.code) if isinstance(observation.code, Concept) else ""
    if wrong:
        field, specimen = code.field, _specimen_or_none(case, observation)
        case.draft.note(wrong, place, field=field, specimen=specimen, what=code.code)
        return
    if code.warning:
        case.draft.note(code.warning, place, field=code.field)
    if code.kind == "ignored":
        return
    if observation.derived_from and "entered-in-error" in (item.status for item in case.sources_of(observation)):
        case.draft.note("fhir_derived_from_error", place)
        return
    if codebook().file.status["Observation"].get(observation.status or "", "doubt") == "doubt":
        case.draft.note("fhir_status_uncertain", place, field=code.field)
    try:
        yield Result(code, observation, case.specimen_of(observation), place)
    except NotRead as reason:
        case.draft.note(reason.id, place, field=code.field, what=reason.what)


def _specimen_or_none(case: Case, observation: Resource) -> str:
    try:
        return case.specimen_of(observation)
    except NotRead:
        return ""


def _read_slide_test(case: Case, result: Result) -> None:
    code, observation, specimen, place = result
    draft = case.draft
    draft.add_specimen(specimen, place)  # a stained slide is of some specimen, whatever it shows
    if case.matrix.get(specimen) == PLASMA:
        draft.note("fhir_tissue_test_on_blood", place, field=code.field, specimen=specimen)
        return
    slide = read_slide(observation)
    for field, value in slide.facts:
        draft.give(place, field, value, specimen)
    for remark in slide.remarks:
        draft.note(remark.id, place, field=remark.field, specimen=specimen, what=remark.what)


def _read_patient_fact(case: Case, result: Result) -> None:
    code = result.code
    try:
        meant = read_choice(result.observation, code.kind)
        case.draft.give(result.place, code.field, int(meant) if code.kind == "stage" else meant)
    except NotRead as reason:
        case.draft.note(reason.id, result.place, field=code.field, what=reason.what)
