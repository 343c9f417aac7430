"""Recommending: whom to test, what next, how sure one can be of an untested lesion, what can be acted on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import msgspec
import pytest
from scipy.stats import beta

from her2crc.criteria.library import Knowledge
from her2crc.criteria.run import decide
from her2crc.flow import assess, load_knowledge
from her2crc.model.patient import Patient
from her2crc.model.proportion import posterior_interval, posterior_mean
from her2crc.model.verdict import Assessment
from her2crc.normalise import derive_facts, specimen_facts
from her2crc.recommend.retest import _lesions_needed

Build = Callable[..., Patient]
Answer = Callable[..., Assessment]

TREATED = {
    "metastatic": "true",
    "ras": "wt",
    "braf_v600e": "wt",
    "lines_of_therapy": 2,
    "progressed_on_standard": "true",
}
CLEAR = {"site": "primary", "ihc_score": 3, "ihc_percent": 90, "ihc_pattern": "complete"}
UNCERTAIN = {"site": "primary", "specimen_kind": "resection", "ihc_score": 2, "ihc_percent": 70}
LOW = {"site": "primary", "ihc_score": 1, "ihc_percent": 30}
AMPLIFIED_LIVER = {**CLEAR, "site": "liver", "ish_ratio": 4, "ish_her2_copies": 9}


def fits(answered: Assessment) -> dict[str, bool | None]:
    return {item.id: item.fits for item in answered.actions}


def proposed(answered: Assessment) -> list[tuple[str, str | None, str | None]]:
    return [(item.test, item.specimen, item.site) for item in answered.next_tests]


# ---- whom to test: Kleene


@pytest.mark.parametrize(
    ("metastatic", "ras", "recommended", "missing"),
    [
        ("true", "wt", True, ()),
        ("true", "mutant", False, ()),
        ("true", "", None, ("ras",)),
        ("false", "wt", False, ()),
        ("false", "", False, ()),  # whatever RAS is
        ("", "mutant", False, ()),  # whatever the extent is
        ("", "wt", None, ("metastatic",)),
        ("", "", None, ("metastatic", "ras")),
    ],
)
def test_an_unknown_fact_leaves_testing_open_only_where_it_decides(
    answer: Answer, metastatic: str, ras: str, recommended: bool | None, missing: tuple[str, ...]
) -> None:
    answered = answer(metastatic=metastatic, ras=ras)
    assert (answered.testing.recommended, answered.testing.missing) == (recommended, missing)
    assert ("ras" in {item.test for item in answered.next_tests}) is ("ras" in missing)


def test_the_deciding_source_is_named_in_the_data_not_by_its_place(patient_of: Build, knowledge: Knowledge) -> None:
    backwards = msgspec.structs.replace(knowledge, eligibility=knowledge.eligibility[::-1])
    mutant = patient_of(metastatic="true", ras="mutant")
    assert assess(mutant, backwards).testing.recommended is assess(mutant, knowledge).testing.recommended is False


def test_before_any_source_nothing_is_recommended(patient_of: Build) -> None:
    early = load_knowledge(date(2014, 1, 1))
    answered = assess(patient_of(CLEAR, **TREATED), early)
    assert answered.testing.recommended is None and answered.testing.reasons == () == answered.actions


# ---- what next


def test_staining_before_hybridisation_before_the_rest(answer: Answer, knowledge: Knowledge) -> None:
    specimens = ({"site": "primary"}, {**UNCERTAIN, "site": "liver"}, {"site": "lung", "ngs_copies": 3})
    answered = answer(*specimens, metastatic="true")
    order = {kind.id: kind.order for kind in knowledge.tests}
    found = [order[item.test] for item in answered.next_tests]
    assert found == sorted(found) and [item.test for item in answered.next_tests][:2] == ["ras", "ihc"]
    on_first = [item.test for item in answered.next_tests if item.specimen == "S1"]
    assert on_first == ["ihc"], "hybridisation waits until there is a score"


def test_a_set_on_copies_asks_for_no_sequencing_of_every_tumour(answer: Answer) -> None:
    answered = answer(CLEAR, LOW | {"site": "liver"}, **TREATED)
    assert answered.criteria["yeh_2019"].status == "indeterminate"
    assert not {"ngs", "ngs_call", "purity"} & {item.test for item in answered.next_tests}


@pytest.mark.parametrize(
    ("specimen", "expected"),
    [
        ({"site": "liver", "ngs_copies": 3}, "purity"),
        ({"site": "liver", "ngs_fold": 9}, "ngs"),
        ({"site": "liver", "ihc_score": 1, "ngs_fold": 9}, "ngs_call"),
        ({"plasma_copies": 2}, "plasma_fraction"),
        ({"specimen_kind": "plasma", "tumour_fraction": "30 %"}, "plasma"),
    ],
)
def test_a_begun_test_is_completed(answer: Answer, specimen: dict[str, Any], expected: str) -> None:
    answered = answer(specimen, **TREATED)
    assert (expected, "S1") in {(item.test, item.specimen) for item in answered.next_tests}


@pytest.mark.parametrize(
    ("specimens", "expected"),
    [
        ([LOW, {**LOW, "site": "liver"}], []),  # negative at both sites
        ([{**CLEAR, "ish_ratio": 4, "ish_her2_copies": 9}, {**LOW, "site": "liver"}], []),  # nothing more to settle
        ([LOW | {"ish_ratio": 1}, AMPLIFIED_LIVER, {"site": "brain"}], []),  # positive, and the sites differ already
        ([LOW | {"ish_ratio": 1}, {"site": "brain"}], [("ihc", "S2", "brain")]),
        ([{**CLEAR, "tumour": "breast"}], []),  # no colorectal rule applies
        ([LOW], [("ihc", None, "metastasis")]),
        ([LOW, {"site": "brain"}], [("ihc", "S2", "brain")]),  # and no further metastasis beside it
        ([], [("ihc", None, "primary"), ("ihc", None, "metastasis")]),
        ([{"plasma_copies": 20, "tumour_fraction": "40 %"}], [("ihc", None, "primary"), ("ihc", None, "metastasis")]),
    ],
)
def test_only_what_can_change_an_answer_is_proposed(
    answer: Answer, specimens: list[dict[str, Any]], expected: list[tuple[str, str | None, str | None]]
) -> None:
    assert proposed(answer(*specimens, **TREATED)) == expected


def test_every_specimen_of_an_untested_site_is_proposed(answer: Answer) -> None:
    lesions = ({"site": "liver"}, {"site": "liver"}, {"site": "liver", "tumour": "breast"})
    assert proposed(answer(LOW, *lesions, **TREATED)) == [("ihc", "S2", "liver"), ("ihc", "S3", "liver")]
    assert proposed(answer(LOW, {"site": "liver", "tumour": "breast"}, **TREATED)) == []


@pytest.mark.parametrize("tumour", ["breast", "gastric", "other"])
def test_sources_on_colorectal_cancer_say_nothing_of_other_tumours(answer: Answer, tumour: str) -> None:
    testing = answer({**CLEAR, "tumour": tumour}, **TREATED).testing
    assert (testing.recommended, testing.missing) == (None, ())
    assert testing.reasons and all(
        item.recommended is None and "another tumour" in item.text for item in testing.reasons
    )
    for other in ("", "colorectal"):
        assert answer({**CLEAR, "tumour": tumour}, {**LOW, "tumour": other}, **TREATED).testing.recommended is True


@pytest.mark.parametrize("about", [{"metastatic": "false"}, {"metastatic": "false", "ras": "wt"}])
def test_no_new_material_where_every_source_says_not_to_test(answer: Answer, about: dict[str, str]) -> None:
    assert proposed(answer(**about)) == []


VALUES: dict[str, tuple[Any, ...]] = {
    "ihc_score": (0, 1, 2, 3),
    "ihc_percent": tuple(map(Decimal, (5, 30, 60))),
    "ihc_pattern": (None, "complete"),
    "specimen_kind": ("resection", "biopsy"),
    "ish_ratio": tuple(map(Decimal, ("1.5", "2.5"))),
    "ish_cell_percent": tuple(map(Decimal, (20, 60))),
    "ish_her2_copies": tuple(map(Decimal, (3, 7))),
    "ngs_copies": tuple(map(Decimal, (2, 12))),
    "ngs_call": ("amplified", "not_amplified"),
    "tumour_purity": tuple(map(Decimal, ("0.1", "0.9"))),
    "plasma_copies": tuple(map(Decimal, (2, 40))),
    "tumour_fraction": tuple(map(Decimal, ("0.01", "0.6"))),
}


def results_of(supplies: tuple[str, ...], facts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every result that a test could bring to a specimen."""
    for values in product(*(VALUES[name] for name in supplies)):
        yield derive_facts(facts | dict(zip(supplies, values, strict=True)))


