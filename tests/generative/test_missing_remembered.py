"""What would decide is searched for once for each different case of a set, and is what the plain search finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from generated_patients import random_cases

from her2crc.criteria import missing
from her2crc.criteria.cache import load_editions
from her2crc.criteria.run import decide
from her2crc.criteria.sets import CriteriaSet

EDITIONS = load_editions()
CASES, SEED = 300, 20261123


def open_cases(criteria: CriteriaSet) -> Iterator[tuple[Any, Any]]:
    for facts in random_cases(criteria, EDITIONS.fields, CASES, SEED):
        outcome = decide(criteria, facts)
        if outcome.status in missing.UNDECIDED and not (outcome.row is not None and outcome.row.needs):
            yield facts, outcome


@pytest.mark.parametrize("criteria", EDITIONS.sets, ids=lambda item: f"{item.id} {item.effective}")
def test_what_is_remembered_is_what_the_plain_search_finds(criteria: CriteriaSet) -> None:
    for facts, outcome in [*open_cases(criteria)] * 2:
        found = missing.missing_facts(criteria, facts, outcome, EDITIONS.fields)
        assert found == missing.search(criteria, facts, outcome.status, EDITIONS.fields)


def test_no_case_is_searched_twice_whatever_else_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []
    plain = missing.search

    def counted(criteria: CriteriaSet, *given: Any) -> tuple[str, ...]:
        searched.append(criteria.id)
        return plain(criteria, *given)

    monkeypatch.setattr(missing, "search", counted)
    criteria = msgspec.structs.replace(next(item for item in EDITIONS.sets if item.id == "s1613"))
    facts: dict[str, Any] = {"tumour": "colorectal", "ihc_score": 2}
    others: tuple[dict[str, Any], ...] = ({}, {"ihc_antibody": "4B5"}, {"ngs_fold": None})
    for other in others:
        missing.missing_facts(criteria, facts | other, decide(criteria, facts), EDITIONS.fields)
    assert len(searched) == 1
    missing.missing_facts(criteria, {"ihc_score": 2}, decide(criteria, facts), EDITIONS.fields)
    assert len(searched) == 2, "the tumour is a fact that the set reads"


def test_what_is_remembered_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "MOST_REMEMBERED", 3)
    monkeypatch.setattr(missing, "MOST_SETS", 2)
    monkeypatch.setattr(missing, "_SEARCHES", {})
    for criteria in EDITIONS.sets[:6]:
        for facts, outcome in open_cases(criteria):
            found = missing.missing_facts(criteria, facts, outcome, EDITIONS.fields)
            assert found == missing.search(criteria, facts, outcome.status, EDITIONS.fields)
            assert len(missing._SEARCHES) <= 2
            assert all(len(item._found) <= 3 for item in missing._SEARCHES.values())
