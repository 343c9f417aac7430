"""The column executor: conditions and whole sets as SQL, for any engine that sqlglot can write for (DuckDB, Spark).

Every node becomes two guards, "is true" and "is false", as in :mod:`her2crc.criteria.closure`: unknown is what neither
admits. Guards hold only comparisons joined by and, or: SQL's own null then counts as "not so", whatever the engine.
Numbers are exact decimals. A fact that is a quotient stands in two columns and is compared by cross-multiplication;
beside each fact a flag says that it was stated but cannot be used. Syntax trees are built, never text.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from sqlglot import exp

from her2crc.criteria.closure import OPEN, OPPOSITE, OUTSIDE, SILENT
from her2crc.criteria.fields import Field
from her2crc.criteria.nodes import And, Compare, CompareRatio, IsNull, IsTrue, Node, Not, OneOf, Or
from her2crc.criteria.sets import CriteriaSet

PER = "__per"
"""Ending of the column that holds the denominator of a quotient; the numerator has the fact's own name."""
UNUSABLE = "__unusable"
"""Ending of the flag of a fact that was stated but cannot be used; its value is then null."""

COMPARISON: dict[str, type[exp.Binary]] = {
    "=": exp.EQ,
    "<>": exp.NEQ,
    "<": exp.LT,
    "<=": exp.LTE,
    ">": exp.GT,
    ">=": exp.GTE,
}


def decide_expression(criteria: CriteriaSet, fields: Mapping[str, Field]) -> exp.Expr:
    """Return what a set says of a case: the number of the row that decides, or ``OPEN``, ``SILENT`` or ``OUTSIDE``.

    The expression reads columns with the names of the facts, of their denominators and of their flags.
    """
    if not criteria.rows:
        return _number(SILENT)
    guards = Guards(fields)
    rows = exp.Case()
    for at, row in enumerate(criteria.rows):
        rows = rows.when(guards.guard(row.when, True), _number(at), copy=False)
    closed = _join(exp.And, [guards.guard(row.when, False) for row in criteria.rows])
    rows = rows.when(closed, _number(SILENT), copy=False).else_(_number(OPEN), copy=False)
    applies = exp.Case().when(guards.guard(criteria.applies, False), _number(OUTSIDE), copy=False)
    return applies.when(guards.guard(criteria.applies, True), rows, copy=False).else_(_number(OPEN), copy=False)


class Guards:
    """Writes the two guards of a node as SQL expressions over the columns of the facts."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields

    def guard(self, node: Node, wanted: bool) -> exp.Expr:
        """Return the condition under which ``node`` is true (or, not ``wanted``, false)."""
        match node:
            case And(args) | Or(args):
                joint = exp.And if isinstance(node, And) is wanted else exp.Or
                return _join(joint, [self.guard(arg, wanted) for arg in args])
            case Not(arg):
                return self.guard(arg, not wanted)
            case IsNull(field):
                return self._is_null(field, wanted)
            case IsTrue(field):
                return exp.EQ(this=_column(field), expression=exp.Boolean(this=wanted))
            case OneOf(field, values):
                among = exp.In(this=_column(field), expressions=[exp.Literal.string(value) for value in values])
                return among if wanted else exp.Not(this=among)
            case Compare(field, op, value):
                sign = COMPARISON[op if wanted else OPPOSITE[op]]
                return sign(this=_column(field), expression=self._limit(field, value))
            case CompareRatio(numerator, denominator, op, value):
                sign = COMPARISON[op if wanted else OPPOSITE[op]]
                crossed = sign(this=_column(numerator), expression=_times(value, denominator))
                return _join(exp.And, [exp.GT(this=_column(denominator), expression=_number(0)), crossed])

    def _is_null(self, field: str, wanted: bool) -> exp.Expr:
        absent = exp.Is(this=_column(field), expression=exp.Null())
        unusable = exp.EQ(this=_column(field + UNUSABLE), expression=exp.Boolean(this=not wanted))
        if wanted:
            return _join(exp.And, [absent, unusable])
        return _join(exp.Or, [exp.Not(this=absent), unusable])

    def _limit(self, field: str, value: Decimal) -> exp.Expr:
        """Return what the column is compared with: the threshold, times the denominator where there is one."""
        return _times(value, field + PER) if self.fields[field].type == "ratio" else _decimal(value)


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _number(value: int) -> exp.Expr:
    return exp.convert(value)


def _decimal(value: Decimal) -> exp.Expr:
    """Return an exact decimal literal; a cast keeps every engine from reading it as a double."""
    whole, decimals = len(str(abs(int(value)))), max(0, -int(value.as_tuple().exponent))
    kind = exp.DataType.build(f"DECIMAL({whole + decimals}, {decimals})")
    return exp.Cast(this=exp.Literal.number(f"{value:f}"), to=kind)


def _times(value: Decimal, name: str) -> exp.Expr:
    return exp.Mul(this=_decimal(value), expression=_column(name))


def _join(joint: type[exp.And] | type[exp.Or], conditions: list[exp.Expr]) -> exp.Expr:
    """Join conditions, each in brackets, so that nothing depends on what binds stronger."""
    joined = exp.Paren(this=conditions[0])
    for condition in conditions[1:]:
        joined = exp.Paren(this=joint(this=joined, expression=exp.Paren(this=condition)))
    return joined