@pytest.mark.parametrize(
    "specimen",
    [
        {"site": "liver"},
        {"site": "liver", "ihc_score": 2},
        {"site": "liver", "ihc_score": 3, "ihc_percent": 30},
        UNCERTAIN,
        {**UNCERTAIN, "ish_ratio": "2.4"},
        {"site": "liver", "ngs_copies": "2.5", "tumour_purity": "10 %"},
        {"site": "liver", "ngs_fold": "3", "ihc_score": 1},
        {"plasma_copies": "2.1", "tumour_fraction": "3 %"},
    ],
)
def test_every_proposed_test_can_decide_what_it_is_proposed_for(
    patient_of: Build, knowledge: Knowledge, specimen: dict[str, Any]
) -> None:
    """By trying the results: some result of the test takes each of its sets out of the answer that is open now."""
    patient = patient_of(specimen, **TREATED)
    base = specimen_facts(patient.specimens[0])
    given = {name: value for name, value in base.items() if not knowledge.fields[name].derived_from}
    given |= {name: getattr(patient.specimens[0].ish, name) for name in ("ish_ratio", "ish_her2_copies")}
    supplies = {kind.id: kind.supplies for kind in knowledge.tests}
    on_specimen = [item for item in assess(patient, knowledge).next_tests if item.specimen]
    assert on_specimen
    for item in on_specimen:
        for name in item.would_decide:
            now = decide(knowledge.criteria[name], base).status
            after = {decide(knowledge.criteria[name], facts).status for facts in results_of(supplies[item.test], given)}
            assert now in ("indeterminate", "equivocal") and after - {now}, (item.test, name)


