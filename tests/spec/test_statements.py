"""Every statement of the source article, by its number, as behaviour of the whole flow, with the dissent that is shown.

Rows about cohorts (S04 to S06, S17 to S19, S22, S23) belong to the cohort engine; here they are tested as far as one
patient shows them: the statement with its dissent, its counts, and the caveat of a single case.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from scipy.stats import beta

import her2crc
from her2crc.criteria.library import Knowledge
from her2crc.criteria.nodes import fields_of
from her2crc.flow import assess, read_patients
from her2crc.model.verdict import Action, Assessment, Caveat

Answer = Callable[..., Assessment]

TREATED = {
    "metastatic": "true",
    "ras": "wt",
    "braf_v600e": "wt",
    "lines_of_therapy": "2",
    "progressed_on_standard": "yes",
}
"""A patient whom every regimen after standard treatment could take, but for HER2."""
PRIMARY = {"site": "primary", "specimen_kind": "resection"}
LIVER = {"site": "liver", "specimen_kind": "biopsy"}
CLEAR = {"ihc_score": "3+", "ihc_percent": "90 %", "ihc_pattern": "basolateral"}
LOW = {"ihc_score": "1+", "ihc_percent": "40 %"}
UNCERTAIN = {"ihc_score": "2+", "ihc_percent": "70 %"}
AMPLIFIED = {**UNCERTAIN, "ish_ratio": "2.6", "ish_cell_percent": "62 %"}
STAINING_SETS = ("csco_article", "heracles_2015", "heracles_trial", "s1613", "triumph")
COPY_SETS = ("yeh_2019", "cenaj_2019", "strata_2019", "fujii_cnv")


def status(answered: Assessment, *sets: str) -> set[str]:
    return {answered.criteria[name].status for name in sets}


def caveat(answered: Assessment, name: str) -> Caveat | None:
    return next((item for item in answered.caveats if item.id == name), None)


def action(answered: Assessment, name: str) -> Action:
    return next(item for item in answered.actions if item.id == name)


def dissenting(knowledge: Knowledge, statement: str) -> set[str]:
    """The references that a statement's dissent cites; a dissent has a text and a date of its own source."""
    dissent = knowledge.statements[statement].dissent
    assert all(item.text and item.cite for item in dissent)
    return {citation.ref for item in dissent for citation in item.cite}


def exact_interval(events: int, total: int) -> tuple[str, str]:
    """Clopper-Pearson 95 %, in percent with one decimal."""
    low = beta.ppf(0.025, events, total - events + 1)
    high = beta.ppf(0.975, events + 1, total - events)
    return f"{100 * low:.1f}", f"{100 * high:.1f}"


# ---- whom to test, and when


def test_s01_tests_ras_wild_type_metastatic_disease(answer: Answer, knowledge: Knowledge) -> None:
    wanted = answer(metastatic="true", ras="wt").testing
    assert wanted.recommended is True
    mutant = answer(metastatic="true", ras="mutant").testing
    early = answer(metastatic="false", ras="wt").testing
    assert mutant.recommended is early.recommended is False
    assert "RAS wild-type" in mutant.reasons[0].text and "metastatic" in early.reasons[0].text
    assert {citation.ref for citation in wanted.reasons[0].cite} >= {"seed_article"}
    unknown = answer(PRIMARY, metastatic="true")
    assert (unknown.testing.recommended, unknown.testing.missing) == (None, ("ras",))
    assert unknown.next_tests[0].test == "ras"


def test_s01_shows_that_a_ras_mutant_three_plus_can_be_actionable(answer: Answer, knowledge: Knowledge) -> None:
    mutant = answer({**PRIMARY, **CLEAR}, **(TREATED | {"ras": "mutant"}))
    assert mutant.testing.recommended is False
    assert action(mutant, "tdxd_label").fits is True
    beside = {reason.source: reason.recommended for reason in mutant.testing.reasons}
    assert beside["tdxd_ras_any"] is True
    assert "crc02" in dissenting(knowledge, "S01")


def test_s02_timing_is_advice_and_actions_are_gated_by_line(answer: Answer, knowledge: Knowledge) -> None:
    first = answer({**PRIMARY, **CLEAR}, **(TREATED | {"lines_of_therapy": "0", "progressed_on_standard": "no"}))
    later = answer({**PRIMARY, **CLEAR}, **TREATED)
    assert first.testing.recommended is True, "testing at diagnosis is in order"
    assert not [item.id for item in first.actions if item.fits]
    assert action(later, "tdxd_label").fits is action(later, "tucatinib_trastuzumab_label").fits is True
    trial = action(first, "tucatinib_trastuzumab_mfolfox6_mountaineer03")
    assert trial.fits is None and "no result" in trial.setting, "its HER2 definition was not seen"
    advice = caveat(first, "first_line")
    assert advice is not None and "MOUNTAINEER-03" in advice.text
    assert dissenting(knowledge, "S02") == {"m03design"}


