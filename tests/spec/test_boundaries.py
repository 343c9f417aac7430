"""Every shipped set against the independent oracle: both sides of every threshold, facts unknown or unusable.

The reference executor and the compiled closures must both give what `oracle.py` expects, on every case.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import product

import pytest
from oracle import SPECS, UNSEEN, UNUSABLE, expected

from her2crc.criteria.cases import DERIVED_STEP, Case, boundary_cases, value_grid
from her2crc.criteria.closure import compile_set
from her2crc.criteria.compile import compile_editions
from her2crc.criteria.library import KNOWLEDGE_DIR
from her2crc.criteria.nodes import Compare, OneOf, walk
from her2crc.criteria.run import decide, evaluate
from her2crc.criteria.sets import STATUSES, CriteriaSet
from her2crc.model.quantity import UNSETTLED, Ratio

EDITIONS = compile_editions(KNOWLEDGE_DIR)
SHOWN = 5
LEAST_CASES = 40_000


def adjusted(copies: object, fraction: object) -> Ratio | None:
    """Copies per tumour cell, kept exact; unknown where a base fact is, and where there is no tumour."""
    if not isinstance(copies, Decimal) or not isinstance(fraction, Decimal) or fraction == 0:
        return None
    return Ratio(copies - 2 * (1 - fraction), fraction)


def derive(facts: Case) -> Case:
    return {
        **facts,
        "ngs_tumour_copies": adjusted(facts.get("ngs_copies"), facts.get("tumour_purity")),
        "plasma_adjusted_copies": adjusted(facts.get("plasma_copies"), facts.get("tumour_fraction")),
    }


def cases_of(criteria: CriteriaSet) -> Iterator[Case]:
    return boundary_cases(criteria, EDITIONS.fields, derive)


def shown(case: Case) -> dict[str, str]:
    return {name: str(value) for name, value in case.items() if value is not None}


RULES = [criteria for criteria in EDITIONS.sets if criteria.rows]
each_set = pytest.mark.parametrize("criteria", EDITIONS.sets, ids=lambda criteria: criteria.id)
each_rule = pytest.mark.parametrize("criteria", RULES, ids=lambda criteria: criteria.id)


def test_the_oracle_knows_every_shipped_set() -> None:
    assert {criteria.id for criteria in EDITIONS.sets} == {*SPECS, *UNSEEN}


@each_set
def test_interpreter_and_closure_give_what_the_oracle_expects(criteria: CriteriaSet) -> None:
    compiled = compile_set(criteria)
    differences = []
    for case in cases_of(criteria):
        told = {name: UNUSABLE if value is UNSETTLED else value for name, value in case.items()}
        answers = (decide(criteria, case).status, compiled.status(case), expected(criteria.id, told))
        if len(set(answers)) > 1:
            differences.append((answers, shown(case)))
    assert not differences, f"{len(differences)} cases differ, the first: {differences[:SHOWN]}"


def test_there_are_enough_cases(capsys: pytest.CaptureFixture[str]) -> None:
    counts = {criteria.id: sum(1 for _ in cases_of(criteria)) for criteria in RULES}
    with capsys.disabled():
        print(f"\n{sum(counts.values()):,} boundary cases over {len(counts)} sets")
    assert sum(counts.values()) > LEAST_CASES


@each_rule
def test_every_row_decides_some_case_and_every_condition_goes_both_ways(criteria: CriteriaSet) -> None:
    cases = list(cases_of(criteria))
    outcomes = [decide(criteria, case) for case in cases]
    assert {outcome.row.id for outcome in outcomes if outcome.row} == {row.id for row in criteria.rows}
    assert {outcome.status for outcome in outcomes} <= set(STATUSES)
    leaves = {part for row in criteria.rows for part in walk(row.when) if isinstance(part, (Compare, OneOf))}
    for leaf in leaves:
        assert {evaluate(leaf, case) for case in cases} == {True, False, None}, leaf


@each_rule
def test_derived_copies_are_tried_on_both_sides_and_exactly_at_their_thresholds(criteria: CriteriaSet) -> None:
    leaves = {part for row in criteria.rows for part in walk(row.when) if isinstance(part, Compare)}
    derived = {leaf for leaf in leaves if EDITIONS.fields[leaf.field].derived_from}
    cases = list(cases_of(criteria))
    for leaf in derived:
        values = [case[leaf.field] for case in cases]
        excess = {value.excess(leaf.value) for value in values if isinstance(value, Ratio)}
        near = {amount.compare(Decimal(0)) for amount in excess if abs(amount) <= DERIVED_STEP}
        assert near == {Decimal(-1), Decimal(0), Decimal(1)}, leaf


def test_thinning_keeps_all_combinations_of_the_most_read_facts() -> None:
    criteria = next(item for item in EDITIONS.sets if item.id == "heracles_2015")
    grid = value_grid(criteria, EDITIONS.fields, derive)
    first, second = tuple(grid)[:2]
    few = list(boundary_cases(criteria, EDITIONS.fields, derive, most=100))
    assert len(few) <= 200
    assert set(product(grid[first], grid[second])) <= {(case[first], case[second]) for case in few}
    for name, values in grid.items():
        assert {case[name] for case in few} == {*values, UNSETTLED}, name
