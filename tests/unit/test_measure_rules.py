"""Chances of the rules: exact at every threshold, the same as many draws judged one by one, and never a guess."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

import her2crc
from her2crc.criteria.run import decide
from her2crc.measure.distributions import Normal, Values, interval_of
from her2crc.measure.rules import rule_probabilities
from her2crc.normalise import derive_facts

KNOWLEDGE = her2crc.load_knowledge()


def by_set(facts, uncertain):
    return {item.set: item for item in rule_probabilities(facts, uncertain, KNOWLEDGE)}


@pytest.mark.parametrize(
    "uncertain",
    [
        {"ngs_copies": Normal(5.5, 0.3, "log2"), "tumour_purity": Normal(0.25, 0.3, "logit")},
        {"ngs_copies": Normal(3.0, 0.2, "log2"), "tumour_purity": Normal(0.4, 0.4, "logit")},
        {"ngs_copies": Normal(9.0, 0.5)},
        {"plasma_copies": Normal(2.5, 0.1, "log2"), "tumour_fraction": Normal(0.08, 0.5, "logit")},
        {"ish_ratio": Normal(2.05, 0.15, "log2"), "ish_her2_copies": Normal(6, 1)},
    ],
)
def test_chances_are_those_of_many_draws_judged_one_by_one(uncertain) -> None:
    facts = {"ihc_score": 2, "ihc_percent": Decimal(60)} if "ish_ratio" in uncertain else {}
    if "plasma_copies" in uncertain:
        facts = {"specimen_kind": "plasma", "site": "plasma"}
    found, draw, repeats = by_set(facts, uncertain), random.Random(7), 3000
    counted = {name: dict.fromkeys(item.chances, 0) for name, item in found.items()}
    for _ in range(repeats):
        drawn = {name: Decimal(repr(spread.quantile(draw.random()))) for name, spread in uncertain.items()}
        case = derive_facts(facts | drawn)
        for name in found:
            status = decide(KNOWLEDGE.criteria[name], case).status
            counted[name][status] = counted[name].get(status, 0) + 1
    assert found
    for name, item in found.items():
        assert sum(item.chances.values()) == pytest.approx(1)
        for status, number in counted[name].items():
            assert item.chances.get(status, 0) == pytest.approx(number / repeats, abs=0.035), (name, status)


def test_a_number_on_a_threshold_is_judged_by_the_exact_operator() -> None:
    certain = by_set({"tumour_purity": Decimal("0.5")}, {"ngs_copies": Values(((6.0, 1.0),))})
    assert certain["cenaj_2019"].outcome == "met"  # 6 or more
    below = by_set({"tumour_purity": Decimal("0.5")}, {"ngs_copies": Values(((5.99, 1.0),))})
    assert below["cenaj_2019"].outcome == "cannot_decide"  # 9.98 copies per tumour cell are not excluded


def test_half_above_a_threshold_is_half_a_chance() -> None:
    found = by_set({}, {"ngs_copies": Normal(8.42, 0.1, "log2")})["yeh_2019"]
    assert found.chances["positive"] == pytest.approx(0.5)
    assert found.outcome == "cannot_decide" and found.probability == pytest.approx(0.5)


def test_a_rule_is_decided_only_as_surely_as_declared() -> None:
    level = float(KNOWLEDGE.settings.interval_level)
    for shift, outcome in ((1.6, "cannot_decide"), (1.7, "met")):
        middle = 8.42 * 2 ** (shift * 0.1)
        found = by_set({}, {"ngs_copies": Normal(middle, 0.1, "log2")})["yeh_2019"]
        assert found.outcome == outcome
        assert (found.chances["positive"] >= level) == (outcome == "met")


def test_what_is_missing_is_named_and_nothing_is_negative_without_it() -> None:
    found = by_set({}, {"ngs_copies": Normal(2.0, 0.05, "log2")})
    assert found["cenaj_2019"].outcome == "cannot_decide"
    assert found["cenaj_2019"].missing == ("tumour_purity",)
    assert not any(item.outcome == "not_met" for item in found.values())


def test_facts_alone_are_judged_too() -> None:
    assert by_set({"ngs_call": "amplified"}, {})["mountaineer"].outcome == "met"


def test_only_sets_that_read_the_number_and_may_apply_are_listed() -> None:
    found = by_set({"tumour": "breast"}, {"ngs_copies": Normal(20, 0.1, "log2")})
    assert found == {}
    listed = by_set({}, {"ngs_copies": Normal(20, 0.1, "log2")})
    assert "heracles_2015" not in listed and "guardant360_observed" not in listed


def test_distributions() -> None:
    share = Normal(0.3, 0.25, "logit")
    low, high = interval_of(share, 0.95)
    assert 0 < low < 0.3 < high < 1
    assert share.below(low) == pytest.approx(0.025)
    assert Normal(1.0, 0.0, "logit").quantile(0.9) == 1.0
    assert Normal(0.0, 0.1, "log2").quantile(0.5) == 0.0 and Normal(2.0, 0.1, "log2").below(0.0) == 0.0
    values = Values.equally_likely((3.0, 1.0, 2.0, 4.0))
    assert (values.quantile(0.5), values.below(3.0), len(values.atoms(2))) == (2.0, 0.75, 4)