def test_s03_csco_waits_for_failure_beside_s01(answer: Answer) -> None:
    def sources(**about: str) -> dict[str, bool | None]:
        testing = answer(**about).testing
        return {reason.source: reason.recommended for reason in testing.reasons}

    failed = sources(metastatic="true", ras="wt", progressed_on_standard="true")
    before = sources(metastatic="true", ras="wt", progressed_on_standard="false")
    unknown = sources(metastatic="true", ras="wt")
    assert (failed["article"], failed["csco_after_failure"]) == (True, True)
    assert (before["article"], before["csco_after_failure"]) == (True, False)
    assert (unknown["article"], unknown["csco_after_failure"]) == (True, None)


def test_s04_prevalence_is_kept_as_counts_beside_the_article(knowledge: Knowledge) -> None:
    """The comparison of a cohort with these figures belongs to the cohort engine."""
    counts = knowledge.proportions
    ingold, plasma_paper = counts["ingold_all_stages"], counts["ctdna2019_metastatic"]
    assert (ingold.events, ingold.total) == (26, 1645) and (plasma_paper.events, plasma_paper.total) == (12, 351)
    assert (ingold.percent, plasma_paper.percent) == ("1.6", "3.4"), "the ends of the article's range"
    for item in (ingold, plasma_paper):
        assert item.interval == exact_interval(item.events, item.total)
    rates = knowledge.rates
    assert (rates["article_ras_wild_type_low"].percent, rates["article_ras_wild_type_high"].percent) == ("3", "5")
    pooled = [rates[name].percent for name in ("meta_overall", "meta_ras_wild_type", "meta_ras_mutant")]
    assert pooled == ["4.1", "6.1", "1.1"]
    assert "singh2024meta" in dissenting(knowledge, "S04")


@pytest.mark.parametrize(("side", "shown"), [("right", True), ("left", False), ("rectum", False)])
def test_s05_a_right_sided_positive_is_remarked_on(
    answer: Answer, knowledge: Knowledge, side: str, shown: bool
) -> None:
    """The association in cohorts belongs to the cohort engine."""
    found = caveat(answer({**PRIMARY, **CLEAR}, side=side), "right_sided")
    assert (found is not None) is shown
    assert found is None or ("5.8 %" in found.text and "2.7 %" in found.text)
    assert caveat(answer({**PRIMARY, **LOW}, side=side), "right_sided") is None, "only a positive case"
    assert dissenting(knowledge, "S05") == {"singh2024meta"}


@pytest.mark.parametrize("number", ["S06", "S18", "S19"])
def test_s06_stage_and_nodes_are_statements_and_no_modifier(answer: Answer, knowledge: Knowledge, number: str) -> None:
    """One patient's stage says nothing of HER2: the tests of association belong to the cohort engine."""
    statement = knowledge.statements[number]
    assert statement.kind == "prognosis" and "ingold2014" in {citation.ref for citation in statement.cite}
    by_stage = [answer({**PRIMARY, **UNCERTAIN}, stage=stage).agreement for stage in "1234"]
    assert by_stage.count(by_stage[0]) == len(by_stage)


def test_s18_the_t_category_of_all_sites_is_disputed(knowledge: Knowledge) -> None:
    """The paper that is cited ties it to sigmoid and rectum. Cohort tests: see S06."""
    assert dissenting(knowledge, "S18") == {"ingold2014"}


def test_s19_sigmoid_and_rectum_have_their_own_statement(knowledge: Knowledge) -> None:
    """Stratified tests belong to the cohort engine."""
    behaviour = knowledge.statements["S19"].behaviour
    assert "0.041" in behaviour and "0.022" in behaviour


def test_s17_survival_is_shown_with_the_cohorts_that_differ(answer: Answer, knowledge: Knowledge) -> None:
    """Survival analysis belongs to the cohort engine; no verdict and no action of one patient rests on prognosis."""
    assert dissenting(knowledge, "S17") == {"wangm2022", "styczen2015", "he2022"}
    texts = " ".join(item.text for item in knowledge.statements["S17"].dissent)
    assert all(figure in texts for figure in ("0.603", "0.963", "30.2", "50.9"))
    cited = {citation.ref for item in answer({**PRIMARY, **CLEAR}, **TREATED).actions for citation in item.cite}
    assert cited and not cited & {"ingold2014", "wangm2022", "styczen2015"}


# ---- method and criteria