# ---- an untested lesion


@pytest.mark.parametrize(("events", "total"), [(0, 0), (0, 1), (3, 61), (4, 17), (4, 8), (3, 5), (5, 18), (40, 41)])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_the_posterior_is_the_beta_distribution(events: int, total: int, level: float) -> None:
    posterior = beta(events + 1, total - events + 1)
    assert posterior_mean(events, total) == pytest.approx(posterior.mean(), abs=1e-9)
    low, high = posterior_interval(events, total, level)
    assert low == pytest.approx(posterior.ppf((1 - level) / 2), abs=1e-9)
    assert high == pytest.approx(posterior.ppf((1 + level) / 2), abs=1e-9)


@pytest.mark.parametrize(("events", "total"), [(0, 0), (0, 30), (3, 61), (1, 10), (0, 18), (2, 100)])
def test_the_fewest_lesions_are_asked_for(events: int, total: int) -> None:
    needed = _lesions_needed(events, total, 0.95, 1000)
    assert needed is not None

    def chance(n: int) -> float:
        return float(beta(events + 1, total + n - events + 1).mean())

    assert chance(needed) <= 0.05 + 1e-12
    assert needed == 0 or chance(needed - 1) > 0.05


def test_more_lesions_than_anybody_samples_is_said_as_such(knowledge: Knowledge) -> None:
    most = knowledge.settings.retest_most_lesions
    assert _lesions_needed(4, 17, 0.95, most) is None and _lesions_needed(4, 17, 0.95, 1000) == 81


@pytest.mark.parametrize(
    ("primary", "expected"),
    [
        (LOW, {("lymph_node", "primary negative", 3, 61), ("liver", "primary negative", 4, 17)}),
        (CLEAR, {("lymph_node", "primary positive", 4, 8), ("liver", "primary positive", 3, 5)}),
        (UNCERTAIN, set()),  # nothing is decided of the primary
        (LOW | {"site": "liver"}, set()),
    ],
)
def test_the_prior_is_conditional_on_the_primary(answer: Answer, primary: dict[str, Any], expected: set[Any]) -> None:
    estimates = answer(primary, **TREATED).concordance.retest
    assert {(item.site, item.given, item.prior_events, item.prior_total) for item in estimates} == expected


