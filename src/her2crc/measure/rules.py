"""With what chance each published rule is met, given numbers that are known only with their uncertainty.

Every criteria set that reads an uncertain field is decided over the whole range of that field by its compiled form.
The range is cut exactly where the set's thresholds lie (also those of a derived field, which is linear in the number
that it is computed from), so the chances are exact in the first uncertain field; further fields enter as values of
equal chance. A rule is met or not met only where that is as sure as the declared level; else it cannot be decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise, product
from math import prod
from typing import Any, Literal

import msgspec

from her2crc.criteria.closure import Compiled, compile_set
from her2crc.criteria.library import Knowledge
from her2crc.criteria.missing import missing_facts
from her2crc.criteria.nodes import Compare, fields_read, walk
from her2crc.criteria.run import Facts, decide
from her2crc.criteria.sets import CriteriaSet
from her2crc.measure.distributions import Distribution, Values
from her2crc.model.citation import Citation
from her2crc.model.quantity import Ratio, Value
from her2crc.normalise import derive_facts

MET, NOT_MET, CANNOT_DECIDE = "met", "not_met", "cannot_decide"
OUTCOMES = {"positive": MET, "negative": NOT_MET}
Thresholds = Collection[tuple[str, Decimal]]
PARTS = 48
"""Values of equal chance by which a further uncertain field is represented; 48 and 480 agree to 0.002."""


class RuleChance(msgspec.Struct, frozen=True):
    """One criteria set on one uncertain specimen.

    ``outcome``: ``met``, ``not_met`` or ``cannot_decide``; ``probability``: of that outcome (for ``cannot_decide``
    the chance of being met). ``chances``: status to its chance. ``status``: the likeliest one. ``why``: what the set
    says at the middle of the range. ``missing``: the unknown facts that would decide. ``role``: ``rule``, or
    ``contrast`` for another organ's rule. ``cite``: where the row that holds there stands, else the set.
    """

    set: str
    name: str
    role: str
    outcome: Literal["met", "not_met", "cannot_decide"]
    probability: float
    status: str
    chances: dict[str, float]
    why: str = ""
    missing: tuple[str, ...] = ()
    cite: tuple[Citation, ...] = ()


def rule_probabilities(
    facts: Facts, uncertain: Mapping[str, Distribution], knowledge: Knowledge
) -> tuple[RuleChance, ...]:
    """Return the chance of each status under each set that reads an uncertain field and may apply.

    Args:
        facts: the other facts of the specimen by field name (derived ones are computed here).
        uncertain: field name to what it may be, independent of each other. The first is cut exactly at every
            threshold, so name the one that matters most first. Empty: the facts alone are judged.
        knowledge: the sets.
    """
    at_middle = derive_facts(dict(facts) | {name: _number(item.quantile(0.5)) for name, item in uncertain.items()})
    rules = _reading(uncertain or [name for name, value in facts.items() if value is not None], at_middle, knowledge)
    cases = _cases(facts, uncertain, {pair for rule in rules for pair in rule.thresholds})
    return _chances(rules, cases, at_middle, knowledge)


def joint_probabilities(
    cases: Iterable[tuple[float, Facts]], fields: Iterable[str], middle: Facts, knowledge: Knowledge
) -> tuple[RuleChance, ...]:
    """Return the same for fields that go together: ``cases`` are weighted facts, whose weights sum to 1.

    Args:
        cases: chance and facts, derived ones included.
        fields: the names of the uncertain fields.
        middle: the facts at the middle of the range, derived ones included.
        knowledge: the sets.
    """
    return _chances(_reading(fields, middle, knowledge), cases, middle, knowledge)


def _reading(fields: Iterable[str], middle: Facts, knowledge: Knowledge) -> list[_Rule]:
    """Return the sets that read one of these fields, or what is derived from it, and may apply."""
    touched = _touched(fields, knowledge)
    rules = (rule for rule in _rules(knowledge) if touched & rule.reads)
    return [rule for rule in rules if decide(rule.criteria, middle).applies is not False]


def _chances(
    rules: Sequence[_Rule], cases: Iterable[tuple[float, Facts]], middle: Facts, knowledge: Knowledge
) -> tuple[RuleChance, ...]:
    chances: list[dict[str, float]] = [{} for _ in rules]
    for weight, case in cases:
        for rule, found in zip(rules, chances, strict=True):
            status = rule.compiled.status(case)
            found[status] = found.get(status, 0.0) + weight
    return tuple(_chance(rule.criteria, found, middle, knowledge) for rule, found in zip(rules, chances, strict=True))


class _Rule(msgspec.Struct, frozen=True):
    """A set made ready: compiled, with the fields that it reads and the thresholds that it compares them with."""

    criteria: CriteriaSet
    compiled: Compiled
    reads: frozenset[str]
    thresholds: tuple[tuple[str, Decimal], ...]


_READY: dict[tuple[str, date], tuple[_Rule, ...]] = {}
"""The sets made ready, by the hash of the knowledge and its day: a cohort measures thousands of specimens."""


def _rules(knowledge: Knowledge) -> tuple[_Rule, ...]:
    key = (knowledge.sha256, knowledge.as_of)
    if key not in _READY:
        _READY[key] = tuple(_ready(item) for item in knowledge.criteria.values() if item.rows)
    return _READY[key]


def _ready(criteria: CriteriaSet) -> _Rule:
    nodes = [node for row in criteria.rows for node in walk(row.when)]
    reads = frozenset(name for row in criteria.rows for name in fields_read(row.when))
    thresholds = {(node.field, node.value) for node in nodes if isinstance(node, Compare)}
    return _Rule(criteria, compile_set(criteria), reads, tuple(thresholds))


def _touched(names: Iterable[str], knowledge: Knowledge) -> set[str]:
    known = set(names)
    return known | {field.name for field in knowledge.fields.values() if known & set(field.derived_from)}


def _cases(
    facts: Facts, uncertain: Mapping[str, Distribution], thresholds: Thresholds
) -> Iterator[tuple[float, Facts]]:
    """Yield cases with their chance: one for each stretch of the first field, for each value of the others."""
    if not uncertain:
        yield 1.0, derive_facts(facts)
        return
    (main, spread), *others = uncertain.items()
    for combination in product(*(_parts(name, item, thresholds) for name, item in others)):
        values = {name: _number(value) for (name, _), (value, _) in zip(others, combination, strict=True)}
        weight = prod(chance for _, chance in combination)
        fixed = dict(facts) | values
        for value, chance in _stretches(main, spread, fixed, thresholds):
            yield weight * chance, derive_facts(fixed | {main: value})


def _parts(name: str, spread: Distribution, thresholds: Thresholds) -> list[tuple[float, float]]:
    """Return values with their chances; parts end at the field's own thresholds, which therefore count exactly."""
    if isinstance(spread, Values):
        return list(spread.pairs)
    cuts = {spread.below(float(cut)) for field, cut in thresholds if field == name}
    return list(_between(spread, cuts | {part / PARTS for part in range(PARTS)}))