def test_s07_staining_first_and_hybridisation_for_equivocal(answer: Answer, knowledge: Knowledge) -> None:
    untouched = answer({**PRIMARY}, **TREATED)
    assert (untouched.next_tests[0].test, untouched.next_tests[0].specimen) == ("ihc", "S1")
    assert "ish" not in {item.test for item in untouched.next_tests}, "hybridisation waits for the score"
    equivocal = answer({**PRIMARY, **UNCERTAIN}, **TREATED)
    reflex = equivocal.next_tests[0]
    assert (reflex.test, reflex.specimen) == ("ish", "S1") and "csco_article" in reflex.would_decide
    negative = answer({**PRIMARY, **LOW}, **TREATED)
    assert "ish" not in {item.test for item in negative.next_tests}, "a score of 1+ calls for no hybridisation"


def test_s07_some_sets_take_hybridisation_or_sequencing_alone(answer: Answer, knowledge: Knowledge) -> None:
    ish_only = answer({**PRIMARY, "ish_ratio": "2.6"})
    assert status(ish_only, "triumph", "mountaineer", "sun_2023") == {"positive"}
    assert status(ish_only, "csco_article", "heracles_2015", "s1613") == {"indeterminate"}
    called = answer({**PRIMARY, "ngs_call": "amplified"})
    assert status(called, "mountaineer", "singh_2024") == {"positive"}
    assert dissenting(knowledge, "S07") == {"triumph_review2023", "cercek2023"}


@pytest.mark.parametrize(
    ("percent", "article", "heracles", "gastric"),
    [
        ("9", "not_covered", "negative", "not_covered"),
        ("10", "not_covered", "negative", "positive"),
        ("30", "not_covered", "equivocal", "positive"),
        ("50", "not_covered", "positive", "positive"),
        ("50.1", "positive", "positive", "positive"),
    ],
)
def test_s08_three_plus_needs_more_than_half_of_the_cells(
    answer: Answer, knowledge: Knowledge, percent: str, article: str, heracles: str, gastric: str
) -> None:
    answered = answer({**PRIMARY, "ihc_score": 3, "ihc_percent": percent, "ihc_pattern": "complete"})
    found = [answered.criteria[name].status for name in ("csco_article", "heracles_2015", "gea_2016")]
    assert found == [article, heracles, gastric]
    assert dissenting(knowledge, "S08") >= {"valtorta2015", "bartley2016"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("complete", "positive"), ("basolateral", "positive"), ("incomplete", "not_covered"), ("", "positive")],
)
def test_s08_staining_is_basolateral_or_complete(answer: Answer, pattern: str, expected: str) -> None:
    answered = answer({**PRIMARY, **CLEAR, "ihc_pattern": pattern})
    assert status(answered, "csco_article") == {expected}
    assert (caveat(answered, "pattern_not_stated") is not None) is (pattern == "")


@pytest.mark.parametrize(
    ("ratio", "cells", "article", "heracles", "s1613", "fujii"),
    [
        ("2.1", "51", "positive", "positive", "positive", "positive"),
        ("2.0", "51", "negative", "positive", "negative", "positive"),
        ("2.1", "50", "negative", "positive", "positive", "positive"),
        ("2.0", "50", "negative", "positive", "negative", "positive"),
        ("1.9", "80", "negative", "negative", "negative", "negative"),
        ("2.1", "", "indeterminate", "indeterminate", "positive", "positive"),
        ("", "", "equivocal", "equivocal", "equivocal", "equivocal"),
    ],
)
def test_s09_two_plus_goes_to_fish_with_strict_operators(
    answer: Answer, knowledge: Knowledge, ratio: str, cells: str, article: str, heracles: str, s1613: str, fujii: str
) -> None:
    answered = answer({**PRIMARY, **UNCERTAIN, "ish_ratio": ratio, "ish_cell_percent": cells})
    found = [answered.criteria[name].status for name in ("csco_article", "heracles_2015", "s1613", "fujii_2020")]
    assert found == [article, heracles, s1613, fujii]
    assert dissenting(knowledge, "S09") == {"valtorta2015", "fujii2020", "s1613", "sun2023"}


def test_s09_sun_also_counts_copies(answer: Answer) -> None:
    answered = answer({**PRIMARY, **UNCERTAIN, "ish_ratio": "1.6", "ish_her2_copies": "6.0", "ish_cell_percent": 30})
    assert status(answered, "sun_2023") == {"positive"}
    assert status(answered, *STAINING_SETS) == {"negative"}
    assert caveat(answered, "polysomy") is not None


