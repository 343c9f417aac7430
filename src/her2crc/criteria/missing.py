"""Which unknown facts would decide a case that a set leaves open.

A fact is named when some value of it alone would settle the case; where no single fact can, all that keep a row
open are named. Values are tried from the thresholds of the set itself. The trying takes longer than all the rest of
judging, and patients are alike in what a set reads, so that what was found is remembered; a set that is searched
often tries by the compiled executor, which is the reference executor's equal (proved by generated tests).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from decimal import Decimal
from functools import cache
from itertools import pairwise, product
from typing import Any

from her2crc.criteria.closure import OUTSIDE, Compiled, compile_set, status_of
from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.nodes import Compare, CompareRatio, Node, OneOf, fields_of, fields_read, walk
from her2crc.criteria.run import Facts, Outcome, decide, is_unknown, unknown_fields
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.quantity import Ratio, Value

UNDECIDED = ("indeterminate", "equivocal")
MOST_REMEMBERED, MOST_SETS = 4096, 256
"""Cases of a set, and sets, that are kept; a program that judges for months must not grow."""
WORTH_COMPILING = 8
"""Searches of a set from which on compiling it takes less time than it saves."""


def missing_facts(
    criteria: CriteriaSet, facts: Facts, outcome: Outcome, fields: Mapping[str, Field]
) -> tuple[str, ...]:
    """Return the unknown facts that would decide; none where the case is decided or the set does not apply."""
    if outcome.status not in UNDECIDED:
        return ()
    if outcome.row is not None and outcome.row.needs:
        return outcome.row.needs
    return _search_of(criteria, fields).find(facts, outcome.status)


class _Search:
    """What was found of one set so far, by all that the search looks at.

    That is of each field that the set reads its value, and of each fact that one of these is derived from whether it
    is known. A number is to the set what its place among the set's own thresholds is; other values have the type of
    their field, so that equal ones are the same.
    """

    def __init__(self, criteria: CriteriaSet, fields: Mapping[str, Field]) -> None:
        self.criteria, self.fields = criteria, fields
        self._read = tuple(dict.fromkeys(name for node in _conditions(criteria) for name in fields_read(node)))
        self._bases = tuple(dict.fromkeys(base for name in self._read for base in fields[name].derived_from))
        nodes = tuple(part for node in _conditions(criteria) for part in walk(node))
        divided = {name for node in nodes if isinstance(node, CompareRatio) for name in fields_of(node)}
        self._cuts = {name: _thresholds(name, nodes) for name in self._read if name not in divided}
        self._found: dict[tuple[Any, ...], tuple[str, ...]] = {}
        self._trial, self._searches = Trial(criteria, fields), 0

    def find(self, facts: Facts, status: str) -> tuple[str, ...]:
        """Return the facts that would decide, searched for only once."""
        places = (_place(facts.get(name), self._cuts.get(name, ())) for name in self._read)
        key = (*places, *(is_unknown(facts.get(base)) for base in self._bases))
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= MOST_REMEMBERED:
                self._found.clear()
            self._searches += 1
            if self._searches == WORTH_COMPILING:
                self._trial.compile()
            found = self._found[key] = search(self.criteria, facts, status, self.fields, self._trial)
        return found


def _place(value: Any, cuts: tuple[Decimal, ...]) -> Any:
    """Return the place of a number among cuts: even between two of them, odd at one; anything else as it is."""
    if not cuts or is_unknown(value):
        return value
    for at, cut in enumerate(cuts):
        excess = value.excess(cut) if isinstance(value, Ratio) else value - cut
        if excess <= 0:
            return 2 * at + int(excess == 0)
    return 2 * len(cuts)


_SEARCHES: dict[int, _Search] = {}


def _search_of(criteria: CriteriaSet, fields: Mapping[str, Field]) -> _Search:
    """Return the search of this very set; it holds the set, so that no other can take its number meanwhile."""
    found = _SEARCHES.get(id(criteria))
    if found is None or found.criteria is not criteria or found.fields is not fields:
        if len(_SEARCHES) >= MOST_SETS:
            _SEARCHES.clear()
        found = _SEARCHES[id(criteria)] = _Search(criteria, fields)
    return found


class Trial:
    """Tries values of facts in a set, by the reference executor until it is compiled."""

    def __init__(self, criteria: CriteriaSet, fields: Mapping[str, Field]) -> None:
        self.criteria, self.fields = criteria, fields
        self._compiled: Compiled | None = None
        self._tried: dict[str, tuple[Value, ...]] = {}

    def compile(self) -> None:
        """Try by the compiled executor from here on."""
        self._compiled = compile_set(self.criteria)

    def values(self, name: str) -> tuple[Value, ...]:
        """Return the values of a fact that are worth trying."""
        if name not in self._tried:
            self._tried[name] = _values(name, self.criteria, self.fields[name])
        return self._tried[name]

    def decides(self, facts: Facts, still_open: Container[str]) -> bool:
        """Tell whether a set that applies says anything else than what leaves the case open."""
        if self._compiled is None:
            outcome = decide(self.criteria, facts)
            return bool(outcome.applies) and outcome.status not in still_open
        code = self._compiled.decide(*map(facts.get, self._compiled.fields))
        return code != OUTSIDE and status_of(code, self._compiled.statuses) not in still_open


def search(
    criteria: CriteriaSet, facts: Facts, status: str, fields: Mapping[str, Field], trial: Trial | None = None
) -> tuple[str, ...]:
    """Return the unknown facts that would decide a case which the set leaves open with ``status``."""
    trial = trial or Trial(criteria, fields)
    blocking = _blocking(criteria, facts)
    bases = tuple(dict.fromkeys(base for name in blocking for base in _bases(name, facts, fields)))
    deciding = tuple(name for name in bases if _can_decide(name, trial, facts, status))
    return deciding or bases


def _conditions(criteria: CriteriaSet) -> tuple[Node, ...]:
    return (criteria.applies, *(row.when for row in criteria.rows))


def _blocking(criteria: CriteriaSet, facts: Facts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for node in _conditions(criteria) for name in unknown_fields(node, facts)))


def _bases(name: str, facts: Facts, fields: Mapping[str, Field]) -> tuple[str, ...]:
    """A derived fact is not measured: what is missing is the unknown facts that it is computed from."""
    derived_from = fields[name].derived_from
    return tuple(base for base in derived_from if is_unknown(facts.get(base))) if derived_from else (name,)


def _can_decide(name: str, trial: Trial, facts: Facts, status: str) -> bool:
    names = (name, *_completed_by(name, facts, trial.fields))
    tried = product(*map(trial.values, names))
    still_open = ("indeterminate", status)
    return any(trial.decides({**facts, **dict(zip(names, values, strict=True))}, still_open) for values in tried)


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