def test_rules_that_disagree_on_the_primary_give_both_estimates(answer: Answer) -> None:
    at_the_boundary = UNCERTAIN | {"ish_her2_signals": 160, "ish_cep17_signals": 80, "ish_cell_percent": 55}
    given = {item.given for item in answer(at_the_boundary, **TREATED).concordance.retest}
    assert given == {"primary negative", "primary positive"}


def test_the_patients_own_lesions_update_the_prior(answer: Answer) -> None:
    def liver(*lesions: dict[str, Any]) -> Any:
        estimates = answer(LOW, *({**lesion, "site": "liver"} for lesion in lesions), **TREATED).concordance.retest
        return next(item for item in estimates if item.site == "liver")

    alone, negative, positive = liver(), liver(LOW, LOW), liver(CLEAR)
    assert (negative.data_events, negative.data_total) == (0, 2) and (positive.data_events, positive.data_total) == (
        1,
        1,
    )
    assert negative.probability == pytest.approx(float(beta(5, 16).mean()), abs=1e-9)
    assert negative.probability < alone.probability < positive.probability
    assert "reconstructed" not in alone.method and "uniform prior" in alone.note.lower()


# ---- what can be acted on


@pytest.mark.parametrize(
    ("about", "tdxd", "tucatinib"),
    [
        ({"ras": "mutant"}, True, False),
        ({"ras": "wt"}, True, True),
        ({"ras": ""}, True, None),
        ({"ras": "mutant", "lines_of_therapy": 0, "progressed_on_standard": "false"}, False, False),
        ({"ras": "wt", "lines_of_therapy": "", "progressed_on_standard": ""}, None, None),
        ({"ras": "wt", "metastatic": "false"}, False, False),
    ],
)
def test_three_plus_with_a_ras_mutation(
    answer: Answer, about: dict[str, Any], tdxd: bool | None, tucatinib: bool | None
) -> None:
    """The published boundary 10: 3+ in 90 % with KRAS G12D fits T-DXd after prior therapy, and not tucatinib."""
    found = fits(answer(CLEAR, **(TREATED | about)))
    assert (found["tdxd_label"], found["tucatinib_trastuzumab_label"]) == (tdxd, tucatinib)


@pytest.mark.parametrize(("ras", "tucatinib"), [("wt", True), ("mutant", False), ("", None)])
def test_many_copies_but_only_two_plus(answer: Answer, ras: str, tucatinib: bool | None) -> None:
    """The published boundary 11: 60 copies and 2+/ISH+ is outside the T-DXd label, inside that of tucatinib."""
    specimen = {**UNCERTAIN, "ish_ratio": 4, "ish_cell_percent": 80, "ngs_copies": 60, "ngs_call": "amplified"}
    found = fits(answer(specimen, **(TREATED | {"ras": ras})))
    assert (found["tdxd_label"], found["tucatinib_trastuzumab_label"]) == (False, tucatinib)


def test_a_score_that_cannot_be_read_leaves_the_label_open(answer: Answer) -> None:
    assert (
        fits(answer({"site": "primary", "ihc_score": "2-3"}, LOW | {"site": "liver"}, **TREATED))["tdxd_label"] is None
    )
    assert fits(answer(LOW, **TREATED))["tdxd_label"] is False


def test_a_set_without_a_verdict_leaves_its_regimen_open(answer: Answer) -> None:
    found = fits(answer(CLEAR, **TREATED))
    assert found["pertuzumab_trastuzumab_tapur"] is None, "its definition was not seen"
    assert found["pertuzumab_trastuzumab_triumph_plasma"] is None, "no plasma was tested"
    assert fits(answer(UNCERTAIN, **TREATED))["pertuzumab_trastuzumab_s1613"] is None, "hybridisation is awaited"


