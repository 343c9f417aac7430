"""Who evaluates the rules of a cohort: the kernel alone, or besides it an SQL engine on every plain specimen.

The kernel knows what every set says of each signature from the reference executor. An SQL engine works that out anew
for every specimen, from the same rows of the knowledge base by way of :mod:`her2crc.criteria.columns`; where the two
differ, nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlglot import exp, parse_one

from her2crc.cohort.block import Screener
from her2crc.cohort.outcomes import conditions_of
from her2crc.cohort.values import Column
from her2crc.criteria.columns import PER, UNUSABLE, decide_expression
from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.library import Knowledge
from her2crc.criteria.nodes import fields_read

FACTS = "facts"
UNIT_DIGITS = 7
"""Half a millionth has seven decimals; a number with more stands at a half, on its side of any threshold."""
HALF = 5
DECIMAL = pa.decimal128(18, UNIT_DIGITS)

COUNTED = "ish_cep17_signals > 0 AND ish_her2_signals IS NOT NULL"
MEANT = "ish_cep17_copies > 0 AND ish_her2_copies IS NOT NULL AND NOT ish_ratio__unusable"
DERIVED = {
    "ish_ratio": f"CASE WHEN {COUNTED} THEN ish_her2_signals WHEN ish_ratio IS NOT NULL THEN ish_ratio"
    f" WHEN {MEANT} THEN ish_her2_copies END",
    "ish_ratio__per": f"CASE WHEN {COUNTED} THEN ish_cep17_signals WHEN ish_ratio IS NOT NULL THEN 1"
    f" WHEN {MEANT} THEN ish_cep17_copies END",
    "ish_her2_copies": "CASE WHEN ish_nuclei > 0 AND ish_her2_signals IS NOT NULL THEN ish_her2_signals"
    " ELSE ish_her2_copies END",
    "ish_her2_copies__per": "CASE WHEN ish_nuclei > 0 AND ish_her2_signals IS NOT NULL THEN ish_nuclei"
    " WHEN ish_her2_copies IS NOT NULL THEN 1 END",
    "ish_cep17_copies": "CASE WHEN ish_nuclei > 0 AND ish_cep17_signals IS NOT NULL THEN ish_cep17_signals"
    " ELSE ish_cep17_copies END",
    "ish_cep17_copies__per": "CASE WHEN ish_nuclei > 0 AND ish_cep17_signals IS NOT NULL THEN ish_nuclei"
    " WHEN ish_cep17_copies IS NOT NULL THEN 1 END",
    "ngs_tumour_copies": "CASE WHEN tumour_purity > 0 THEN ngs_copies - 2 * (1 - tumour_purity) END",
    "ngs_tumour_copies__per": "CASE WHEN tumour_purity > 0 AND ngs_copies IS NOT NULL THEN tumour_purity END",
    "plasma_adjusted_copies": "CASE WHEN tumour_fraction > 0 THEN plasma_copies - 2 * (1 - tumour_fraction) END",
    "plasma_adjusted_copies__per": "CASE WHEN tumour_fraction > 0 AND plasma_copies IS NOT NULL"
    " THEN tumour_fraction END",
}
"""What ``normalise.derive_facts`` computes, as SQL over the base facts: numerators and denominators of quotients."""


class SqlScreener(Screener):
    """A screener whose verdicts on plain specimens DuckDB works out anew."""

    def __init__(self, knowledge: Knowledge) -> None:
        super().__init__(knowledge)
        import duckdb

        self.connection = duckdb.connect()
        self.query = codes_query(knowledge).sql(dialect="duckdb")

    def codes(self, columns: Mapping[str, Column], table: pa.Table) -> npt.NDArray[Any] | None:
        """Return for each row what each set says, as the number of a row, or open, silent or outside."""
        self.connection.register(FACTS, facts_table(columns, self.fields))
        found = self.connection.execute(self.query).fetchnumpy()
        return np.stack([found[item.id] for item in self.outcomes.sets], axis=1)


def make_screener(knowledge: Knowledge, engine: str) -> Screener:
    """Return the screener of an engine."""
    return Screener(knowledge) if engine == "kernel" else SqlScreener(knowledge)


def codes_query(knowledge: Knowledge, table: str = FACTS, beside: Sequence[str] = ()) -> exp.Select:
    """Return the query that gives, for each row of a table of base facts, the answer of each set.

    ``beside`` names further columns that the inner table hands on.
    """
    sets = knowledge.criteria.values()
    names = dict.fromkeys(name for item in sets for node in conditions_of(item) for name in fields_read(node))
    derived: list[exp.Expr] = []
    for name in names:
        field = knowledge.fields[name]
        for written in (name, name + PER) if field.type == "ratio" else (name,):
            source = parse_one(DERIVED[written]) if written in DERIVED else exp.column(name, quoted=True)
            derived.append(exp.alias_(source, written, quoted=True))
        derived.append(exp.alias_(_unusable(field), name + UNUSABLE, quoted=True))
    derived += [exp.column(name, quoted=True) for name in beside]
    inner = exp.select(*derived).from_(exp.to_table(table)).subquery("derived")
    answers = [
        exp.alias_(
            exp.Cast(this=decide_expression(item, knowledge.fields), to=exp.DataType.build("SMALLINT")),
            item.id,
            quoted=True,
        )
        for item in sets
    ]
    return exp.select(*answers).from_(inner)


def _unusable(field: Field) -> exp.Expr:
    """A derived fact is unusable where it was stated itself and has no value; what it is made of may be absent."""
    if field.derived_from and field.group != "ish":
        return exp.false()
    return exp.column(field.name + UNUSABLE, quoted=True)


def facts_table(columns: Mapping[str, Column], fields: Mapping[str, Field]) -> pa.Table:
    """Return the base facts of specimens as exact decimals, codes and flags, one row a row."""
    found: dict[str, pa.Array] = {}
    for name, field in fields.items():
        if field.level != "specimen" or field.type in ("text", "date"):
            continue
        column = columns[name]
        found[name] = _decimals(column) if field.type in NUMERIC else _codes(column, field)
        found[name + UNUSABLE] = pa.array(column.odd & ~column.known)
    return pa.table(found)


def _decimals(column: Column) -> pa.Array:
    """Return whole units as decimals: two words of a 128-bit number, the second its sign."""
    low = column.values * HALF
    words = np.stack([low, low >> (np.iinfo(np.int64).bits - 1)], axis=1)
    known = np.packbits(np.asarray(column.known, np.bool_), bitorder="little")
    return pa.Array.from_buffers(DECIMAL, len(low), [pa.py_buffer(known), pa.py_buffer(np.ascontiguousarray(words))])


def _codes(column: Column, field: Field) -> pa.Array:
    if field.type == "boolean":
        return pa.array(column.values == 1, mask=~column.known)
    return pa.DictionaryArray.from_arrays(
        pa.array(np.where(column.known, column.values, 0).astype(np.int8), mask=~column.known),
        pa.array([*field.values]),
    )
