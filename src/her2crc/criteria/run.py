"""The reference executor: one condition or one criteria set on one case, in Kleene's three-valued logic.

``True``, ``False`` and ``None`` (unknown) go through and, or, not as Kleene defined them; a comparison with an
unknown value is unknown; only ``is null`` always knows. This module is the meaning of the language: the compiled
closures, SQL and CQL are checked against it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from her2crc.criteria.nodes import (
    And,
    Compare,
    CompareRatio,
    IsNull,
    IsTrue,
    Node,
    Not,
    OneOf,
    Or,
    children,
    fields_of,
    to_text,
)
from her2crc.criteria.sets import CriteriaSet, Row
from her2crc.model.quantity import UNSETTLED, Ratio, Value

Facts = Mapping[str, Value | None]

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Step(msgspec.Struct, frozen=True):
    """One node of a trace: the condition, what it came to, the values it read, and the steps below it."""

    text: str
    value: bool | None
    read: dict[str, str | None]
    steps: tuple[Step, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """What one criteria set says of one case.

    ``row`` is the row that decided (None where none did); ``open_rows`` are the rows that an unknown fact
    leaves open, in file order, whenever no row decided. ``applies`` is None where tumour or material is in dispute.
    """

    status: str
    row: Row | None
    open_rows: tuple[Row, ...] = ()
    applies: bool | None = True


def evaluate(node: Node, facts: Facts) -> bool | None:
    """Return whether a condition holds: True, False, or None where an unknown fact leaves it open."""
    match node:
        case And(args):
            return _all(evaluate(arg, facts) for arg in args)
        case Or(args):
            return _negated(_all(_negated(evaluate(arg, facts)) for arg in args))
        case Not(arg):
            return _negated(evaluate(arg, facts))
        case Compare(field, op, value):
            return _compare(facts.get(field), op, value)
        case CompareRatio(numerator, denominator, op, value):
            return _compare_quotient(facts.get(numerator), facts.get(denominator), op, value)
        case OneOf(field, values):
            return None if is_unknown(facts.get(field)) else facts.get(field) in values
        case IsTrue(field):
            return None if is_unknown(facts.get(field)) else facts.get(field) is True
        case IsNull(field):
            return facts.get(field) is None


def decide(criteria: CriteriaSet, facts: Facts) -> Outcome:
    """Return what a criteria set says of a case.

    A row that holds decides. Where none holds but an unknown fact leaves one open, the answer is
    ``indeterminate``. A set that does not apply, and one without readable rules, says ``not_covered``.
    """
    applies = evaluate(criteria.applies, facts)
    if applies is False or not criteria.rows:
        return Outcome("not_covered", None, applies=False)
    if applies is None:  # tumour or material contradicts itself
        return Outcome("indeterminate", None, applies=None)
    open_rows = []
    for row in criteria.rows:
        holds = evaluate(row.when, facts)
        if holds:
            return Outcome(row.then, row)
        if holds is None:
            open_rows.append(row)
    return Outcome("indeterminate" if open_rows else "not_covered", None, tuple(open_rows))


def trace(node: Node, facts: Facts) -> Step:
    """Evaluate a condition and keep every step, for a person to read."""
    read = {name: show_value(facts.get(name)) for name in fields_of(node)}
    steps = tuple(trace(child, facts) for child in children(node))
    return Step(to_text(node), evaluate(node, facts), read, steps)


def unknown_fields(node: Node, facts: Facts) -> tuple[str, ...]:
    """Return the unknown fields that keep a condition open (none where it is decided)."""
    if evaluate(node, facts) is not None:
        return ()
    below = [name for child in children(node) for name in unknown_fields(child, facts)]
    here = [name for name in fields_of(node) if is_unknown(facts.get(name))]
    return tuple(dict.fromkeys(here + below))


def is_unknown(value: Value | None) -> bool:
    """Tell whether a fact's value is not known: absent, or stated but unusable."""
    return value is None or value is UNSETTLED


def show_value(value: Value | None) -> str | None:
    """Write a value for a person: a ratio rounded to two decimals, the rest as it is."""
    if value is UNSETTLED:
        return "stated, but unusable"
    if isinstance(value, Ratio):
        return str(value.rounded())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return None if value is None else str(value)


def _all(values: Any) -> bool | None:
    answer: bool | None = True
    for value in values:
        if value is False:
            return False
        if value is None:
            answer = None
    return answer


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def _compare(known: Value | None, op: str, value: Decimal) -> bool | None:
    if is_unknown(known):
        return None
    if isinstance(known, Ratio):
        return COMPARE[op](known.excess(value), 0)
    return COMPARE[op](known, value)


def _compare_quotient(numerator: Any, denominator: Any, op: str, value: Decimal) -> bool | None:
    if is_unknown(numerator) or is_unknown(denominator) or denominator <= 0:
        return None
    return COMPARE[op](numerator, value * denominator)