def test_a_regimen_says_which_conditions_are_met_and_which_are_missing(answer: Answer) -> None:
    regimen = next(
        item for item in answer(CLEAR, metastatic="true").actions if item.id == "tucatinib_trastuzumab_label"
    )
    assert {item.met for item in regimen.conditions} == {True, None}
    assert {name for item in regimen.conditions for name in item.missing} == {"ras", "progressed_on_standard"}
    assert regimen.why.startswith("unknown: ") and "met: " in regimen.why
    assert all(item.cite for item in regimen.evidence) and regimen.approvals[0].on == "2023-01-19"


def test_inferred_counts_are_marked(answer: Answer) -> None:
    evidence = {item.id: item for action in answer(CLEAR, **TREATED).actions for item in action.evidence}
    assert evidence["crc02_ihc3"].inferred and (evidence["crc02_ihc3"].events, evidence["crc02_ihc3"].total) == (30, 64)
    assert not evidence["crc01_ild"].inferred and evidence["crc01_ild"].interval == ("4.1", "17.5")


# ---- caveats


def caveats(answered: Assessment) -> dict[str, str]:
    return {item.id: item.text for item in answered.caveats}


@pytest.mark.parametrize(
    ("copies", "purity", "shown"),
    [
        ("3.2", "20 %", "tumour with 8.0 copies per cell gives this reading of 3.2"),
        ("2.5", "2.5 %", "at a tumour purity of 2.5 %"),
        ("1.5", "10 %", "tumour with 0.0 copies per cell"),  # noise cannot make it fewer than none
        ("2", "0", "in copies per cell: any number."),
    ],
)
def test_what_a_purity_hides_is_said_in_copies(answer: Answer, copies: str, purity: str, shown: str) -> None:
    text = caveats(answer({"site": "liver", "ngs_copies": copies, "tumour_purity": purity}))["invisible_copies"]
    assert shown in text


def test_plasma_above_its_cut_hides_nothing(answer: Answer) -> None:
    answered = answer({"plasma_copies": "2.6", "tumour_fraction": "3 %"})
    assert answered.criteria["guardant360_observed"].status == "positive"
    assert "invisible_copies" not in caveats(answered)


@pytest.mark.parametrize(
    ("specimen", "differing"),
    [
        ({**CLEAR, "ihc_percent": 40}, "csco_article, heracles_2015, heracles_trial"),
        ({**UNCERTAIN, "ish_ratio": "1.6", "ish_her2_copies": 7, "ish_cell_percent": 20}, "csco_article"),
        (CLEAR, None),
        (LOW, None),
        (UNCERTAIN, None),
    ],
)
def test_a_contrast_rule_that_differs(
    answer: Answer, knowledge: Knowledge, specimen: dict[str, Any], differing: str | None
) -> None:
    name = knowledge.criteria["breast_2018"].name
    texts = [item.text for item in answer(specimen).caveats if item.id == "breast_rule_differs" and name in item.text]
    assert [differing in text for text in texts] == ([] if differing is None else [True])


@pytest.mark.parametrize(
    "specimen", [{**CLEAR, "ihc_percent": 40}, {**UNCERTAIN, "ish_ratio": "1.6", "ish_her2_copies": 7}]
)
def test_contrast_rules_are_one_caveat_for_each_specimen(answer: Answer, specimen: dict[str, Any]) -> None:
    found = [item for item in answer(specimen, specimen).caveats if item.id == "breast_rule_differs"]
    assert [item.specimen for item in found] == ["S1", "S2"]
    assert all("Breast rule" in item.text and "Gastro-oesophageal rule" in item.text for item in found)


def test_every_caveat_is_cited_and_filled(answer: Answer) -> None:
    rich = (
        {**CLEAR, "ihc_percent": 40, "scoring_system": "breast"},
        {"site": "liver", "ngs_copies": "3.2", "tumour_purity": "20 %"},
        {"site": "lung", "ngs_fold": 3},
        {"plasma_copies": 2, "tumour_fraction": "2 %"},
    )
    about = TREATED | {"pik3ca": "mutant", "ras": "mutant", "side": "right", "erbb2_mutation": "V842I"}
    found = answer(*rich, **about).caveats
    assert len(found) > 10
    assert all(item.cite and "{" not in item.text and "None" not in item.text for item in found)