@pytest.mark.parametrize("score", ["0", "1+"])
def test_s10_low_scores_are_negative(answer: Answer, knowledge: Knowledge, score: str) -> None:
    assert status(answer({**PRIMARY, "ihc_score": score}), *STAINING_SETS) == {"negative"}
    amplified = answer({**PRIMARY, "ihc_score": score, "ish_ratio": "2.4", "ish_cell_percent": "60"})
    assert status(amplified, "triumph") == {"positive"}, "TRIUMPH counts hybridisation whatever the score"
    assert status(amplified, "csco_article", "heracles_2015", "s1613") == {"negative"}
    assert dissenting(knowledge, "S10") == {"triumph_review2023"}


def test_s11_breast_thresholds_are_lower_and_shown_as_a_pitfall(answer: Answer, knowledge: Knowledge) -> None:
    answered = answer({**PRIMARY, "ihc_score": 3, "ihc_percent": 40, "ihc_pattern": "complete"}, **TREATED)
    assert status(answered, "breast_2018") == {"positive"} and status(answered, "csco_article") == {"not_covered"}
    name = knowledge.criteria["breast_2018"].name
    breast = [item for item in answered.caveats if item.id == "breast_rule_differs" and name in item.text]
    assert len(breast) == 1
    assert "csco_article" in breast[0].text and "heracles_2015" in breast[0].text
    assert "> 10 %" in breast[0].text and "> 30 %" in breast[0].text, "the article's figure is the one of 2007"
    agreed = answer({**PRIMARY, "ihc_score": 0, "ihc_percent": 0}, **TREATED)
    assert caveat(agreed, "breast_rule_differs") is None, "where both rules agree there is nothing to warn of"
    assert dissenting(knowledge, "S11") == {"wolff2018"}


# ---- heterogeneity


def test_s12_primary_and_metastasis_are_compared(answer: Answer, knowledge: Knowledge) -> None:
    answered = answer({**PRIMARY, **LOW}, {**LIVER, **CLEAR}, **TREATED)
    compared = {item.criteria: item for item in answered.concordance.comparisons if item.kind == "primary_metastasis"}
    assert compared["csco_article"].concordant is False
    assert (compared["csco_article"].first_status, compared["csco_article"].second_status) == ("negative", "positive")
    assert answered.criteria["csco_article"].discordant and "csco_article" in answered.concordance.discordant_sets
    alike = answer({**PRIMARY, **CLEAR}, {**LIVER, **CLEAR}, **TREATED).concordance
    assert {item.concordant for item in alike.comparisons if item.criteria == "csco_article"} == {True}
    assert alike.discordant_sets == ()


def test_s12_priors_are_counts_and_lee2014_is_not_one(answer: Answer, knowledge: Knowledge) -> None:
    tables = {table.id: table for table in knowledge.pair_tables}
    liver, nodes = tables["shan_liver"], tables["shan_nodes"]
    assert (liver.both, liver.primary_only, liver.metastasis_only, liver.neither) == (3, 2, 4, 13)
    assert (nodes.both, nodes.primary_only, nodes.metastasis_only, nodes.neither) == (4, 4, 3, 58)
    assert liver.how == nodes.how == "reconstructed"
    assert tables["lee2014"].usable is False and tables["lee2014"].both is None
    used = {item.table for item in answer({**PRIMARY, **LOW}, **TREATED).concordance.retest}
    assert used == {"shan_liver", "shan_nodes"}
    assert knowledge.rates["hashimoto_kept_amplified"].percent == "93"
    assert dissenting(knowledge, "S12") == {"lee2014", "hashimoto2023"}


@pytest.mark.parametrize(
    ("tested", "site"),
    [({**PRIMARY, **LOW}, "metastasis"), ({**PRIMARY, **CLEAR}, "metastasis"), (LIVER | LOW, "primary")],
)
def test_s13_the_untested_site_is_proposed(answer: Answer, tested: dict[str, Any], site: str) -> None:
    answered = answer(tested, **TREATED)
    proposed = [(item.test, item.specimen, item.site) for item in answered.next_tests]
    assert answered.concordance.untested_sites == (site,)
    assert ("ihc", None, site) in proposed


def test_s13_both_sites_tested_leave_nothing_to_propose(answer: Answer) -> None:
    assert answer({**PRIMARY, **LOW}, {**LIVER, **LOW}, **TREATED).concordance.untested_sites == ()


