"""The summary counts the rules without merging them, and leaves no negative to stand alone."""

from collections.abc import Callable

import pytest

from her2crc.criteria.library import Knowledge
from her2crc.model.verdict import Assessment
from her2crc.report.summary import negative_note, rules_by_status, summarise, summarise_plainly

Answer = Callable[..., Assessment]
CLEAR = {"ihc_score": 3, "ihc_percent": 90, "ihc_pattern": "complete", "site": "primary"}
ZERO = {"ihc_score": 0, "site": "primary"}
POLYSOMY = {
    "site": "primary",
    "ihc_score": 2,
    "ihc_percent": 70,
    "ish_her2_signals": 144,
    "ish_cep17_signals": 90,
    "ish_nuclei": 20,
    "ish_cell_percent": 12,
}


def text_of(assessment: Assessment, knowledge: Knowledge) -> str:
    return " ".join(summarise(assessment, knowledge))


@pytest.mark.parametrize("specimens", [[CLEAR], [ZERO], [POLYSOMY], [ZERO, {**CLEAR, "site": "liver"}], []])
def test_the_counts_are_those_of_the_agreement(answer: Answer, specimens: list[dict[str, object]]) -> None:
    assessment = answer(*specimens, metastatic=True)
    found = rules_by_status(assessment)
    for status, names in found.items():
        of_rules = [name for name in getattr(assessment.agreement, status) if assessment.criteria[name].role == "rule"]
        assert names == of_rules
    assert all("breast_2018" not in names for names in found.values())


def test_a_clear_case(answer: Answer, knowledge: Knowledge) -> None:
    assessment = answer(CLEAR)
    text = text_of(assessment, knowledge)
    assert f"{len(rules_by_status(assessment)['positive'])} say positive" in text
    assert "negative" not in text


def test_the_rules_that_differ_are_named(answer: Answer, knowledge: Knowledge) -> None:
    text = text_of(answer(POLYSOMY), knowledge)
    assert "1 says positive" in text
    assert "The rules differ on S1: positive under “Sun 2023, hybridisation alone” and negative under" in text


def test_specimens_that_differ_are_said(answer: Answer, knowledge: Knowledge) -> None:
    assessment = answer(ZERO, {**CLEAR, "site": "liver"})
    differ = [name for name in assessment.concordance.discordant_sets if assessment.criteria[name].role == "rule"]
    assert f"The specimens differ under {len(differ)} rules: one is positive, another negative." in text_of(
        assessment, knowledge
    )


@pytest.mark.parametrize("specimen", [ZERO, POLYSOMY, {"ihc_score": 1}])
@pytest.mark.parametrize("metastatic", [True, None])
def test_a_negative_never_stands_alone(
    answer: Answer, knowledge: Knowledge, specimen: dict[str, object], metastatic: bool | None
) -> None:
    assessment = answer(specimen, metastatic=metastatic)
    assert rules_by_status(assessment)["negative"]
    assert "Negative here holds for what was tested and is not the last word" in text_of(assessment, knowledge)


def test_untested_sites_are_noted_only_beside_a_negative(answer: Answer) -> None:
    assert negative_note(answer(ZERO, metastatic=True)) == "metastasis"
    assert negative_note(answer(CLEAR, metastatic=True)) == ""
    assert negative_note(answer({"plasma_copies": 2, "site": "plasma"}, metastatic=True)) == ""


def test_nothing_entered_is_not_negative(answer: Answer, knowledge: Knowledge) -> None:
    for text in (text_of(answer(), knowledge), " ".join(summarise_plainly(answer()))):
        assert "entered" in text
        assert "negative" not in text


def test_problems_are_counted(answer: Answer, knowledge: Knowledge) -> None:
    text = text_of(
        answer({"ihc_score": "four", "ish_ratio": 2.5, "ish_her2_signals": 8, "ish_cep17_signals": 6}), knowledge
    )
    assert "The input has 2 problems" in text


@pytest.mark.parametrize("specimens", [[CLEAR], [POLYSOMY], [ZERO, {**CLEAR, "site": "liver"}], []])
def test_the_plain_summary_has_no_jargon_and_no_advice(
    answer: Answer, knowledge: Knowledge, specimens: list[dict[str, object]]
) -> None:
    text = " ".join(summarise_plainly(answer(*specimens, metastatic=True)))
    for word in ("ISH", "IHC", "indeterminate", "equivocal", "CEP17", "ratio", "should", *knowledge.criteria):
        assert word not in text
    assert "no recommendation" in text


def test_the_plain_summary_says_the_same_counts(answer: Answer) -> None:
    assessment = answer(ZERO, {**CLEAR, "site": "liver"})
    text = " ".join(summarise_plainly(assessment))
    assert f"{len(rules_by_status(assessment)['positive'])} rules say: a lot of HER2" in text
    assert "results of 2 samples" in text
    assert "in one sample and not in another" in text
    met = sum(action.fits is True for action in assessment.actions)
    assert f"meet all conditions of {met or 'none'}" in text
