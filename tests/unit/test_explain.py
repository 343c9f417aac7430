"""The explanation of a verdict: complete, true, and in words that a pathologist uses."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest

from her2crc.criteria.cache import load_editions
from her2crc.criteria.cases import boundary_cases
from her2crc.criteria.explain import Explanation, Reason, explain, explain_set
from her2crc.criteria.nodes import And, Compare, CompareRatio, IsNull, IsTrue, Node, Not, OneOf, Or, to_text
from her2crc.criteria.parse import parse_condition
from her2crc.criteria.run import decide, evaluate
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.quantity import UNSETTLED, Ratio
from her2crc.normalise import derive_facts

EDITIONS = load_editions()
FIELDS = EDITIONS.fields
SETS = {criteria.id: criteria for criteria in EDITIONS.sets}
HERACLES = SETS["heracles_2015"]


def lines_of(set_id: str, **facts: object) -> list[str]:
    return explain(SETS[set_id], facts, FIELDS).splitlines()  # type: ignore[arg-type]


def test_the_row_that_decided_comes_with_its_sentence_its_source_and_its_reasons() -> None:
    lines = lines_of("heracles_2015", ihc_score=2, ihc_percent=Decimal(60))
    assert lines[0] == "HERACLES Diagnostic Criteria (Valtorta 2015, Table 3): equivocal"
    assert lines[1] == "  Decided by"
    assert lines[2].startswith("    two_plus_awaits_ish: Moderate staining in at least 50 %")
    assert lines[2].endswith("[valtorta2015, Table 3]")
    assert "        HER2 score by immunohistochemistry: 2 (asked: 2); holds" in lines
    assert "        percent of tumour cells staining at that score: 60 % (asked: at least 50); holds" in lines
    assert "        HER2/CEP17 ratio: not reported (asked: not reported); holds" in lines


def test_a_row_is_ruled_out_by_what_rules_it_out_alone() -> None:
    lines = lines_of("s1613", ihc_score=2, ish_ratio=Ratio(Decimal(30), Decimal(10)))
    at = lines.index("    three_plus (positive)")
    assert lines[at + 1] == "      HER2 score by immunohistochemistry: 2 (asked: 3); does not hold"
    assert lines[at + 2].startswith("    two_plus_ish_negative")
    assert lines[at + 3] == "      HER2/CEP17 ratio: 3.00 (asked: at most 2.0); does not hold"


def test_what_is_missing_is_named_and_open_rows_say_why() -> None:
    lines = lines_of("heracles_2015", ihc_score=3)
    assert lines[0].endswith(": indeterminate")
    assert "  Left open" in lines
    assert "      percent of tumour cells staining at that score: not reported (asked: at least 50); open" in lines
    assert lines[-1].startswith("  Would decide: percent of tumour cells staining at that score")


def test_a_fact_that_cannot_be_used_is_not_said_to_be_absent() -> None:
    text = explain(SETS["triumph"], {"ihc_score": 3, "ihc_percent": UNSETTLED}, FIELDS)
    assert "percent of tumour cells staining at that score: stated, but unusable (asked: above 10); open" in text
    assert "unusable %" not in text


def test_a_ratio_just_below_its_threshold_is_not_shown_as_the_threshold() -> None:
    text = explain(HERACLES, {"ihc_score": 2, "ish_ratio": Ratio(Decimal(599), Decimal(300))}, FIELDS)
    assert "HER2/CEP17 ratio: 2.00 (599 / 300) (asked: below 2.0); holds" in text


def test_a_set_that_does_not_apply_says_why() -> None:
    lines = lines_of("csco_article", ihc_score=3, tumour="breast")
    assert lines[:2] == [
        "CSCO rule as the source article reports it: not covered",
        "  It judges tissue of a colorectal tumour and does not apply here:",
    ]
    assert any("which tumour the specimen is from: breast (asked: colorectal); does not hold" in line for line in lines)


def test_a_set_whose_text_was_not_seen_says_so() -> None:
    assert lines_of("tapur", ihc_score=3)[1] == f"  {SETS['tapur'].summary}"


def test_rows_that_hold_beside_the_deciding_one_are_listed() -> None:
    facts = {"ihc_score": 3, "ish_ratio": Ratio(Decimal(5), Decimal(1))}
    text = explain(SETS["mountaineer"], facts, FIELDS)
    assert "  Holds as well\n    ish_positive (positive)" in text


def reasons_of(reason: Reason) -> Iterator[Reason]:
    yield reason
    for part in reason.reasons:
        yield from reasons_of(part)


@pytest.mark.parametrize("criteria", [item for item in SETS.values() if item.rows], ids=lambda item: item.id)
def test_every_explanation_tells_what_the_interpreter_found(criteria: CriteriaSet) -> None:
    for case in list(boundary_cases(criteria, FIELDS, derive_facts, most=300))[:600]:
        outcome, explained = decide(criteria, case), explain_set(criteria, case, FIELDS)
        assert isinstance(explained, Explanation)
        assert explained.status == outcome.status
        assert explained.decided_by == (outcome.row.id if outcome.row else None)
        for row, said in zip(criteria.rows, explained.rows, strict=True):
            assert said.value is said.reason.value is evaluate(row.when, case)
            assert all(part.value is said.value for part in reasons_of(said.reason))
            assert all(part.reasons or "(asked: " in part.text for part in reasons_of(said.reason))


SCORE_3, SCORE_2 = Compare("ihc_score", "=", Decimal(3)), Compare("ihc_score", "=", Decimal(2))
WORDS: list[tuple[Node, str]] = [
    (SCORE_3, "HER2 score by immunohistochemistry: 2 (asked: 3); does not hold"),
    (Not(SCORE_3), "HER2 score by immunohistochemistry: 2 (asked: other than 3); holds"),
    (
        Compare("ihc_percent", "<=", Decimal(10)),
        "percent of tumour cells staining at that score: not reported (asked: at most 10); open",
    ),
    (
        Not(Compare("ihc_percent", "<=", Decimal(10))),
        "percent of tumour cells staining at that score: not reported (asked: above 10); open",
    ),
    (
        IsNull("ihc_percent"),
        "percent of tumour cells staining at that score: not reported (asked: not reported); holds",
    ),
    (
        Not(IsNull("ihc_percent")),
        "percent of tumour cells staining at that score: not reported (asked: reported); does not hold",
    ),
    (IsTrue("metastatic"), "metastatic disease: yes (asked: yes); holds"),
    (Not(IsTrue("metastatic")), "metastatic disease: yes (asked: no); does not hold"),
    (
        OneOf("ihc_pattern", ("complete", "lateral")),
        "pattern of membrane staining: lateral (asked: complete or lateral); holds",
    ),
    (Not(OneOf("ihc_pattern", ("complete",))), "pattern of membrane staining: lateral (asked: not complete); holds"),
    (
        Not(OneOf("ihc_pattern", ("complete", "lateral"))),
        "pattern of membrane staining: lateral (asked: neither complete nor lateral); does not hold",
    ),
    (
        CompareRatio("ngs_copies", "tumour_purity", ">=", Decimal("2.2")),
        "absolute ERBB2 copies as the laboratory reported them: 6.6 copies; "
        "fraction of tumour cells in the sequenced tissue: 0.5 (asked: their quotient at least 2.2); holds",
    ),
    (And((SCORE_2, IsTrue("metastatic"))), "all of these hold"),
    (Not(And((SCORE_2, IsTrue("metastatic")))), "none of these holds"),
    (Or((SCORE_2, IsTrue("metastatic"))), "one is enough; these hold"),
    (Not(Or((SCORE_2, IsTrue("metastatic")))), "not all hold; these do not"),
]


@pytest.mark.parametrize(("node", "said"), WORDS, ids=[to_text(node) for node, _ in WORDS])
def test_each_kind_of_condition_has_its_words(node: Node, said: str) -> None:
    facts = {
        "ihc_score": 2,
        "ihc_pattern": "lateral",
        "metastatic": True,
        "ngs_copies": Decimal("6.6"),
        "tumour_purity": Decimal("0.5"),
    }
    reason = explain_set(with_row(node), facts, FIELDS).rows[0].reason
    assert reason.text == said
    assert parse_condition(to_text(node), FIELDS)


def with_row(node: Node) -> CriteriaSet:
    row = msgspec.structs.replace(HERACLES.rows[0], when=node)
    return msgspec.structs.replace(HERACLES, rows=(row,))