def test_s14_several_lesions_are_compared_and_more_can_be_asked_for(answer: Answer) -> None:
    answered = answer({**PRIMARY, **LOW}, {**LIVER, **CLEAR}, {**LIVER, **LOW}, {**LIVER, **LOW}, **TREATED)
    lesions = [
        item
        for item in answered.concordance.comparisons
        if item.kind == "metastases" and item.criteria == "csco_article"
    ]
    assert sorted(item.concordant for item in lesions) == [False, False, True]
    liver = next(item for item in answered.concordance.retest if item.site == "liver")
    assert (liver.data_events, liver.data_total) == (1, 3), "the patient's own lesions count"
    node = next(item for item in answered.concordance.retest if item.site == "lymph_node")
    seen, limit = (node.prior_events, node.prior_total), 1 - node.certainty
    enough = next(n for n in range(100) if (seen[0] + 1) / (seen[1] + n + 2) <= limit)
    assert node.lesions_needed == enough == 17
    assert liver.lesions_needed is None, "more than anybody samples is said as such"


def test_s15_synchronous_or_metachronous_makes_no_difference(answer: Answer, knowledge: Knowledge) -> None:
    def judged(day: str) -> tuple[Any, ...]:
        primary = {**PRIMARY, **LOW, "collected_on": "2024-01-10"}
        answered = answer(primary, {**LIVER, **UNCERTAIN, "collected_on": day}, **TREATED)
        return answered.criteria, answered.concordance, answered.next_tests, answered.caveats

    assert judged("2024-01-10") == judged("2026-06-30")
    warning = caveat(answer({**PRIMARY, **LOW}, **TREATED), "retest_metastasis")
    assert warning is not None and "synchronous or metachronous" in warning.text


def test_s16_a_metastasis_is_retested_above_all_after_a_negative_primary(answer: Answer, knowledge: Knowledge) -> None:
    negative = answer({**PRIMARY, **LOW}, **TREATED)
    by_site = {item.site: item for item in negative.concordance.retest}
    assert by_site["liver"].given == "primary negative"
    assert (by_site["liver"].prior_events, by_site["liver"].prior_total) == (4, 17)
    assert by_site["liver"].probability == pytest.approx(5 / 19)
    low, high = by_site["liver"].interval
    assert low < by_site["liver"].probability < high
    advice = caveat(negative, "retest_metastasis")
    assert advice is not None and "liver 26%" in advice.text
    tested = answer({**PRIMARY, **LOW}, {**LIVER, **LOW}, **TREATED)
    assert caveat(tested, "retest_metastasis") is None
    updated = next(item for item in tested.concordance.retest if item.site == "liver")
    assert updated.probability < by_site["liver"].probability, "a negative lesion lowers the chance at the next one"
    assert caveat(answer({**PRIMARY, **CLEAR}, **TREATED), "retest_metastasis") is None
    assert dissenting(knowledge, "S16") == {"singh2024ccr"}


# ---- other markers


def test_s20_every_action_carries_its_own_ras_condition(answer: Answer, knowledge: Knowledge) -> None:
    asks = {rule.id: any("ras" in fields_of(item.when) for item in rule.conditions) for rule in knowledge.actions}
    assert asks["tucatinib_trastuzumab_label"] and asks["pertuzumab_trastuzumab_triumph"]
    assert not asks["tdxd_label"] and not asks["tdxd_crc02"]
    specimen = {**PRIMARY, **CLEAR}
    mutant = answer(specimen, **(TREATED | {"ras": "mutant"}))
    unknown = answer(specimen, **{name: value for name, value in TREATED.items() if name != "ras"})
    for name in (rule for rule, condition in asks.items() if condition):
        assert action(mutant, name).fits is False
        assert "ras" in {field for item in action(unknown, name).conditions for field in item.missing}
    assert action(mutant, "tdxd_label").fits is action(unknown, "tdxd_label").fits is True
    assert dissenting(knowledge, "S20") == {"crc02"}


@pytest.mark.parametrize("specimen", [CLEAR, AMPLIFIED, UNCERTAIN, LOW], ids=["3+", "2+ ISH+", "2+", "1+"])
def test_s21_a_ras_mutation_proves_nothing_about_her2(
    answer: Answer, knowledge: Knowledge, specimen: dict[str, Any]
) -> None:
    mutant, wild = (answer({**PRIMARY, **specimen}, **(TREATED | {"ras": ras})) for ras in ("mutant", "wt"))
    assert mutant.criteria == wild.criteria
    assert (caveat(mutant, "ras_comutation") is not None) is bool(mutant.agreement.positive)
    assert caveat(wild, "ras_comutation") is None
    assert dissenting(knowledge, "S21") == {"ross2018", "liu2024"}
    assert (knowledge.rates["ross_kras"].percent, knowledge.rates["liu_kras"].percent) == ("27.3", "14.1")


def test_s22_no_set_reads_ras_and_the_dissent_is_shown(knowledge: Knowledge) -> None:
    """The association in a cohort belongs to the cohort engine."""
    read = {name for item in knowledge.criteria.values() for row in item.rows for name in fields_of(row.when)}
    assert read and not read & {"ras", "braf_v600e"}
    assert dissenting(knowledge, "S22") == {"singh2024meta"}


