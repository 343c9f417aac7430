"""Judging: every set on every specimen, on the patient, and which facts would decide what is open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from her2crc.criteria.library import Knowledge
from her2crc.criteria.missing import missing_facts
from her2crc.criteria.run import decide, is_unknown
from her2crc.judge import judge, judged_facts, untested_sites
from her2crc.judge.verdicts import patient_status
from her2crc.model.patient import Patient
from her2crc.model.quantity import UNSETTLED
from her2crc.model.verdict import Assessment
from her2crc.normalise import derive_facts, specimen_facts

Build = Callable[..., Patient]
Answer = Callable[..., Assessment]

CLEAR = {"ihc_score": 3, "ihc_percent": 90, "ihc_pattern": "complete"}
UNCERTAIN = {"ihc_score": 2, "ihc_percent": 70}
LOW = {"ihc_score": 1, "ihc_percent": 30}
ORDER = ("positive", "equivocal", "indeterminate", "negative", "not_covered")


def added(patient: Patient, knowledge: Knowledge) -> dict[str, Any]:
    """What judging adds to the facts of a patient."""
    facts = {item.specimen_id: specimen_facts(item) for item in patient.specimens}
    return judged_facts(patient, judge(patient, facts, knowledge), knowledge.fields)


# ---- the patient


@pytest.mark.parametrize("statuses", list(product(ORDER, repeat=3)), ids=" ".join)
def test_the_first_status_in_order_is_the_patients(statuses: tuple[str, ...]) -> None:
    assert patient_status(statuses) == min(statuses, key=ORDER.index)


@pytest.mark.parametrize(
    ("specimens", "status", "discordant"),
    [
        ([CLEAR, LOW], "positive", True),
        ([CLEAR, UNCERTAIN], "positive", False),
        ([LOW, UNCERTAIN], "equivocal", False),
        ([LOW, {}], "indeterminate", False),
        ([LOW, LOW], "negative", False),
        ([LOW, {**CLEAR, "ihc_percent": 30}], "negative", False),  # the article is silent on the second
        ([{**CLEAR, "ihc_percent": 30}], "not_covered", False),
    ],
)
def test_specimens_make_the_patients_verdict(
    answer: Answer, specimens: list[dict[str, Any]], status: str, discordant: bool
) -> None:
    verdict = answer(*specimens).criteria["csco_article"]
    assert (verdict.status, verdict.discordant) == (status, discordant)
    assert list(verdict.specimens) == [f"S{number}" for number in range(1, len(specimens) + 1)]


def test_without_a_specimen_nothing_is_decided(answer: Answer, knowledge: Knowledge) -> None:
    answered = answer(metastatic="true", ras="wt")
    assert not (answered.agreement.positive or answered.agreement.negative or answered.agreement.equivocal)
    tissue = {name for name, item in knowledge.criteria.items() if item.rows and item.judges == "tissue"}
    assert {answered.criteria[name].status for name in tissue} == {"indeterminate"}
    assert all(item.specimens == {} for item in answered.criteria.values())


@pytest.mark.parametrize("tumour", ["breast", "gastric", "biliary"])
def test_colorectal_sets_say_nothing_of_another_tumour(answer: Answer, knowledge: Knowledge, tumour: str) -> None:
    answered = answer({**CLEAR, "tumour": tumour, "ish_ratio": 4, "ish_her2_copies": 9, "ngs_copies": 60})
    rules = {name for name, item in knowledge.criteria.items() if item.role == "rule"}
    assert {answered.criteria[name].status for name in rules} == {"not_covered"}
    assert answered.criteria["breast_2018"].status == "positive"
    assert "does not apply" in answered.criteria["s1613"].specimens["S1"].why


def test_tissue_sets_say_nothing_of_plasma_and_the_reverse(answer: Answer, knowledge: Knowledge) -> None:
    plasma = answer({"specimen_kind": "plasma", "plasma_copies": 20, "tumour_fraction": "40 %"}).criteria
    tissue = answer({**CLEAR, "specimen_kind": "biopsy"}).criteria
    for name, item in knowledge.criteria.items():
        other = plasma if item.judges == "tissue" else tissue
        assert other[name].status == "not_covered"
    assert plasma["guardant360_observed"].status == tissue["s1613"].status == "positive"


def test_the_agreement_sorts_every_set_but_the_contrast_sets_once(answer: Answer) -> None:
    answered = answer(CLEAR, {"ngs_copies": 5})
    statuses = answered.agreement.__struct_fields__
    sorted_sets = [(name, status) for status in statuses for name in getattr(answered.agreement, status)]
    expected = [(name, item.status) for name, item in answered.criteria.items() if item.role != "contrast"]
    assert sorted(sorted_sets) == sorted(expected)


def test_a_verdict_names_its_row_reason_and_source(answer: Answer) -> None:
    criteria = answer({**UNCERTAIN, "ish_ratio": 3, "ish_cell_percent": 70}).criteria
    decided = criteria["csco_article"].specimens["S1"]
    assert decided.row and decided.why and decided.cite and decided.missing == ()
    open_verdict = criteria["cenaj_2019"].specimens["S1"]
    assert open_verdict.row is None and open_verdict.missing == ("ngs_copies",) and "ngs_copies" in open_verdict.why


# ---- what would decide

VALUES: dict[str, tuple[Any, ...]] = {
    "ihc_score": (0, 1, 2, 3),
    "ihc_percent": tuple(map(Decimal, (1, 10, 20, 50, 60))),
    "specimen_kind": ("resection", "biopsy", "cytology"),
    "ish_ratio": tuple(map(Decimal, ("1.5", "2.0", "2.5"))),
    "ish_her2_copies": tuple(map(Decimal, (3, 5, 7))),
    "ish_cell_percent": tuple(map(Decimal, (20, 50, 60))),
    "ngs_copies": tuple(map(Decimal, (2, 5, 7, 9, 12))),
    "ngs_call": ("amplified", "not_amplified", "equivocal"),
    "tumour_purity": tuple(map(Decimal, ("0.1", "0.9"))),
    "plasma_copies": tuple(map(Decimal, (2, 40))),
    "tumour_fraction": tuple(map(Decimal, ("0.01", "0.5"))),
}
"""For each fact values on every side of the thresholds. A pattern that is not stated blocks nothing: it is left out."""

OPEN_CASES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "2+": {"ihc_score": 2},
    "3+": {"ihc_score": 3},
    "2+ in 70 %": {"ihc_score": 2, "ihc_percent": Decimal(70)},
    "3+ in 30 %": {"ihc_score": 3, "ihc_percent": Decimal(30)},
    "1+ with a contradictory ratio": {"ihc_score": 1, "ish_ratio": UNSETTLED},
    "2+ with a ratio": {"ihc_score": 2, "ihc_percent": Decimal(70), "ish_ratio": Decimal("2.6")},
    "2+ with a share of cells": {"ihc_score": 2, "ihc_percent": Decimal(70), "ish_cell_percent": Decimal(60)},
    "a ratio": {"ish_ratio": Decimal("1.5")},
    "few copies": {"ngs_copies": Decimal("2.5")},
    "few copies in 10 %": {"ngs_copies": Decimal("2.5"), "tumour_purity": Decimal("0.1")},
    "a fold change": {"ngs_fold": Decimal(4), "ihc_score": 1},
    "purity": {"tumour_purity": Decimal("0.4")},
    "few plasma copies": {"plasma_copies": Decimal("2.1")},
    "plasma fraction": {"specimen_kind": "plasma", "tumour_fraction": Decimal("0.4")},
}


def with_derived(facts: dict[str, Any]) -> dict[str, Any]:
    usable = {name: value for name, value in facts.items() if value is not UNSETTLED}
    return derive_facts(usable) | {name: UNSETTLED for name in facts if name not in usable}


def deciding_alone(criteria: Any, facts: dict[str, Any], status: str) -> Iterator[str]:
    """Yield each unknown fact of which some value alone changes an open answer into another."""
    for name, values in VALUES.items():
        tried = [decide(criteria, with_derived(facts | {name: value})).status for value in values]
        if is_unknown(facts.get(name)) and not set(tried) <= {"indeterminate", status}:
            yield name


@pytest.mark.parametrize("case", OPEN_CASES)
def test_missing_facts_are_just_those_that_would_decide(knowledge: Knowledge, case: str) -> None:
    """Each alone if any alone can; each of them unknown; none that changes nothing. Checked by trying all values."""
    facts = OPEN_CASES[case]
    seen_open = 0
    for criteria in knowledge.criteria.values():
        outcome = decide(criteria, with_derived(facts))
        missing = missing_facts(criteria, with_derived(facts), outcome, knowledge.fields)
        if outcome.status not in ("indeterminate", "equivocal"):
            assert missing == ()
            continue
        seen_open += 1
        if outcome.row is not None and outcome.row.needs:
            assert missing == outcome.row.needs
            continue
        alone = set(deciding_alone(criteria, facts, outcome.status))
        assert missing and all(is_unknown(facts.get(name)) for name in missing), criteria.id
        assert set(missing) == alone or (not alone and len(missing) > 1), (criteria.id, missing, alone)
    assert seen_open


# ---- what judging adds to the facts


def test_an_open_set_does_not_count_as_not_positive(patient_of: Build, knowledge: Knowledge) -> None:
    waiting = added(patient_of(UNCERTAIN), knowledge)
    assert waiting["s1613"] is waiting["esmo_2022"] is waiting["any_positive"] is None
    assert added(patient_of(CLEAR), knowledge)["s1613"] == "positive"
    assert added(patient_of(LOW), knowledge)["s1613"] == "negative"


@pytest.mark.parametrize(
    ("specimens", "highest"),
    [
        ([], None),
        ([{}], None),
        ([LOW, UNCERTAIN], 2),
        ([{"ihc_score": "2-3"}, LOW], None),  # what cannot be read might be a 3+
        ([{"ihc_score": "2-3"}, CLEAR], 3),  # nothing can be higher
    ],
)
def test_the_highest_score(
    patient_of: Build, knowledge: Knowledge, specimens: list[dict[str, Any]], highest: int | None
) -> None:
    assert added(patient_of(*specimens), knowledge)["highest_ihc_score"] == highest


@pytest.mark.parametrize(
    ("specimens", "primary", "metastasis"),
    [
        ([{"site": "primary", **LOW}], True, False),
        ([{"site": "liver", **LOW}], False, True),
        ([LOW], None, None),  # it may be of the primary or of a metastasis
        ([{"site": "primary"}], False, False),
        ([{"site": "plasma", "plasma_copies": 3}], False, False),
    ],
)
def test_which_sites_are_tested(
    patient_of: Build,
    knowledge: Knowledge,
    specimens: list[dict[str, Any]],
    primary: bool | None,
    metastasis: bool | None,
) -> None:
    found = added(patient_of(*specimens), knowledge)
    assert (found["primary_tested"], found["metastasis_tested"]) == (primary, metastasis)


@pytest.mark.parametrize(
    ("specimens", "untested"),
    [
        ([], ("primary", "metastasis")),
        ([{"site": "plasma", "plasma_copies": 3}], ("primary", "metastasis")),
        ([{"site": "primary", **LOW}], ("metastasis",)),
        ([{"site": "liver", **LOW}], ("primary",)),
        ([{"site": "liver", **LOW}, {"site": "primary"}], ("primary",)),
        ([{"site": "primary", **LOW}, {"site": "brain"}], ("brain",)),
        ([{"site": "primary", **LOW}, {"site": "lung", **LOW}, {"site": "lung"}], ()),
        ([{"site": "primary"}], ("primary",)),
        ([LOW], ()),
    ],
)
def test_untested_sites_of_metastatic_disease(
    patient_of: Build, specimens: list[dict[str, Any]], untested: tuple[str, ...]
) -> None:
    assert untested_sites(patient_of(*specimens, metastatic="true")) == untested


def test_no_metastasis_is_asked_for_where_none_is_known(patient_of: Build) -> None:
    assert untested_sites(patient_of({"site": "primary", **LOW})) == ()
    assert untested_sites(patient_of({"site": "primary", **LOW}, metastatic="false")) == ()


# ---- comparisons


def test_pairs_are_compared_under_each_rule(answer: Answer) -> None:
    answered = answer({"site": "primary", **LOW}, {"site": "liver", **CLEAR}, {"site": "lung", **UNCERTAIN})
    compared = {
        (item.first, item.second): (item.kind, item.concordant)
        for item in answered.concordance.comparisons
        if item.criteria == "s1613"
    }
    assert compared == {
        ("S1", "S2"): ("primary_metastasis", False),
        ("S1", "S3"): ("primary_metastasis", None),
        ("S2", "S3"): ("metastases", None),
    }
    assert "breast_2018" not in {item.criteria for item in answered.concordance.comparisons}


def test_tissue_and_plasma_are_compared_and_not_merged(answer: Answer) -> None:
    answered = answer({"site": "primary", **CLEAR}, {"plasma_copies": 2, "tumour_fraction": "30 %"})
    pairs = [item for item in answered.concordance.comparisons if item.kind == "tissue_plasma"]
    assert ("s1613", "guardant360_observed", False) in {(item.first, item.second, item.concordant) for item in pairs}
    assert answered.criteria["s1613"].discordant is answered.criteria["guardant360_observed"].discordant is False
