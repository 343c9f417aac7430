"""Specimen resources into the descriptive columns of the specimen table: where, how, when, of which tumour."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from her2crc.read.fhir_case import FLUID, PLASMA, TISSUE, Case, is_dropped
from her2crc.read.fhir_codes import REMEMBERED, codebook
from her2crc.read.fhir_resources import Collection, Concept, Period, Resource, concepts, many
from her2crc.read.fhir_values import meanings

DAY, YEAR = len("2026-01-31"), len("2026")
COLORECTAL, PRIMARY, OTHER = "colorectal", "primary", "other"


def read_specimens(case: Case, tumour: str | None) -> None:
    """Read every specimen of a patient whose diagnoses name ``tumour`` (None: unknown, or more than one)."""
    for specimen in case.of_type("Specimen"):
        case.check(specimen)
        name, place = case.directory.name_of(specimen), case.place(specimen)
        if is_dropped(specimen, "Specimen"):
            case.void.add(name)
            case.draft.note("fhir_status_not_used", place, specimen=name, what=specimen.status or "")
            continue
        case.draft.add_specimen(name, place)
        _read_one(case, specimen, name, place, tumour)


def read_body_site(case: Case, site: Concept, name: str, place: str, tumour: str | None) -> None:
    """Read a body site into the site of a specimen and, for a colorectal primary, the side of the patient's tumour."""
    found = clear_meaning(case, site, "site", name, place)
    if found is None or (found == PRIMARY and tumour not in (None, COLORECTAL)):
        return
    case.sited.add(name)
    case.matrix.setdefault(name, TISSUE)
    case.draft.give(place, "site", found, name)
    if found == PRIMARY:
        read_side(case, site, place)


def read_side(case: Case, site: Concept, place: str) -> None:
    """Read the side of a colorectal primary; the transverse colon counts as right by convention, and it is said so."""
    side = clear_meaning(case, site, "side", "", place)
    if side == "right_by_convention":
        case.draft.note("fhir_side_by_convention", place, field="side")
        side = "right"
    if side:
        case.draft.give(place, "side", side)


def clear_meaning(case: Case, concept: Concept, name: str, specimen: str, place: str) -> str | None:
    """Return the one meaning of a concept; several become an issue, none is no news."""
    meant = meanings(concept, name)
    if len(meant) > 1:
        case.draft.note("fhir_answers_contradict", place, field=name, specimen=specimen, what=f"the {name}")
    return min(meant) if len(meant) == 1 else None


def _read_one(case: Case, specimen: Resource, name: str, place: str, tumour: str | None) -> None:
    collection = specimen.collection or Collection()
    _read_matrix(case, specimen, collection, name, place)
    _read_date(case, collection.collected_date_time or _began(collection.collected_period), name, place)
    site = stated_site(case, specimen, collection.body_site)
    if site is None:
        _read_lesion(case, specimen, name, place, tumour)
        return
    table = codebook().answers["organ"]
    for coding in site.coding:
        stated = table.of_coding(coding)  # a diagnosis code that stands as site, such as ICD-10 C16
        if stated not in (None, OTHER):
            tumour = stated
            case.with_tumour.add(name)
            case.draft.give(place, "tumour", stated, name)
    read_body_site(case, site, name, place, tumour)


def stated_site(case: Case, holder: Resource, site: Concept | None) -> Concept | None:
    """Return a body site as it is said in place, else that of the one BodyStructure it points to."""
    if site is None or site.coding or site.text or site.extension is None:
        return site
    ours = [item.value_reference for item in many(site.extension) if item.url == codebook().file.body_structure]
    found = [case.find(reference, "BodyStructure", holder) for reference in ours if reference is not None]
    sites = {place for lesion in found if lesion is not None for place in concepts(lesion.location)}
    return sites.pop() if len(sites) == 1 else None


def _read_lesion(case: Case, specimen: Resource, name: str, place: str, tumour: str | None) -> None:
    """Read the site of the one lesion whose identifier the specimen carries (mCODE: BodyStructureIdentifier)."""
    own = {item for item in many(specimen.identifier) if item.value}
    lesions = [item for item in case.of_type("BodyStructure") if own & set(many(item.identifier))]
    sites = {site for lesion in lesions for site in concepts(lesion.location)}
    if len(sites) == 1:
        read_body_site(case, sites.pop(), name, place, tumour)


def _read_matrix(case: Case, specimen: Resource, collection: Collection, name: str, place: str) -> None:
    said = [*concepts(specimen.type), *concepts(collection.method)]
    matrix = {value for concept in said for value in meanings(concept, "matrix")}
    kinds = {value for concept in said for value in meanings(concept, "specimen_kind")} - {""}
    if kinds:
        matrix.add(TISSUE)
    if FLUID in matrix:
        matrix = {TISSUE} if matrix == {FLUID, TISSUE} else {FLUID}  # cells of it, or nobody says what of it
    if len(matrix) > 1 or len(kinds) > 1:
        case.matrix[name] = ""
        case.draft.note(
            "fhir_answers_contradict", place, field="specimen_kind", specimen=name, what="the kind of specimen"
        )
        return
    for value in matrix:
        case.matrix[name] = value if case.matrix.get(name, value) == value else ""
    if matrix == {PLASMA}:
        case.sited.add(name)
        case.draft.give(place, "site", PLASMA, name)
        kinds = {PLASMA}
    for kind in kinds:
        case.draft.give(place, "specimen_kind", kind, name)


def _began(period: Period | None) -> str | None:
    """Return the day of a period of one day, of a longer one its year: on which day it was taken is not known."""
    if period is None or period.start is None:
        return None
    is_one_day = period.end is None or period.start[:DAY] == period.end[:DAY]
    return period.start if is_one_day else period.start[:YEAR]


def _read_date(case: Case, written: str | None, name: str, place: str) -> None:
    if written is None:
        return
    day = _day(written)
    if day is None:
        case.draft.note("fhir_date", place, field="collected_on", specimen=name)
    elif case.is_before_birth(day):
        case.draft.note("fhir_before_birth", place, field="collected_on", specimen=name)
    else:
        case.draft.give(place, "collected_on", day, name)


@lru_cache(maxsize=REMEMBERED)
def _day(written: str) -> str | None:
    """Return the full ISO day of a FHIR dateTime, None where it has none."""
    try:
        return date.fromisoformat(written.partition("T")[0]).isoformat()
    except ValueError:
        return None