def test_s23_pik3ca_is_remarked_on_with_its_counts(answer: Answer, knowledge: Knowledge) -> None:
    """The co-alteration panel of a cohort belongs to the cohort engine."""
    both = knowledge.proportions["yeh_pik3ca"], knowledge.proportions["leeoh_pik3ca"]
    assert [(item.events, item.total) for item in both] == [(2, 6), (7, 41)]
    assert all(item.interval == exact_interval(item.events, item.total) for item in both)
    found = caveat(answer({**PRIMARY, **CLEAR}, pik3ca="mutant"), "pik3ca_comutation")
    assert found is not None and "2 of 6" in found.text and "7 of 41" in found.text
    assert caveat(answer({**PRIMARY, **LOW}, pik3ca="mutant"), "pik3ca_comutation") is None
    assert dissenting(knowledge, "S23") == {"leeoh2024"}


def test_s24_sequence_variants_are_never_proposed_and_never_positive(answer: Answer, knowledge: Knowledge) -> None:
    supplied = {name for kind in knowledge.tests for name in kind.supplies}
    assert not supplied & {"pik3ca", "erbb2_mutation", "braf_v600e"}
    mutated = answer(PRIMARY, erbb2_mutation="S310F", pik3ca="mutant", **TREATED)
    plain = answer(PRIMARY, **TREATED)
    assert mutated.criteria == plain.criteria and mutated.agreement.positive == ()
    assert [item.fits for item in mutated.actions] == [item.fits for item in plain.actions]
    assert caveat(mutated, "erbb2_variant") is not None and caveat(plain, "erbb2_variant") is None
    assert caveat(answer(PRIMARY, erbb2_mutation="wild type"), "erbb2_variant") is None


# ---- plasma


def test_s25_plasma_is_its_own_evidence_and_never_overwrites_tissue(answer: Answer, knowledge: Knowledge) -> None:
    tissue = {**PRIMARY, **LOW}
    plasma = {"specimen_kind": "plasma", "plasma_copies": "14.2", "tumour_fraction": "40 %"}
    alone, together = answer(tissue, **TREATED), answer(tissue, plasma, **TREATED)
    judged_on_tissue = [name for name, item in knowledge.criteria.items() if item.judges == "tissue"]
    assert [together.criteria[name].status for name in judged_on_tissue] == [
        alone.criteria[name].status for name in judged_on_tissue
    ]
    assert status(together, "guardant360_observed") == {"positive"} and status(together, "csco_article") == {"negative"}
    pairs = [item for item in together.concordance.comparisons if item.kind == "tissue_plasma"]
    assert any(item.first == "csco_article" and item.concordant is False for item in pairs)
    agreement = knowledge.proportions["ctdna2019_agreement"]
    assert (agreement.events, agreement.total) == (20, 30)
    assert agreement.interval == exact_interval(20, 30)
    shown = caveat(together, "plasma_is_its_own_evidence")
    assert shown is not None and all(count in shown.text for count in ("20 of 30", "22", "5 in tissue", "3 in plasma"))
    assert dissenting(knowledge, "S25") == {"triumph2021"}


@pytest.mark.parametrize(
    ("copies", "fraction", "observed", "adjusted"),
    [
        ("2.4", "0.05", "positive", "negative"),
        ("2.39", "0.05", "negative", "negative"),
        ("2.39", "0.049", "indeterminate", "indeterminate"),
        ("2.39", "", "indeterminate", "indeterminate"),
        ("14.2", "0.44", "positive", "positive"),
    ],
)
def test_s26_plasma_has_sets_of_its_own_and_a_detection_bound(
    answer: Answer, knowledge: Knowledge, copies: str, fraction: str, observed: str, adjusted: str
) -> None:
    answered = answer({"specimen_kind": "plasma", "plasma_copies": copies, "tumour_fraction": fraction}, **TREATED)
    found = [answered.criteria[name].status for name in ("guardant360_observed", "heracles_adjusted")]
    assert found == [observed, adjusted]
    assert status(answered, *STAINING_SETS, *COPY_SETS) == {"not_covered"}
    assert (caveat(answered, "plasma_below_detection") is not None) is (fraction == "0.049")
    assert dissenting(knowledge, "S26") == {"siravegna2019"}


