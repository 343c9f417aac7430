"""The facts of a patient as FHIR: Patient, Specimen, one Observation a test, one a marker or piece of history.

Part of stage 5. A fact goes under a standard code where there is one and the specimen is of the material that the
code is for; every other fact goes under our own code, so that nothing is lost and nothing is said that was not found.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from her2crc.criteria.fields import Field
from her2crc.model.patient import Specimen
from her2crc.report.fhir_elements import (
    Element,
    Entry,
    Sheet,
    absent,
    answer,
    coding,
    component,
    concept,
    fact_code,
    quantity,
    test_code,
)
from her2crc.report.fhir_terms import MarkerVariant, SlideTest, terms
from her2crc.report.stated import (
    UNKNOWN,
    Facts,
    Stated,
    is_preliminary,
    matrix_of,
    patient_statements,
    specimen_statements,
)

LEGAL_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
NOT_LEGAL = re.compile(r"[^A-Za-z0-9.\-]+")
ID_ROOM, DIGEST = 48, 8
"""An id that FHIR does not allow is shortened to what it allows, with so many digits of its hash to keep it apart."""

MSI, RATIO, COUNTS = "msi", "ish_ratio", ("ish_her2_signals", "ish_cep17_signals")
SIGNALS = "{signals}"


def fact_entries(sheet: Sheet) -> Iterator[Entry]:
    """Yield the patient, the specimens and every fact, in the order of the answer."""
    yield Entry(("patient",), {"resourceType": "Patient", **_named(sheet.assessment.patient_id)})
    for specimen in sheet.assessment.patient.specimens:
        yield from _specimen_entries(sheet, specimen)
    for stated in patient_statements(sheet.assessment).values():
        yield from _marker_entries(sheet, stated)


def _named(given: str) -> Element:
    """Return a given id as ``id``, where FHIR allows it, and as ``identifier``, always as given."""
    digest = hashlib.sha256(given.encode()).hexdigest()[:DIGEST]
    legal = given if LEGAL_ID.fullmatch(given) else f"{NOT_LEGAL.sub('-', given)[:ID_ROOM]}-{digest}"
    return {"id": legal, "identifier": [{"value": given}]}


# ---- specimens


def _specimen_entries(sheet: Sheet, specimen: Specimen) -> Iterator[Entry]:
    facts = specimen_statements(specimen, sheet.assessment)
    matrix = matrix_of(specimen, facts)
    yield Entry(("specimen", specimen.specimen_id), _specimen(sheet, specimen, matrix))
    left = {name: stated for name, stated in facts.items() if not terms().is_on_specimen(name, stated.value)}
    for test in terms().tests:
        found = {name: left[name] for name in test.fields if name in left}
        if found and test.matrix == matrix:
            left = {name: stated for name, stated in left.items() if name not in found}
            yield _test_entry(sheet, specimen, test, found)
    if left:
        yield _own_entry(sheet, specimen, left)


def _specimen(sheet: Sheet, specimen: Specimen, matrix: str) -> Element:
    resource = {"resourceType": "Specimen", **_named(specimen.specimen_id)}
    if matrix:
        resource["type"] = concept(coding("v2_0487", terms().material[matrix]))
    resource["subject"] = sheet.refer("patient")
    collection: Element = {}
    if specimen.collected_on:
        collection["collectedDateTime"] = specimen.collected_on.isoformat()
    if specimen.specimen_kind and specimen.specimen_kind not in terms().material:
        collection["method"] = concept(text=specimen.specimen_kind)
    if specimen.site in terms().sites:
        site = terms().sites[specimen.site]
        collection["bodySite"] = concept(*([coding("snomed", site.code)] if site.code else []), text=site.text)
    return resource | ({"collection": collection} if collection else {})


def _test_entry(sheet: Sheet, specimen: Specimen, test: SlideTest, facts: Facts) -> Entry:
    parts = [component(sheet.field(name), facts[name]) for name in test.parts if name in facts]
    if test.gene:
        parts = [_gene(test.gene), _copy_number_change(), *parts]
        value = _call(facts.get(test.value))
    elif test.value == RATIO:
        value = _ratio(facts)
    else:
        value = _score(facts.get(test.value))
    resource = _observation(sheet, test_code(test.code, test.text), test.fields, is_variant=bool(test.gene))
    resource |= {"specimen": sheet.refer("specimen", specimen.specimen_id), **value}
    role = ("fact", specimen.specimen_id, test.id)
    return Entry(role, resource | ({"component": parts} if parts else {}), test.fields, specimen.specimen_id)


def _own_entry(sheet: Sheet, specimen: Specimen, facts: Facts) -> Entry:
    """State what has no standard place: the tumour, or a test that does not fit the material."""
    code = concept(coding("kind", "specimen-facts"), text="further facts of the specimen")
    resource = _observation(sheet, code, tuple(facts))
    resource |= {"specimen": sheet.refer("specimen", specimen.specimen_id)}
    resource["component"] = [_own_part(sheet.field(name), stated) for name, stated in facts.items()]
    return Entry(("fact", specimen.specimen_id, "own"), resource, tuple(facts), specimen.specimen_id)


def _own_part(field: Field, stated: Stated) -> Element:
    return {"code": _own_code(field), **answer(field, stated)}


def _own_code(field: Field) -> Element:
    return concept(coding("field", field.name), text=fact_code(field)["text"])


def _observation(sheet: Sheet, code: Element, fields: tuple[str, ...], *, is_variant: bool = False) -> Element:
    categories = [concept(coding("category", "laboratory"))]
    profile = {}
    if is_variant:
        categories.append(concept(coding("v2_0074", "GE")))
        profile = {"meta": {"profile": [terms().profiles["variant"]]}}
    return {
        "resourceType": "Observation",
        **profile,
        "status": "preliminary" if is_preliminary(fields, sheet.assessment) else "final",
        "category": categories,
        "code": code,
        "subject": sheet.refer("patient"),
    }


# ---- values


def _score(stated: Stated | None) -> Element:
    if stated is None or stated.value is None:
        return absent(stated.reason if stated else UNKNOWN)
    score = terms().scores[stated.value]
    codes = coding("mii_her2_score", str(stated.value), score.text), coding("loinc", score.answer)
    return {"valueCodeableConcept": concept(*codes, text=score.text)}


def _ratio(facts: Facts) -> Element:
    """Return the ratio as reported, over 1; else as the totals counted, exactly; else why there is none.

    What was reported comes first, so that no digit of it is lost: the totals stand beside it as parts anyway.
    """
    reported, counted = facts.get(RATIO), _counts(facts)
    if reported is not None and reported.value is not None:
        return {"valueRatio": {"numerator": quantity(reported.value), "denominator": quantity(1)}}
    if reported is None and counted is not None:
        above, below = (quantity(value, SIGNALS) for value in counted)
        return {"valueRatio": {"numerator": above, "denominator": below}}
    return absent(reported.reason if reported else UNKNOWN)


def _counts(facts: Facts) -> tuple[int, int] | None:
    above, below = (facts[name].value if name in facts else None for name in COUNTS)
    return (above, below) if above is not None and below else None


def _call(stated: Stated | None) -> Element:
    """Return whether the laboratory calls the gene amplified; copies alone are no call."""
    presence = terms().call.get(stated.value) if stated is not None and stated.value is not None else None
    if presence is None:
        return absent(stated.reason if stated is not None and stated.reason else UNKNOWN)
    return _presence(presence)


def _presence(presence: str) -> Element:
    return {"valueCodeableConcept": concept(coding("loinc", terms().presence[presence]), text=presence)}


def _gene(symbol: str) -> Element:
    gene = concept(coding("hgnc", terms().genes[symbol], symbol))
    return {"code": concept(coding("loinc", terms().parts["gene"])), "valueCodeableConcept": gene}


def _copy_number_change() -> Element:
    change = terms().copy_number_change
    kind = concept(coding("sequence_ontology", change.code, change.display))
    return {"code": concept(coding("loinc", terms().parts["change"])), "valueCodeableConcept": kind}


# ---- the patient


def _marker_entries(sheet: Sheet, stated: Stated) -> Iterator[Entry]:
    variants = terms().markers.get(stated.name, {}).get(str(stated.value), ())
    for variant in variants:
        resource = _observation(
            sheet, test_code(terms().variant_code, f"variant of {variant.gene}"), (stated.name,), is_variant=True
        )
        resource |= _presence(variant.presence) | {"component": _variant_parts(variant)}
        yield Entry(("fact", stated.name, variant.gene), resource, (stated.name,))
    if not variants:
        field, msi = sheet.field(stated.name), terms().msi
        code = test_code(msi.code, msi.text) if stated.name == MSI else _own_code(field)
        resource = _observation(sheet, code, (stated.name,)) | _marker_value(field, stated)
        yield Entry(("fact", stated.name), resource, (stated.name,))


def _variant_parts(variant: MarkerVariant) -> list[Element]:
    parts = [_gene(variant.gene)]
    if variant.protein:
        change = concept(coding("hgvs", variant.protein, variant.protein))
        parts.append({"code": concept(coding("loinc", terms().parts["protein"])), "valueCodeableConcept": change})
    return parts


def _marker_value(field: Field, stated: Stated) -> Element:
    if field.name != MSI or stated.value is None:
        return answer(field, stated)
    known = terms().msi.values[stated.value]
    return {"valueCodeableConcept": concept(coding("loinc", known), text=stated.value)}
