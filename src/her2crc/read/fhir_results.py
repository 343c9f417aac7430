"""Observations into facts: HER2 on slides (score, percent, pattern, ISH), microsatellites, stage.

Only observations whose code is known are looked at. What their status forbids or a correction replaces is not used,
and it is said so. Variants are read further in :mod:`her2crc.read.fhir_markers`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from her2crc.model.record import RawValue
from her2crc.read.fhir_case import PLASMA, Case, is_dropped, names_and_identifiers
from her2crc.read.fhir_codes import Code, codebook
from her2crc.read.fhir_markers import read_variants
from her2crc.read.fhir_resources import Component, Concept, Resource, concepts
from her2crc.read.fhir_specimens import read_body_site
from her2crc.read.fhir_values import (
    NotRead,
    bare_status,
    lacks_unit,
    read_choice,
    read_count,
    read_decimal,
    read_ratio,
    read_stain,
    read_words,
    values_of,
)
from her2crc.read.fhir_variants import Result, gene_of, parts_of


def read_results(case: Case, tumour: str | None) -> None:
    """Read every observation of a patient whose diagnoses name ``tumour``."""
    results = [result for code, observation in _living(case) for result in _placed(case, code, observation)]
    sited = frozenset(case.sited)
    for result in results:
        for site in concepts(result.observation.body_site):
            if result.specimen not in sited:
                read_body_site(case, site, result.specimen, result.place, tumour)
    for result in results:
        if result.code.group:
            _read_slide_test(case, result)
        elif result.code.kind in ("msi", "stage"):
            _read_patient_fact(case, result)
    read_variants(case, [result for result in results if result.code.kind in ("variant", "legacy")])


def _living(case: Case) -> list[tuple[Code, Resource]]:
    """Return the observations to read: known code, not void, not replaced; the others become issues."""
    known = [(code, item) for item in case.of_type("Observation") if (code := codebook().find(item.code)) is not None]
    versions = [(code, item, _versions(case, code, item)) for code, item in known if code.kind != "part"]
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
    about = (code.code, item.specimen, tuple(parts_of(item).get("gene", ())))
    keys = names_and_identifiers(item, case.directory)
    return frozenset((key,) if key[0] == "id" else (key, about) for key in keys)


def _placed(case: Case, code: Code, observation: Resource) -> Iterator[Result]:
    """Yield an observation with its place and specimen, unless something forbids its use."""
    place = case.place(observation)
    case.check_subject(observation)
    misnaming = codebook().misnaming(observation.code, code) if isinstance(observation.code, Concept) else ""
    if misnaming:
        field, specimen = code.field, _specimen_or_none(case, observation)
        case.draft.note(misnaming, place, field=field, specimen=specimen, what=code.code)
        return
    if code.warning:
        case.draft.note(code.warning, place, field=code.field)
    if code.kind == "ignored":
        return
    if any(source.status == "entered-in-error" for source in case.sources_of(observation)):
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
    case.draft.add_specimen(result.specimen, result.place)  # a stained slide is of some specimen, whatever it shows
    try:
        _check_slide_test(case, result)
    except NotRead as reason:
        _note(case, result, result.code, reason)
        return
    _fill(case, result, result.code, result.observation)
    for part in result.observation.component:
        code = codebook().find(part.code)
        if code is not None and code.group and (code.group == result.code.group or code.code):
            _fill(case, result, code, part)


def _check_slide_test(case: Case, result: Result) -> None:
    """Refuse a test of tissue that is reported on blood, or of another gene than HER2."""
    if case.matrix.get(result.specimen) == PLASMA:
        raise NotRead("fhir_tissue_test_on_blood")
    for part in parts_of(result.observation).get("gene", ()):
        if gene_of(part).symbol != codebook().file.her2_gene:
            raise NotRead("fhir_gene_not_her2")


def _fill(case: Case, result: Result, code: Code, answer: Resource | Component) -> None:
    try:
        if isinstance(answer.code, Concept) and (misnaming := codebook().misnaming(answer.code, code)):
            raise NotRead(misnaming, code.code)
        for field, value in _read(code, answer).items():
            case.draft.give(result.place, field, value, result.specimen)
        if lacks_unit(answer, code):
            case.draft.note("fhir_unit_missing", result.place, field=code.field, specimen=result.specimen)
    except NotRead as reason:
        _note(case, result, code, reason)


def _read(code: Code, answer: Resource | Component) -> Mapping[str, RawValue]:
    match code.kind:
        case "score":
            return read_stain(answer, code)
        case "ratio":
            return read_ratio(answer, code)
        case "count":
            return {code.field: read_count(answer, code)}
        case "words":
            return {code.field: read_words(answer)}
        case "panel" if not values_of(answer):
            return {}  # its components and members say it
        case "panel" | "status":
            raise bare_status(answer)
        case _:
            return {code.field: read_decimal(answer, code)}


def _read_patient_fact(case: Case, result: Result) -> None:
    code = result.code
    try:
        meant = read_choice(result.observation, code.kind)
        case.draft.give(result.place, code.field, int(meant) if code.kind == "stage" else meant)
    except NotRead as reason:
        case.draft.note(reason.id, result.place, field=code.field, what=reason.what)


def _note(case: Case, result: Result, code: Code, reason: NotRead) -> None:
    """Say why a value is not used; a part under the code of another test does not say that this one was done."""
    field = code.field if code.group == result.code.group else ""
    case.draft.note(reason.id, result.place, field=field, specimen=result.specimen, what=reason.what)
