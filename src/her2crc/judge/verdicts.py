"""What every set says of each specimen and of the patient, side by side, never merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from her2crc.criteria.fields import Field
from her2crc.criteria.library import Knowledge
from her2crc.criteria.missing import missing_facts
from her2crc.criteria.run import Facts, Outcome, decide
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.patient import Patient, Specimen
from her2crc.model.quantity import Value
from her2crc.model.verdict import DECIDED, Agreement, SetVerdict, SpecimenVerdict

PATIENT_ORDER = ("positive", "equivocal", "indeterminate", "negative")
"""The first of these that any specimen has is the patient's; where none has, the set does not cover the patient."""


RESULTS = (
    *("ihc_score", "ish_ratio", "ish_her2_signals", "ish_her2_copies", "ish_cell_percent"),
    *("ngs_copies", "ngs_fold", "ngs_call"),
)
"""The facts that are a HER2 result of tissue, and not only a detail of one."""


class Judgement(msgspec.Struct, frozen=True):
    """Every set's verdict by set id."""

    criteria: dict[str, SetVerdict]


def judge(patient: Patient, facts: Mapping[str, Facts], knowledge: Knowledge) -> Judgement:
    """Apply every set to every specimen.

    Args:
        patient: the patient, for the order of the specimens.
        facts: the flat facts of each specimen by specimen id.
        knowledge: the sets and fields as of the wanted day.
    """
    by_specimen = {item.specimen_id: facts[item.specimen_id] for item in patient.specimens}
    verdicts = {item.id: judge_set(item, by_specimen, knowledge.fields) for item in knowledge.criteria.values()}
    return Judgement(verdicts)


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
    tissue = [item for item in patient.specimens if is_colorectal_tissue(item)]
    tested = [item for item in tissue if has_result(item)]
    return {
        **{name: verdict.status if verdict.status in DECIDED else None for name, verdict in judgement.criteria.items()},
        "highest_ihc_score": _highest_score(tissue, fields["ihc_score"]),
        "primary_tested": _any_at(tested, lambda item: item.site == "primary"),
        "metastasis_tested": _any_at(tested, is_metastasis),
        "any_positive": _any_positive(verdict.status for verdict in rules.values()),
        "any_discordant": any(verdict.discordant for verdict in rules.values()),
    }


def _highest_score(specimens: Sequence[Specimen], field: Field) -> int | None:
    """Return the highest score, unless a score that was stated but cannot be used might be higher."""
    scores = [item.ihc.ihc_score for item in specimens if item.ihc.ihc_score is not None]
    highest = max(scores, default=None)
    unsettled = any(field.name in item.unsettled for item in specimens)
    return None if unsettled and highest != field.maximum else highest


def is_colorectal_tissue(specimen: Specimen) -> bool:
    """Tell whether a specimen can speak of the colorectal tumour's tissue: no plasma, no other tumour."""
    return specimen.tumour in (None, "colorectal") and "plasma" not in (specimen.specimen_kind, specimen.site)


def has_result(specimen: Specimen) -> bool:
    """Tell whether a tissue specimen carries any HER2 result at all, be it an unusable one."""
    facts: dict[str, object] = {}
    for part in (specimen.ihc, specimen.ish, specimen.tissue):
        facts |= msgspec.structs.asdict(part)
    return any(facts[name] is not None or name in specimen.unsettled for name in RESULTS)


def _any_positive(statuses: Iterable[str]) -> bool | None:
    """Whether a rule is positive; None where none is decided at all."""
    decided = set(statuses) & set(DECIDED)
    return "positive" in decided if decided else None


def _any_at(tested: Sequence[Specimen], place: Callable[[Specimen], bool]) -> bool | None:
    """Whether a tested specimen is from that place; None where only one of unknown site might be."""
    if any(place(item) for item in tested):
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
    if outcome.applies is False:
        return f"This set judges {criteria.judges} of a {criteria.tumour} tumour and does not apply to this specimen."
    return f"Open until known: {', '.join(missing)}."
