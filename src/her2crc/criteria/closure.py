"""The fast executor: a criteria set compiled to one plain Python function.

Every node becomes two guards, "is true" and "is false"; unknown is what neither guard admits, so three-valued
logic needs no third value at run time. The function takes the set's fields by position and returns a row number,
``OPEN`` or ``SILENT``. It must agree with :mod:`her2crc.criteria.run` on every case (proved by generated tests).
"""

from __future__ import annotations

from collections.abc import Callable
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
    fields_read,
)
from her2crc.criteria.run import Facts
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.quantity import UNSETTLED, Ratio

OPEN, SILENT, OUTSIDE = -1, -2, -3
"""No row decided because a fact is unknown; no row covers the case; the set does not apply."""

OPPOSITE = {"=": "<>", "<>": "=", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
PYTHON_OPERATOR = {"=": "==", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Compiled(msgspec.Struct, frozen=True):
    """A compiled set: ``decide`` takes the values of ``fields`` by position (numbers as plain or as ratios)."""

    fields: tuple[str, ...]
    decide: Callable[..., int]
    statuses: tuple[str, ...]

    def status(self, facts: Facts) -> str:
        """Return the status of one case."""
        return status_of(self.decide(*[facts.get(name) for name in self.fields]), self.statuses)


def status_of(code: int, statuses: tuple[str, ...]) -> str:
    """Turn what a compiled function returned into a status."""
    if code >= 0:
        return statuses[code]
    return "indeterminate" if code == OPEN else "not_covered"


def compile_set(criteria: CriteriaSet) -> Compiled:
    """Compile a set. The source is generated from checked nodes only, never from user text."""
    names = tuple(dict.fromkeys(n for node in (criteria.applies, *_whens(criteria)) for n in fields_read(node)))
    writer = _Writer()
    lines = [f"    if {writer.is_false(criteria.applies)}: return {OUTSIDE}"] if criteria.rows else []
    lines += [f"    if not {writer.is_true(criteria.applies)}: return {OPEN}"] if criteria.rows else []
    lines += [f"    if {writer.is_true(row.when)}: return {at}" for at, row in enumerate(criteria.rows)]
    closed = " and ".join(writer.is_false(when) for when in _whens(criteria)) or "True"
    lines.append(f"    return {SILENT} if {closed} else {OPEN}")
    source = "\n".join([f"def decide({', '.join(names)}):", *lines])
    scope: dict[str, Any] = {"Ratio": Ratio, "UNSETTLED": UNSETTLED, **writer.constants}
    exec(compile(source, f"<criteria {criteria.id}>", "exec"), scope)  # noqa: S102 - generated from checked nodes
    return Compiled(names, scope["decide"], tuple(row.then for row in criteria.rows))


def _whens(criteria: CriteriaSet) -> tuple[Node, ...]:
    return tuple(row.when for row in criteria.rows)


class _Writer:
    """Writes the two guards of a node as Python expressions; literals become named constants.

    Unknown (absent, or stated but unusable) fails both guards of a leaf.
    """

    def __init__(self) -> None:
        self.constants: dict[str, Any] = {}

    def is_true(self, node: Node) -> str:
        return self._guard(node, True)

    def is_false(self, node: Node) -> str:
        return self._guard(node, False)

    def _guard(self, node: Node, wanted: bool) -> str:
        match node:
            case And(args) | Or(args):
                joint = " and " if isinstance(node, And) is wanted else " or "
                return "(" + joint.join(self._guard(arg, wanted) for arg in args) + ")"
            case Not(arg):
                return self._guard(arg, not wanted)
            case IsNull(field):
                return f"({field} is {'' if wanted else 'not '}None)"
            case IsTrue(field):
                return f"({field} is {wanted})"
            case OneOf(field, values):
                among = f"{'' if wanted else 'not '}in {self._constant(frozenset(values))}"
                return f"({self._comparable(field)} and {field} {among})"
            case Compare(field, op, value):
                sign, literal = PYTHON_OPERATOR[op if wanted else OPPOSITE[op]], self._constant(value)
                crossed = f"{field}[0] {sign} {literal} * {field}[1]"
                plain = f"{field} {sign} {literal}"
                return f"({self._comparable(field)} and ({crossed} if {field}.__class__ is Ratio else {plain}))"
            case CompareRatio(numerator, denominator, op, value):
                sign, literal = PYTHON_OPERATOR[op if wanted else OPPOSITE[op]], self._constant(value)
                known = f"{self._comparable(numerator)} and {self._comparable(denominator)} and {denominator} > 0"
                return f"({known} and {numerator} {sign} {literal} * {denominator})"

    def _comparable(self, field: str) -> str:
        return f"{field} is not None and {field} is not UNSETTLED"

    def _constant(self, value: Decimal | frozenset[str]) -> str:
        for name, known in self.constants.items():
            if type(known) is type(value) and known == value:
                return name
        name = f"c{len(self.constants)}"
        self.constants[name] = value
        return name
