"""Ways in which an answer could be wrong without anybody noticing: each was found by trying, and stays closed."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from her2crc.criteria.library import Knowledge
from her2crc.flow import assess, load_knowledge, normalise_record
from her2crc.model.record import PatientRecord, SpecimenRow
from her2crc.model.verdict import Assessment
from her2crc.read import read_bytes

THERAPY: dict[str, Any] = {
    "ras": "wild_type",
    "braf_v600e": "wild_type",
    "metastatic": "true",
    "lines_of_therapy": 2,
    "progressed_on_standard": "true",
}


@pytest.fixture(scope="module")
def known() -> Knowledge:
    return load_knowledge(date(2026, 11, 22))


def answered(known: Knowledge, *specimens: dict[str, Any], **patient: Any) -> Assessment:
    rows = tuple(SpecimenRow(f"t:{n}", {"specimen_id": f"A{n}", **row, **patient}) for n, row in enumerate(specimens))
    return assess(normalise_record(PatientRecord("P", rows), known), known)


def decided(answer: Assessment) -> set[str]:
    rules = (verdict for verdict in answer.criteria.values() if verdict.role == "rule")
    return {verdict.status for verdict in rules} & {"positive", "negative"}


@pytest.mark.parametrize("written", ["1,000", "1.000", "12,345", "1,250,000"])
def test_digits_grouped_in_thousands_are_not_taken_for_a_small_number(known: Knowledge, written: str) -> None:
    row = {"ihc_score": 2, "ihc_percent": 80, "ish_her2_signals": written, "ish_cep17_signals": 200}
    answer = answered(known, row, tumour="colorectal")
    assert [issue.field for issue in answer.errors] == ["ish_her2_signals"]
    assert "negative" not in decided(answer)


def test_ids_that_only_look_like_spreadsheet_numbers_stay_apart() -> None:
    table = b"patient_id,specimen_id,ihc_score\nP1.0,A,3\nP1,A,0\n7.0,A,3\n7,A,3\n"
    assert [record.patient_id for record in read_bytes(table, "t.csv")] == ["P1.0", "P1", "7"]


@pytest.mark.parametrize(("ratio", "means"), [("1.5", ("3.0", "2.0")), ("3.0", ("2.2", "2.0"))])
def test_a_ratio_in_conflict_with_its_counts_is_not_rebuilt_from_the_means(
    known: Knowledge, ratio: str, means: tuple[str, str]
) -> None:
    counts = {"ish_her2_signals": 300, "ish_cep17_signals": 100} if ratio == "1.5" else {}
    counts = counts or {"ish_her2_signals": 110, "ish_cep17_signals": 100}
    row = {"ihc_score": 2, "ihc_percent": 80, "ish_ratio": ratio, "ish_cell_percent": 60, **counts}
    answer = answered(known, {**row, "ish_her2_copies": means[0], "ish_cep17_copies": means[1]})
    assert answer.criteria["csco_article"].status == answer.criteria["s1613"].status == "indeterminate"


@pytest.mark.parametrize(
    "rows",
    [
        ({"tumour": "colorectal", "ihc_score": 0}, {"tumour": "gastric"}),
        ({"site": "primary", "specimen_kind": "plasma", "ihc_score": 0},),
    ],
)
def test_a_tumour_or_material_in_dispute_is_decided_by_no_rule(
    known: Knowledge, rows: tuple[dict[str, Any], ...]
) -> None:
    answer = answered(known, *({"specimen_id": "X", **row} for row in rows))
    assert not decided(answer)
    assert {"tumour", "specimen_kind"} & set(answer.criteria["s1613"].specimens["X"].missing)


@pytest.mark.parametrize("other", [{"tumour": "breast"}, {"site": "plasma", "specimen_kind": "plasma"}])
def test_a_score_of_another_tumour_or_of_plasma_opens_no_treatment(known: Knowledge, other: dict[str, str]) -> None:
    colon = {"tumour": "colorectal", "site": "primary", "specimen_kind": "resection", "ihc_score": 0}
    answer = answered(known, colon, {"ihc_score": 3, "ihc_percent": 90, **other}, **THERAPY)
    assert {action.id: action.fits for action in answer.actions}["tdxd_label"] is False


@pytest.mark.parametrize(("call", "copies"), [("amplified", 3), ("not_amplified", 60)])
def test_a_call_that_its_copies_contradict_decides_nothing(known: Knowledge, call: str, copies: int) -> None:
    answer = answered(
        known, {"ihc_score": 0, "ngs_call": call, "ngs_copies": copies, "tumour_purity": "0.9"}, **THERAPY
    )
    for name in ("singh_2024", "mountaineer", "mypathway"):
        assert answer.criteria[name].status == "indeterminate", name
    assert "call_and_copies" in {issue.id for issue in answer.warnings}


def test_hybridisation_without_control_signals_was_done_but_says_nothing(known: Knowledge) -> None:
    row = {"ihc_score": 2, "ihc_percent": 70, "ish_her2_signals": 100, "ish_cep17_signals": 0, "ish_nuclei": 20}
    assert answered(known, row).criteria["s1613"].status == "indeterminate"


def test_an_unusable_result_still_means_that_the_site_was_tested(known: Knowledge) -> None:
    answer = answered(known, {"site": "primary", "ihc_score": 7}, **THERAPY)
    assert "primary" not in answer.concordance.untested_sites


def test_a_distant_specimen_contradicts_disease_that_is_not_metastatic(known: Knowledge) -> None:
    answer = answered(known, {"site": "liver", "ihc_score": 3}, metastatic="false", ras="wild_type")
    assert answer.testing.recommended is None


def test_an_old_answer_holds_nothing_that_came_later() -> None:
    then = date(2024, 6, 1)
    old = load_knowledge(then)
    answer = answered(old, {"ihc_score": 3, "ihc_percent": 90, "site": "primary"}, **THERAPY)
    years = {name: reference.year or 0 for name, reference in old.references.items()}
    shown = [item for action in answer.actions for item in (*action.evidence, *action.approvals)]
    assert shown and all(years[cited.ref] <= then.year for item in shown for cited in item.cite)
    assert all(item.on <= then.isoformat() for action in answer.actions for item in action.approvals)


def test_methods_that_contradict_each_other_on_one_specimen_are_said(known: Knowledge) -> None:
    stained = {"ihc_score": 3, "ihc_percent": 90, "ish_ratio": 1, "ish_her2_copies": 2, "ish_cell_percent": 0}
    answer = answered(known, {**stained, "ngs_copies": 2, "tumour_purity": "0.9"}, tumour="colorectal")
    found = {(item.first, item.second): item.concordant for item in answer.concordance.comparisons}
    assert found[("A0 by staining", "A0 by hybridisation (sun_2023)")] is False
    assert found[("A0 by staining", "A0 by sequencing (cenaj_2019)")] is False
    assert found[("A0 by hybridisation", "A0 by sequencing (cenaj_2019)")] is True