def _stretches(
    main: str, spread: Distribution, fixed: dict[str, Any], thresholds: Thresholds
) -> Iterator[tuple[Decimal, float]]:
    """Yield a value inside each stretch between two thresholds, with the chance of the stretch."""
    pairs = spread.pairs if isinstance(spread, Values) else _between(spread, _cuts(main, spread, fixed, thresholds))
    return ((_number(value), chance) for value, chance in pairs)


def _between(spread: Distribution, cuts: set[float]) -> Iterator[tuple[float, float]]:
    for low, high in pairwise(sorted({0.0, 1.0, *cuts})):
        yield spread.quantile((low + high) / 2), high - low


def _cuts(main: str, spread: Distribution, fixed: dict[str, Any], thresholds: Thresholds) -> set[float]:
    """Return the chances below each value of ``main`` at which a threshold, its own or a derived one, is crossed."""
    at_zero, at_one = (derive_facts(fixed | {main: Decimal(value)}) for value in (0, 1))
    found = set()
    for field, threshold in thresholds:
        low, high = _quotient(at_zero.get(field)), _quotient(at_one.get(field))
        if field == main:
            found.add(spread.below(float(threshold)))
        elif low is not None and high is not None and low != high:
            found.add(spread.below(float((threshold - low) / (high - low))))
    return found


def _quotient(value: Value | None) -> Decimal | None:
    if isinstance(value, Ratio):
        return value.numerator / value.denominator
    return Decimal(value) if isinstance(value, Decimal | int) else None


def _number(value: float) -> Decimal:
    return Decimal(repr(value))


def _chance(criteria: CriteriaSet, chances: dict[str, float], middle: Facts, knowledge: Knowledge) -> RuleChance:
    likeliest = max(chances, key=lambda status: chances[status])
    sure = chances[likeliest] >= float(knowledge.settings.interval_level)
    outcome: Any = OUTCOMES.get(likeliest, CANNOT_DECIDE) if sure else CANNOT_DECIDE
    probability = chances[likeliest] if outcome != CANNOT_DECIDE else chances.get("positive", 0.0)
    decided = decide(criteria, middle)
    missing = missing_facts(criteria, middle, decided, knowledge.fields)
    return RuleChance(
        set=criteria.id,
        name=criteria.name,
        role=criteria.role,
        outcome=outcome,
        probability=min(probability, 1.0),
        status=likeliest,
        chances={status: min(chance, 1.0) for status, chance in sorted(chances.items())},
        why=decided.row.says if decided.row else "",
        missing=tuple(name for name in missing if middle.get(name) is None) if outcome == CANNOT_DECIDE else (),
        cite=decided.row.cite if decided.row else criteria.cite,
    )
