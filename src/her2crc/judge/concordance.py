"""How specimens and methods of one patient agree under each set, and which sites have no result yet (S12-S16, S25)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from her2crc.criteria.library import Knowledge
from her2crc.judge.verdicts import Judgement, has_result, is_metastasis
from her2crc.model.patient import Patient, Specimen
from her2crc.model.verdict import DECIDED, Comparison

METHODS = {"ihc_ish": "staining", "ish": "hybridisation", "copies": "sequencing"}
"""What a rule of one method rests on; rules that take any method compare nothing."""


def compare_specimens(patient: Patient, judgement: Judgement, knowledge: Knowledge) -> tuple[Comparison, ...]:
    """Compare every two tissue specimens under each set, the methods used on each specimen, and tissue with plasma."""
    tissue = [item for item in patient.specimens if item.specimen_kind != "plasma"]
    pairs = [pair for pair in combinations(tissue, 2) if all(map(has_result, pair))]
    between = [comparison for pair in pairs for comparison in _compare_pair(*pair, judgement)]
    methods = [item for specimen in tissue for item in _compare_methods(specimen.specimen_id, judgement, knowledge)]
    return (*between, *methods, *_compare_plasma(judgement, knowledge))


def untested_sites(patient: Patient) -> tuple[str, ...]:
    """Return the sites that have no HER2 result: those of specimens without one, the primary, and a metastasis.

    Where there is tissue of unknown site, or none of it has a result, the primary and a metastasis are not asked for
    beside it; where there is no tissue at all, they are.
    """
    tissue = [item for item in patient.specimens if item.specimen_kind != "plasma"]
    tested = [item for item in tissue if has_result(item)]
    covered = {item.site for item in tested}
    untested = [item.site for item in tissue if item.site not in (None, *covered)]
    if (tested or not tissue) and not any(item.site is None for item in tested):
        untested += _sites_missing(tissue, patient)
    return tuple(dict.fromkeys(site for site in untested if site))


def _sites_missing(tissue: Sequence[Specimen], patient: Patient) -> Iterator[str]:
    if not any(item.site == "primary" for item in tissue):
        yield "primary"
    if patient.history.metastatic and not any(map(is_metastasis, tissue)):
        yield "metastasis"


def _compare_pair(first: Specimen, second: Specimen, judgement: Judgement) -> Iterator[Comparison]:
    for set_id, verdict in judgement.criteria.items():
        one, two = (verdict.specimens[item.specimen_id].status for item in (first, second))
        if verdict.role != "rule" or "not_covered" in (one, two) or not {one, two} & set(DECIDED):
            continue
        concordant = one == two if one in DECIDED and two in DECIDED else None
        kind = _kind(first, second)
        yield Comparison(kind, set_id, first.specimen_id, second.specimen_id, one, two, concordant)


def _kind(first: Specimen, second: Specimen) -> str:
    metastases = is_metastasis(first) + is_metastasis(second)
    if metastases == 1 and "primary" in (first.site, second.site):
        return "primary_metastasis"
    if all(map(is_metastasis, (first, second))):
        return "metastases"
    return "primary" if first.site == second.site == "primary" else "site_unknown"


def _compare_methods(specimen: str, judgement: Judgement, knowledge: Knowledge) -> Iterator[Comparison]:
    """Compare what rules on staining, on hybridisation alone and on copies say of one specimen, where both decide."""
    decided = {
        name: verdict.specimens[specimen].status
        for name, verdict in judgement.criteria.items()
        if verdict.role == "rule" and verdict.specimens[specimen].status in DECIDED
    }
    for one, two in combinations(decided, 2):
        first, second = (METHODS.get(knowledge.criteria[name].method) for name in (one, two))
        if first and second and first != second and knowledge.criteria[two].judges == "tissue":
            places = (f"{specimen} by {first}", f"{specimen} by {second} ({two})")
            same = decided[one] == decided[two]
            yield Comparison("methods", one, *places, decided[one], decided[two], same)


def _compare_plasma(judgement: Judgement, knowledge: Knowledge) -> Iterator[Comparison]:
    rules = {name: verdict for name, verdict in judgement.criteria.items() if verdict.role == "rule"}
    plasma = [name for name in rules if knowledge.criteria[name].judges == "plasma"]
    for name in plasma:
        for other in rules:
            one, two = rules[other].status, rules[name].status
            if other not in plasma and one in DECIDED and two in DECIDED:
                yield Comparison("tissue_plasma", f"{other} | {name}", other, name, one, two, one == two)
