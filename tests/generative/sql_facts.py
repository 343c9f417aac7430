"""Cases as the columns that the SQL executor reads, and sets run over them in DuckDB or Spark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlglot import exp

from her2crc.cohort.outcomes import conditions_of
from her2crc.criteria.columns import PER, UNUSABLE, decide_expression
from her2crc.criteria.fields import Field
from her2crc.criteria.nodes import fields_read
from her2crc.criteria.run import Facts, is_unknown
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.quantity import UNSETTLED, Ratio

NUMBER = pa.decimal128(24, 12)


def read_by(criteria: CriteriaSet) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for node in conditions_of(criteria) for name in fields_read(node)))


def as_columns(criteria: CriteriaSet, cases: Sequence[Facts], fields: Mapping[str, Field]) -> pa.Table:
    found: dict[str, pa.Array] = {"case": pa.array(range(len(cases)))}
    for name in read_by(criteria):
        kind = fields[name].type
        values = [case.get(name) for case in cases]
        found[name + UNUSABLE] = pa.array([value is UNSETTLED for value in values])
        known: list[Any] = [None if is_unknown(value) else value for value in values]
        if kind in ("integer", "decimal", "ratio"):
            above = [value.numerator if isinstance(value, Ratio) else value for value in known]
            below = [value.denominator if isinstance(value, Ratio) else 1 for value in known]
            found[name] = pa.array([None if value is None else Decimal(value) for value in above], NUMBER)
            found[name + PER] = pa.array([Decimal(value) for value in below], NUMBER)
        else:
            found[name] = pa.array(known, pa.bool_() if kind == "boolean" else pa.string())
    return pa.table(found)


def query(criteria: CriteriaSet, fields: Mapping[str, Field], dialect: str) -> str:
    answer = exp.alias_(decide_expression(criteria, fields), "answer")
    return exp.select(answer).from_("cases").order_by(exp.column("case", quoted=True)).sql(dialect=dialect)


def run_in_duckdb(
    criteria: CriteriaSet, cases: Sequence[Facts], fields: Mapping[str, Field], connection: Any
) -> list[int]:
    connection.register("cases", as_columns(criteria, cases, fields))
    rows: list[tuple[int]] = connection.execute(query(criteria, fields, "duckdb")).fetchall()
    return [code for (code,) in rows]