def test_s27_serial_plasma_is_judged_sample_by_sample(answer: Answer, knowledge: Knowledge) -> None:
    """The trend belongs to the follow-up stage; there is no published cut for a change, so none is a rule here."""
    days = [("2025-07-15", "14.2", "0.44"), ("2025-09-09", "2.3", "0.09"), ("2025-11-04", "2.1", "0.02")]
    series = [
        {"specimen_kind": "plasma", "collected_on": day, "plasma_copies": copies, "tumour_fraction": fraction}
        for day, copies, fraction in days
    ]
    judged = answer(*series, **TREATED).criteria["guardant360_observed"].specimens
    assert [item.status for item in judged.values()] == ["positive", "negative", "indeterminate"]
    statement = knowledge.statements["S27"]
    assert "exploratory" in statement.behaviour and dissenting(knowledge, "S27") == {"ctdna2019_31227437"}


# ---- sequencing


def test_s28_one_sequencing_report_gives_copies_and_the_other_markers(knowledge: Knowledge) -> None:
    report = {
        "patient_id": "N",
        "ras": "wt",
        "braf_v600e": "wt",
        "msi": "MSS",
        "pik3ca": "mut",
        "metastatic": True,
        "specimens": [{"specimen_id": "N1", "site": "liver", "ngs_copies": 57.9, "ngs_call": "amplified"}],
    }
    [patient] = read_patients(json.dumps(report).encode(), knowledge, "report.json")
    answered = assess(patient, knowledge)
    assert (patient.genes.ras, patient.genes.msi, patient.genes.pik3ca) == ("wild_type", "stable", "mutant")
    assert answered.testing.recommended is True and answered.errors == answered.warnings == ()
    assert status(answered, "yeh_2019", "cenaj_2019", "strata_2019", "mountaineer") == {"positive"}
    assert caveat(answered, "pik3ca_comutation") is not None


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        ("92.6", "positive"),
        ("8.42", "positive"),
        ("8.41", "not_covered"),
        ("3.05", "not_covered"),
        ("3.04", "negative"),
    ],
)
def test_s29_only_a_high_gain_is_positive(answer: Answer, knowledge: Knowledge, copies: str, expected: str) -> None:
    answered = answer({**LIVER, "ngs_copies": copies, "tumour_purity": "60 %"})
    assert status(answered, "yeh_2019") == {expected}
    assert (caveat(answered, "copies_between_groups") is not None) is (expected == "not_covered")
    assert dissenting(knowledge, "S29") == {"yeh2019"}


@pytest.mark.parametrize("fold", ["1.5", "3.0", "9.5", "46.3"])
def test_s29_fold_change_is_not_taken_for_copies(answer: Answer, fold: str) -> None:
    answered = answer({**LIVER, "ngs_fold": fold, "tumour_purity": "60 %"})
    assert status(answered, *COPY_SETS) == {"indeterminate"}
    warning = caveat(answered, "fold_is_not_copies")
    assert warning is not None and fold in warning.text
    assert ("ngs", "S1") in {(item.test, item.specimen) for item in answered.next_tests}, "ask for the copies"


@pytest.mark.parametrize(
    ("copies", "purity", "expected"),
    [
        ("2.74", "60 %", "negative"),
        ("3.04", "60 %", "negative"),
        ("2.74", "20 %", "negative"),  # 5.7 copies per tumour cell at most
        ("3.04", "20 %", "indeterminate"),  # 7.2: a tumour that other laboratories call amplified reads the same
        ("2.74", "19 %", "indeterminate"),
        ("2.74", "", "indeterminate"),
    ],
)
def test_s30_a_low_gain_is_never_positive(answer: Answer, copies: str, purity: str, expected: str) -> None:
    answered = answer({**LIVER, "ngs_copies": copies, "tumour_purity": purity}, **TREATED)
    assert answered.agreement.positive == () and answered.agreement.equivocal == ()
    assert status(answered, "yeh_2019") == {expected}
    low = caveat(answered, "low_gain")
    assert low is not None and "2.74-3.04" in low.text, "and it says why"


def test_s30_at_low_purity_amplification_is_not_excluded(answer: Answer, knowledge: Knowledge) -> None:
    answered = answer({**LIVER, "ngs_copies": "3.2", "tumour_purity": "20 %"}, **TREATED)
    assert status(answered, "cenaj_2019", "strata_2019") == {"indeterminate"}
    hidden = caveat(answered, "invisible_copies")
    assert hidden is not None
    assert "8.0 copies per cell gives this reading of 3.2" in hidden.text and "20 %" in hidden.text
    assert "22.0 under cenaj_2019 (cut 6)" in hidden.text and "42.0 under strata_2019 (cut 10)" in hidden.text
    assert {("ihc", "S1"), ("purity", "S1")} <= {(item.test, item.specimen) for item in answered.next_tests}
    pure = answer({**LIVER, "ngs_copies": "3.2", "tumour_purity": "90 %"}, **TREATED)
    assert status(pure, "cenaj_2019", "strata_2019") == {"negative"} and caveat(pure, "invisible_copies") is None
    assert dissenting(knowledge, "S30") == {"yeh2019", "siravegna2019"}


