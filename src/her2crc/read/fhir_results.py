"""Observations into facts: HER2 on slides (score, percent, pattern, ISH), microsatellites, stage.

Only observations whose code is known are looked at. What their status forbids or a correction replaces is not used,
and it is said so. Slides are read further in :mod:`her2crc.read.fhir_slides`, variants in
:mod:`her2crc.read.fhir_markers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from her2crc.read.fhir_case import PLASMA, Case, is_dropped, names_and_identifiers
from her2crc.read.fhir_codes import UNCLEAR, Code, codebook, is_own, misnaming
from her2crc.read.fhir_markers import read_variants
from her2crc.read.fhir_resources import Component, Concept, Resource, concepts
from her2crc.read.fhir_slides import read_slide
from her2crc.read.fhir_specimens import read_body_site, stated_site
from her2crc.read.fhir_values import NotRead, read_choice, values_of
from her2crc.read.fhir_variants import Result, parts_of

BREAST, BREAST_CODE = "breast", "fhir_breast_code"
VARIANTS, OF_PATIENT = ("variant", "legacy"), ("msi", "stage")
"""Kinds of code that are read together, and those that say something of the patient."""


def read_results(case: Case, tumour: str | None) -> None:
    """Read every observation of a patient whose diagnoses name ``tumour``."""
    _note_reports(case)
    results = [result for test in _living(case) for result in _placed(case, test, tumour)]
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


class _Test(NamedTuple):
    """An observation whose code is known; ``holder`` is the one in the file, of which it may be a part."""

    code: Code
    observation: Resource
    holder: Resource


def _living(case: Case) -> list[_Test]:
    """Return the observations to read: known code, not void, not replaced; the others become issues."""
    book = codebook()
    known: list[_Test] = []
    for observation in case.of_type("Observation"):
        code = book.find(observation.code)
        if code is None:
            known += _parts_alone(observation)
            _note_unknown(case, observation)
        elif code.kind != "part":
            known.append(_Test(code, observation, observation))
    return known if {test.holder.status for test in known} <= {"final"} else _without_replaced(case, known)


def _parts_alone(panel: Resource) -> Iterator[_Test]:
    """Yield the parts of an observation whose own code is not known: results of their own, as far as their codes are.

    The first part of a slide test has the others of that test as its parts, and each has the gene that is named.
    """
    parts = [(code, part) for part in panel.component if (code := codebook().find(part.code)) is not None]
    shared = tuple(part for code, part in parts if code.kind == "part")
    begun: set[str] = set()
    for code, head in parts:
        if code.kind == "part" or not code.code or code.group in begun:
            continue
        begun |= {code.group} - {""}
        same = tuple(part for other, part in parts if code.group and other.group == code.group and part is not head)
        yield _Test(code, _as_own(panel, head, same + shared), panel)


def _as_own(panel: Resource, part: Component, parts: tuple[Component, ...]) -> Resource:
    """Return a part of a panel as a result of its own, with parts of its own."""
    values = {name: getattr(part, name) for name in part.__struct_fields__}
    return msgspec.structs.replace(panel, component=parts, **values)


def _note_unknown(case: Case, observation: Resource) -> None:
    """Report a result, or a part of one, that names a marker under a code that is not known."""
    if is_dropped(observation, "Observation"):
        return
    unknown = [part for part in observation.component if codebook().find(part.code) is None]
    holds = (observation.has_member or observation.component) and not values_of(observation)
    answers: tuple[Resource | Component, ...] = (*unknown, *([] if holds else [observation]))
    for answer in answers:
        code = answer.code if isinstance(answer.code, Concept) else Concept()
        named, misplaced = codebook().watched_in(code), codebook().misplaced(code)
        if misplaced:
            case.draft.note("fhir_system_not_known", case.place(observation), what=misplaced)
        elif named:
            case.draft.note("fhir_name_not_known", case.place(observation), what=named)
        elif codebook().speaks_of_her2(answer.value_string, answer.value_codeable_concept) and not is_own(answer.code):
            case.draft.note("fhir_free_text", case.place(observation))


def _note_reports(case: Case) -> None:
    """Report what reports say of HER2 in words, and those that were withdrawn although a result of them stands."""
    for report in case.of_type("DiagnosticReport"):
        is_withdrawn = is_dropped(report, "Observation")
        if not is_withdrawn and not codebook().speaks_of_her2(report.conclusion, None):
            continue
        found = (case.find(reference, "", report) for reference in report.result)
        is_coded = any(item is not None and codebook().find(item.code) for item in found)
        if is_withdrawn and is_coded:
            case.draft.note("fhir_report_withdrawn", case.place(report), what=report.status or "")
        elif not is_withdrawn and not is_coded:
            case.draft.note("fhir_free_text", case.place(report))


def _without_replaced(case: Case, known: list[_Test]) -> list[_Test]:
    versions = [(test, test.holder.status or "", _versions(case, test)) for test in known]
    replaces = codebook().file.replaces
    replaced = {key for _, status, keys in versions if status in replaces for key in keys}
    void = {key for _, status, keys in versions if status == "entered-in-error" for key in keys}
    living = []
    for test, status, keys in versions:
        place, is_void = case.place(test.holder), is_dropped(test.holder, "Observation")
        if status not in replaces and keys & replaced:
            case.draft.note("fhir_replaced", place)
        elif is_void or (keys & void and not keys & replaced):
            case.draft.note("fhir_status_not_used", place, what=status if is_void else "entered-in-error")
        else:
            living.append(test)
    return living


def _versions(case: Case, test: _Test) -> frozenset[tuple[object, ...]]:
    """Return the keys that two versions of one result share. An identifier may be that of the whole report."""
    genes = parts_of(test.observation.component).get("gene", ())
    about = (test.code.code, test.holder.specimen, tuple(genes))
    keys = names_and_identifiers(test.holder, case.directory)
    return frozenset((key,) if key[0] == "id" else (key, about) for key in keys)


def _placed(case: Case, test: _Test, tumour: str | None) -> Iterator[Result]:
    """Yield an observation with its place and specimen, unless something forbids its use."""
    code, observation, holder = test
    place = case.place(holder)
    case.check(holder)
    wrong = misnaming(observation.code) if isinstance(observation.code, Concept) else ""
    if wrong:
        field, specimen = code.field, _specimen_or_none(case, holder)
        case.draft.note(wrong, place, field=field, specimen=specimen, what=code.code)
        if wrong != UNCLEAR:
            return
    if code.warning and not (code.warning == BREAST_CODE and _is_of_breast(case, holder, tumour)):
        case.draft.note(code.warning, place, field=code.field)
    if code.kind == "ignored":
        return
    if holder.derived_from and "entered-in-error" in (item.status for item in case.sources_of(holder)):
        case.draft.note("fhir_derived_from_error", place)
        return
    if codebook().file.status["Observation"].get(holder.status or "", "doubt") == "doubt":
        case.draft.note("fhir_status_uncertain", place, field=code.field)
    try:
        yield Result(code, observation, case.specimen_of(holder), place)
    except NotRead as reason:
        case.draft.note(reason.id, place, field=code.field, what=reason.what)


def _is_of_breast(case: Case, observation: Resource, tumour: str | None) -> bool:
    """Tell whether a result is of breast cancer, as its specimen says or, where that does not, the patient."""
    specimen = _specimen_or_none(case, observation)
    own = {fact[3] for fact in case.draft.facts if fact[1] == "tumour" and fact[-1] == specimen}
    return (own or {tumour}) == {BREAST}


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
