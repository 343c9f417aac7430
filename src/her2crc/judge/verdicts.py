"""What every set says of each specimen and of the patient, side by side, never merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.library import Knowledge
from her2crc.criteria.missing import missing_facts
from her2crc.criteria.run import Facts, Outcome, decide
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.patient import Patient, Specimen
from her2crc.model.quantity import Value
from her2crc.model.verdict import Agreement, SetVerdict, SpecimenVerdict

DECIDED = ("positive", "negative")
PATIENT_ORDER = ("positive", "equivocal", "indeterminate", "negative")
"""The first of these that any specimen has is the patient's; where none has, the set does not cover the patient."""


class Judgement(msgspec.Struct, frozen=True):
    """Every set's verdict by set id, and the facts of each specimen that it was based on."""

    criteria: dict[str, SetVerdict]
    facts: dict[str, Facts]


def judge(patient: Patient, facts: Mapping[str, Facts], knowledge: Knowledge) -> Judgement:
    """Apply every set to every specimen.

    Args:
        patient: the patient, for the order of the specimens.
        facts: the flat facts of each specimen by specimen id.
        knowledge: the sets and fields as of the wanted day.
    """
    by_specimen = {item.specimen_id: facts[item.specimen_id] for item in patient.specimens}
    verdicts = {item.id: judge_set(item, by_specimen, knowledge.fields) for item in knowledge.criteria.values()}
    return Judgement(verdicts, dict(by_specimen))


def judge_set(criteria: CriteriaSet, by_specimen: Mapping[str, Facts], fields: Mapping[str, Field]) -> SetVerdict:
    """Apply one set to every specimen and to the patient. Without a specimen, the empty case is judged."""
    specimens = {name: _specimen_verdict(criteria, facts, fields) for name, facts in by_specimen.items()}
    statuses: list[str] = [item.status for item in specimens.values()] or [decide(criteria, {}).status]
    return SetVerdict(
        status=patient_status(statuses),
        discordant=set(DECIDED) <= set(statuses),
        specimens=specimens,
        name=criteria.name,
        role=criteria.role,
        confidence=criteria.confidence,
        review_state=criteria.review_state,
        effective=criteria.effective,
        effective_precision=criteria.effective_precision,
        origin=criteria.origin,
    )


def patient_status(statuses: Iterable[str]) -> Any:
    """Return the patient's status from those of the specimens."""
    seen = set(statuses)
    return next((status for status in PATIENT_ORDER if status in seen), "not_covered")


def agreement_of(criteria: Mapping[str, SetVerdict]) -> Agreement:
    """Sort the sets by what they say of the patient; contrast sets are left out."""
    sorted_ids: dict[str, list[str]] = {name: [] for name in Agreement.__struct_fields__}
    for set_id, verdict in criteria.items():
        if verdict.role != "contrast":
            sorted_ids[verdict.status].append(set_id)
    return Agreement(**{name: tuple(ids) for name, ids in sorted_ids.items()})


def judged_facts(patient: Patient, judgement: Judgement, fields: Mapping[str, Field]) -> dict[str, Value | None]:
    """Return what the verdicts add to the patient's facts, for eligibility, actions and caveats.

    A set's field is its status where it is positive or negative, and unknown otherwise: what a set leaves open
    must not count as "not positive".
    """
    rules = {name: verdict for name, verdict in judgement.criteria.items() if verdict.role == "rule"}
    tested = [item for item in patient.specimens if has_result(item)]
    return {
        **{name: verdict.status if verdict.status in DECIDED else None for name, verdict in judgement.criteria.items()},
        "highest_ihc_score": _highest_score(patient.specimens, fields["ihc_score"]),
        "primary_tested": any(item.site == "primary" for item in tested),
        "metastasis_tested": _any_metastasis(tested),
        "any_positive": any(verdict.status == "positive" for verdict in rules.values()),
        "any_discordant": any(verdict.discordant for verdict in rules.values()),
    }


def _highest_score(specimens: Sequence[Specimen], field: Field) -> int | None:
    """Return the highest score, unless a score that was stated but cannot be used might be higher."""
    scores = [item.ihc.ihc_score for item in specimens if item.ihc.ihc_score is not None]
    highest = max(scores, default=None)
    unsettled = any(field.name in item.unsettled for item in specimens)
    return None if unsettled and highest != field.maximum else highest


def has_result(specimen: Specimen) -> bool:
    """Tell whether a tissue specimen carries any HER2 result at all."""
    tissue, ish = specimen.tissue, specimen.ish
    known = (specimen.ihc.ihc_score, ish.ish_ratio, ish.ish_her2_signals, ish.ish_her2_copies)
    known += (tissue.ngs_copies, tissue.ngs_fold, tissue.ngs_call)  # type: ignore[assignment]
    return any(value is not None for value in known)


def _any_metastasis(tested: Sequence[Specimen]) -> bool | None:
    if any(is_metastasis(item) for item in tested):
        return True
    return None if any(item.site is None for item in tested) else False


def is_metastasis(specimen: Specimen) -> bool:
    """Tell whether a specimen is known to be tissue of a metastasis."""
    return specimen.site is not None and specimen.site not in ("primary", "plasma")


def _specimen_verdict(criteria: CriteriaSet, facts: Facts, fields: Mapping[str, Field]) -> SpecimenVerdict:
    outcome = decide(criteria, facts)
    missing = missing_facts(criteria, facts, outcome, fields)
    row = outcome.row
    return SpecimenVerdict(
        status=outcome.status,  # type: ignore[arg-type]  # rows and sets hold only known statuses
        row=row.id if row else None,
        missing=missing,
        cite=row.cite if row else criteria.cite,
        why=row.says if row else _why_open(criteria, outcome, missing),
    )


def _why_open(criteria: CriteriaSet, outcome: Outcome, missing: tuple[str, ...]) -> str:
    if not criteria.rows:
        return criteria.summary
    if not outcome.applies:
        return f"This set judges {criteria.judges} of a {criteria.tumour} tumour and does not apply to this specimen."
    return f"Open until known: {', '.join(missing)}."