# ---- pitfalls


def test_p1_breast_scoring_is_contrast_only_and_warned_of(answer: Answer, knowledge: Knowledge) -> None:
    specimen = {**PRIMARY, "ihc_score": 3, "ihc_percent": 20, "ihc_pattern": "complete"}
    answered = answer(specimen | {"scoring_system": "breast"}, **TREATED)
    contrast = {name for name, item in knowledge.criteria.items() if item.role == "contrast"}
    assert contrast == {"breast_2018", "gea_2016"}
    sorted_sets = (getattr(answered.agreement, name) for name in answered.agreement.__struct_fields__)
    in_agreement = {name for names in sorted_sets for name in names}
    assert not contrast & in_agreement and in_agreement | contrast == set(knowledge.criteria)
    assert caveat(answered, "scored_by_breast_rules") is not None
    assert caveat(answer(specimen | {"scoring_system": "gastric"}), "scored_by_gastric_rules") is not None
    assert caveat(answer(specimen), "scored_by_breast_rules") is None


def test_p1_a_contrast_positive_opens_no_treatment(answer: Answer) -> None:
    """Many copies at a low ratio are positive under breast rules and under one colorectal rule that no regimen asks."""
    specimen = {**PRIMARY, "ihc_score": 2, "ihc_percent": 70, "ish_ratio": "1.6", "ish_her2_copies": "6.5"}
    answered = answer({**specimen, "ish_cell_percent": 10}, **TREATED)
    assert status(answered, "breast_2018") == {"positive"}
    assert not [item.id for item in answered.actions if item.fits]


def test_p2_the_primary_alone_is_not_enough(answer: Answer) -> None:
    answered = answer({**PRIMARY, **CLEAR}, **TREATED)
    assert caveat(answered, "only_primary_tested") is not None
    assert "metastasis" in {item.site for item in answered.next_tests}
    both = answer({**PRIMARY, **CLEAR}, {**LIVER, **CLEAR}, **TREATED)
    assert caveat(both, "only_primary_tested") is None


@pytest.mark.parametrize("copies", ["2.74", "3.04", "4.1", "5.9"])
def test_p3_a_low_gain_opens_no_treatment(answer: Answer, knowledge: Knowledge, copies: str) -> None:
    answered = answer({**LIVER, "ngs_copies": copies, "tumour_purity": "80 %"}, **TREATED)
    assert not [item.id for item in answered.actions if item.fits]
    assert "s1613" in dissenting(knowledge, "P3")


@pytest.mark.parametrize("lines", ["0", "1", "2", "3"])
def test_p4_nothing_fits_before_standard_treatment(answer: Answer, knowledge: Knowledge, lines: str) -> None:
    specimens = ({**PRIMARY, **CLEAR}, {"specimen_kind": "plasma", "plasma_copies": 20, "tumour_fraction": "50 %"})
    progressed = "no" if lines == "0" else "yes"
    answered = answer(*specimens, **(TREATED | {"lines_of_therapy": lines, "progressed_on_standard": progressed}))
    fitting = [item.id for item in answered.actions if item.fits]
    assert bool(fitting) is (lines != "0")
    assert (caveat(answered, "first_line") is not None) is (lines == "0")
    assert dissenting(knowledge, "P4") == {"m03design"}


# ---- the product


def test_q2_everything_carries_its_review_state(answer: Answer, knowledge: Knowledge) -> None:
    states = ("submitted", "under_review", "approved")
    dated = [*knowledge.statements.values(), *knowledge.criteria.values(), *knowledge.actions]
    assert all(item.review_state in states and item.effective <= knowledge.as_of for item in dated)
    answered = answer({**PRIMARY, **CLEAR}, **TREATED)
    assert {item.review_state for item in answered.criteria.values()} == {"submitted"}
    assert {item.review_state for item in answered.actions} == {"submitted"}
    warning = caveat(answered, "not_reviewed")
    assert warning is not None and "submitted" in warning.text


def test_q5_every_answer_carries_the_disclaimer(answer: Answer, knowledge: Knowledge) -> None:
    empty, full = answer(), answer({**PRIMARY, **CLEAR}, **TREATED)
    for answered in (empty, full):
        assert "healthcare professionals" in answered.disclaimer and "not a medical device" in answered.disclaimer
        written = json.loads(b"".join(her2crc.render([answered], "json", knowledge)), parse_float=Decimal)
        assert written["disclaimer"] == answered.disclaimer
