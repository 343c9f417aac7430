"""Boundary cases of a criteria set: facts just below, at and just above each threshold, unknown, or unusable.

The values come from the set's own conditions, so a set that a laboratory adds is tried at its own thresholds.
``criteria check`` runs the executors over these cases; the tests compare them with an independent oracle.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import chain, product
from math import prod

from her2crc.criteria.fields import NUMERIC, Field
from her2crc.criteria.nodes import Compare, CompareRatio, Node, OneOf, fields_of, walk
from her2crc.criteria.run import evaluate
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.quantity import UNSETTLED, Ratio, Value

Case = dict[str, Value | None]
Derive = Callable[[Case], Case]
Grid = dict[str, tuple[Value | None, ...]]

MOST_CASES = 20_000
"""Up to this many combinations of a set's facts are tried in full."""

COUNTED = Decimal(100)
"""Denominator of every ratio that is tried, as if so many signals or nuclei had been counted."""

STEPS = {"integer": Decimal(1), "decimal": Decimal("0.01"), "ratio": 1 / COUNTED}
PERCENT_STEP = Decimal("0.1")
"""How far a value lies from its threshold: the last digit that laboratories report."""

DERIVED_STEP = Decimal("0.0001")
"""How finely a base fact is tuned to bring a fact derived from it to its threshold."""


def boundary_cases(
    criteria: CriteriaSet, fields: Mapping[str, Field], derive: Derive, most: int = MOST_CASES
) -> Iterator[Case]:
    """Yield the boundary cases of a set, always in the same order.

    First all combinations of all values where there are at most ``most`` of them, otherwise of the facts that
    the rows read most, the others unknown. Then each value that is left, and each fact as stated but unusable,
    with as many combinations of the most read facts as fit in ``most`` again.

    Args:
        criteria: the set; its tumour and material conditions count as well.
        fields: every field by name.
        derive: adds the derived facts to a case (they are never varied on their own).
        most: the limit; at most twice as many cases are given, or one for each value if that is more.
    """
    grid = value_grid(criteria, fields, derive)
    core = _leading(grid, most)
    yield from _combinations(grid, core, {}, derive)
    left = [(name, value) for name in grid if name not in core for value in grid[name] if value is not None]
    share = most // (len(left) + len(grid))
    for name, value in left:
        yield from _combinations(grid, _leading(_without(grid, name), share), {name: value}, derive)
    for name in grid:
        for case in _combinations(grid, _leading(_without(grid, name), share), {}, derive):
            yield {**case, name: UNSETTLED}


def value_grid(criteria: CriteriaSet, fields: Mapping[str, Field], derive: Derive) -> Grid:
    """Return the values to try of every base fact of a set, unknown first, the fact that the rows read most first."""
    in_rows = [leaf for row in criteria.rows for leaf in walk(row.when)]
    leaves = [*in_rows, *walk(criteria.applies)]
    read = [name for leaf in leaves for name in fields_of(leaf)]
    uses = Counter(base for leaf in in_rows for name in fields_of(leaf) for base in _bases(fields[name]))
    names = dict.fromkeys(base for name in read for base in _bases(fields[name]))
    most_read_first = sorted(names, key=lambda name: uses[name], reverse=True)
    grid = {name: (None, *_known_values(fields[name], leaves)) for name in most_read_first}
    for derived in (fields[name] for name in dict.fromkeys(read) if fields[name].derived_from):
        tuned = derived.derived_from[0]
        grid[tuned] = tuple(dict.fromkeys((*grid[tuned], *_tuned(derived, fields, leaves, grid, derive))))
    return grid


def _bases(field: Field) -> tuple[str, ...]:
    return field.derived_from or (field.name,)


def _without(grid: Grid, name: str) -> Grid:
    return {other: values for other, values in grid.items() if other != name}


def _leading(grid: Grid, most: int) -> tuple[str, ...]:
    """Return the longest run of leading facts of which all combinations are at most ``most``."""
    names = tuple(grid)
    while prod(len(grid[name]) for name in names) > most:
        names = names[:-1]
    return names


def _combinations(grid: Grid, names: Sequence[str], fixed: Case, derive: Derive) -> Iterator[Case]:
    unknown: Case = dict.fromkeys(grid)
    for values in product(*(grid[name] for name in names)):
        yield derive({**unknown, **dict(zip(names, values, strict=True)), **fixed})


def _known_values(field: Field, leaves: Sequence[Node]) -> Sequence[Value]:
    if field.type in NUMERIC:
        return [_as_given(field, number) for number in _numbers(field, _thresholds(field.name, leaves))]
    if field.type == "boolean":
        return (False, True)
    lists = [leaf.values for leaf in leaves if isinstance(leaf, OneOf) and leaf.field == field.name]
    named = list(dict.fromkeys(chain(*lists)))
    unnamed = [code for code in field.values if code not in named]
    return named + unnamed[:1]


def _thresholds(name: str, leaves: Sequence[Node]) -> list[Decimal]:
    found = []
    for leaf in leaves:
        if isinstance(leaf, Compare) and leaf.field == name:
            found.append(leaf.value)
        if isinstance(leaf, CompareRatio) and leaf.numerator == name:
            found.append(leaf.value * COUNTED)
        if isinstance(leaf, CompareRatio) and leaf.denominator == name:
            found.append(COUNTED)
    return found


def _numbers(field: Field, thresholds: Sequence[Decimal]) -> list[Decimal]:
    """Return the ends of the field's range and the values around each threshold, within the range."""
    step = PERCENT_STEP if field.unit == "%" else STEPS[field.type]
    around = [threshold + side for threshold in thresholds for side in (-step, Decimal(0), step)]
    low, high = field.minimum, field.maximum
    inside = [n for n in around if (low is None or n >= low) and (high is None or n <= high)]
    return sorted({*inside, *(end for end in (low, high) if end is not None)})


def _as_given(field: Field, number: Decimal) -> Value:
    if field.type == "ratio":
        return Ratio(number * COUNTED, COUNTED)
    return int(number) if field.type == "integer" else number


def _tuned(
    derived: Field,
    fields: Mapping[str, Field],
    leaves: Sequence[Node],
    grid: Grid,
    derive: Derive,
) -> Iterator[Value]:
    """Yield values of the first base of a derived fact that bring it to its thresholds and to either side."""
    tuned, *others = derived.derived_from
    for threshold in _thresholds(derived.name, leaves):
        reached = Compare(derived.name, ">=", threshold)
        for values in product(*(grid[name] for name in others)):
            rest: Case = {**dict.fromkeys(grid), **dict(zip(others, values, strict=True))}
            yield from _around_crossing(fields[tuned], reached, rest, derive)


def _around_crossing(field: Field, reached: Node, rest: Case, derive: Derive) -> Iterator[Value]:
    """Yield the lowest value of ``field`` from which on ``reached`` holds, and its neighbours.

    Where it holds nowhere (a fact it needs is unknown) this is the end of the range.
    """
    if field.minimum is None or field.maximum is None:
        return
    start, steps = field.minimum, range(int((field.maximum - field.minimum) / DERIVED_STEP) + 1)

    def holds(step: int) -> bool:
        return evaluate(reached, derive({**rest, field.name: start + step * DERIVED_STEP})) is True

    first = bisect_left(steps, True, key=holds)
    for step in (first - 1, first, first + 1):
        if step in steps:
            yield _as_given(field, start + step * DERIVED_STEP)
