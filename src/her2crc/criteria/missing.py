"""Which unknown facts would decide a case that a set leaves open.

A fact is named when some value of it alone would settle the case; where no single fact can, all that keep a row
open are named. Values are tried from the thresholds of the set itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from itertools import pairwise, product
from typing import Any

from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.nodes import Compare, Node, OneOf, walk
from her2crc.criteria.run import Facts, Outcome, decide, is_unknown, unknown_fields
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.quantity import Value

UNDECIDED = ("indeterminate", "equivocal")


def missing_facts(
    criteria: CriteriaSet, facts: Facts, outcome: Outcome, fields: Mapping[str, Field]
) -> tuple[str, ...]:
    """Return the unknown facts that would decide; none where the case is decided or the set does not apply."""
    if outcome.status not in UNDECIDED:
        return ()
    if outcome.row is not None and outcome.row.needs:
        return outcome.row.needs
    blocking = _blocking(criteria, facts)
    bases = tuple(dict.fromkeys(base for name in blocking for base in _bases(name, facts, fields)))
    deciding = tuple(name for name in bases if _can_decide(name, criteria, facts, outcome.status, fields))
    return deciding or bases


def _blocking(criteria: CriteriaSet, facts: Facts) -> tuple[str, ...]:
    conditions = (criteria.applies, *(row.when for row in criteria.rows))
    return tuple(dict.fromkeys(name for condition in conditions for name in unknown_fields(condition, facts)))


def _bases(name: str, facts: Facts, fields: Mapping[str, Field]) -> tuple[str, ...]:
    """A derived fact is not measured: what is missing is the unknown facts that it is computed from."""
    derived_from = fields[name].derived_from
    return tuple(base for base in derived_from if is_unknown(facts.get(base))) if derived_from else (name,)


def _can_decide(name: str, criteria: CriteriaSet, facts: Facts, status: str, fields: Mapping[str, Field]) -> bool:
    names = (name, *(other for other in _completed_by(name, facts, fields)))
    tried = [_values(other, criteria, fields[other]) for other in names]
    still_open = {"indeterminate", status}
    outcomes = (decide(criteria, {**facts, **dict(zip(names, values, strict=True))}) for values in product(*tried))
    return any(outcome.applies and outcome.status not in still_open for outcome in outcomes)


def _completed_by(name: str, facts: Facts, fields: Mapping[str, Field]) -> Iterator[str]:
    """Yield the derived facts that would be known once ``name`` is."""
    for other in fields.values():
        others = [base for base in other.derived_from if base != name]
        if name in other.derived_from and others and not any(is_unknown(facts.get(base)) for base in others):
            yield other.name


def _values(name: str, criteria: CriteriaSet, field: Field) -> tuple[Value, ...]:
    nodes = tuple(node for row in criteria.rows for node in walk(row.when))
    if field.type in NUMERIC:
        return _around(_thresholds(name, nodes))
    if field.type == "boolean":
        return (True, False)
    named = dict.fromkeys(v for node in nodes if isinstance(node, OneOf) and node.field == name for v in node.values)
    other = next((code for code in field.values if code not in named), None)
    return tuple(named) + ((other,) if other else ())


def _thresholds(name: str, nodes: tuple[Node, ...]) -> tuple[Decimal, ...]:
    return tuple(sorted({node.value for node in nodes if isinstance(node, Compare) and node.field == name}))


@cache
def _around(thresholds: tuple[Decimal, ...]) -> tuple[Any, ...]:
    """Return the thresholds, a value between each two, one below all and one above all."""
    if not thresholds:
        return (Decimal(0),)
    between = [(low + high) / 2 for low, high in pairwise(thresholds)]
    below, above = thresholds[0] / 2, thresholds[-1] * 2 + 1
    return tuple(sorted({below, *thresholds, *between, above}))
