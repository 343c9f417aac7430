"""The column executors (SQL in DuckDB and Spark, signatures) against the reference interpreter and the closure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rule_trees import FIELDS, facts, rule_sets
from sql_facts import as_columns, query, run_in_duckdb

from her2crc.criteria.cases import boundary_cases
from her2crc.criteria.closure import OPEN, OUTSIDE, SILENT, compile_set
from her2crc.criteria.run import Facts, decide
from her2crc.criteria.sets import CriteriaSet
from her2crc.flow import load_knowledge
from her2crc.normalise import derive_facts

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")

KNOWLEDGE = load_knowledge(date(2026, 11, 22))
SETS = {item.id: item for item in KNOWLEDGE.criteria.values() if item.rows}
each_set = pytest.mark.parametrize("criteria", SETS.values(), ids=SETS)
CASES, MANY_CASES = 400, 20_000
EXAMPLES, MANY_EXAMPLES = 60, 2_000


@pytest.fixture(scope="module")
def connection() -> Iterator[Any]:
    with duckdb.connect() as opened:
        yield opened


def reference(criteria: CriteriaSet, case: Facts) -> int:
    outcome = decide(criteria, case)
    if outcome.row is not None:
        return criteria.rows.index(outcome.row)
    if criteria.rows and outcome.applies is False:
        return OUTSIDE
    return OPEN if outcome.status == "indeterminate" else SILENT


def agree_in_duckdb(criteria: CriteriaSet, cases: list[Any], fields: Any, connection: Any) -> None:
    expected = [reference(criteria, case) for case in cases]
    compiled = compile_set(criteria)
    assert [compiled.decide(*[case.get(name) for name in compiled.fields]) for case in cases] == expected
    assert run_in_duckdb(criteria, cases, fields, connection) == expected


@each_set
def test_sql_agrees_on_boundary_cases(criteria: CriteriaSet, connection: Any) -> None:
    cases = list(boundary_cases(criteria, KNOWLEDGE.fields, derive_facts, CASES))
    agree_in_duckdb(criteria, cases, KNOWLEDGE.fields, connection)
    assert len({reference(criteria, case) for case in cases}) > 1


@pytest.mark.long
@each_set
def test_sql_agrees_on_very_many_boundary_cases(criteria: CriteriaSet, connection: Any) -> None:
    cases = list(boundary_cases(criteria, KNOWLEDGE.fields, derive_facts, MANY_CASES))
    agree_in_duckdb(criteria, cases, KNOWLEDGE.fields, connection)


@given(rule_sets, st.lists(facts, min_size=1, max_size=20))
@settings(max_examples=EXAMPLES, deadline=None)
def test_sql_agrees_on_random_rules(criteria: CriteriaSet, cases: list[Facts]) -> None:
    with duckdb.connect() as connection:
        agree_in_duckdb(criteria, cases, FIELDS, connection)


@pytest.mark.long
@given(rule_sets, st.lists(facts, min_size=1, max_size=20))
@settings(max_examples=MANY_EXAMPLES, deadline=None)
def test_sql_agrees_on_very_many_random_rules(criteria: CriteriaSet, cases: list[Facts]) -> None:
    with duckdb.connect() as connection:
        agree_in_duckdb(criteria, cases, FIELDS, connection)


@each_set
def test_a_signature_holds_all_that_a_set_looks_at(criteria: CriteriaSet) -> None:
    """What is remembered for the facts of one case is what the reference says of every case that looks the same."""
    from her2crc.cohort.outcomes import Outcomes
    from her2crc.cohort.signatures import Signatures
    from her2crc.criteria.missing import missing_facts

    outcomes = Outcomes(KNOWLEDGE, Signatures(KNOWLEDGE))
    at = [item.id for item in outcomes.sets].index(criteria.id)
    for case in islice(boundary_cases(criteria, KNOWLEDGE.fields, derive_facts, CASES), None):
        known = outcomes.known[outcomes._outcome(at, case, outcomes.signatures.places(case))]
        outcome = decide(criteria, case)
        assert known.code == reference(criteria, case)
        assert known.missing == missing_facts(criteria, case, outcome, KNOWLEDGE.fields)


def test_spark_agrees_on_boundary_cases(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    import pyarrow.parquet as pq

    from her2crc.cohort.spark import _session

    session = _session("local[1]")
    try:
        for criteria in SETS.values():
            cases = list(boundary_cases(criteria, KNOWLEDGE.fields, derive_facts, CASES))
            path = tmp_path / f"{criteria.id}.parquet"
            pq.write_table(as_columns(criteria, cases, KNOWLEDGE.fields), path)
            session.read.parquet(str(path)).createOrReplaceTempView("cases")
            answers = [row.answer for row in session.sql(query(criteria, KNOWLEDGE.fields, "spark")).collect()]
            assert answers == [reference(criteria, case) for case in cases], criteria.id
    finally:
        session.stop()
