"""Random cases of a criteria set: boundary values, values in between, unknown ones and unusable ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from random import Random

from her2crc.criteria.cases import Case, value_grid
from her2crc.criteria.fields import Field
from her2crc.criteria.sets import CriteriaSet
from her2crc.model.quantity import UNSETTLED, Ratio, Value
from her2crc.normalise import derive_facts

UNUSABLE_SHARE, ANY_VALUE_SHARE = 0.03, 0.3
DENOMINATORS = tuple(map(Decimal, ("1", "3.0", "0.7", "20", "41", "1.15", "60", "137")))
MOST_DECIMALS = 3


def random_cases(criteria: CriteriaSet, fields: Mapping[str, Field], count: int, seed: int) -> Iterator[Case]:
    """Yield ``count`` cases, the same for the same seed."""
    random = Random(f"{criteria.id} {seed}")
    grid = value_grid(criteria, fields, derive_facts)
    for _ in range(count):
        case = {name: _value(random, fields[name], values) for name, values in grid.items()}
        usable = {name: None if value is UNSETTLED else value for name, value in case.items()}
        unusable = {name: value for name, value in case.items() if value is UNSETTLED}
        yield {**derive_facts(usable), **unusable}


def _value(random: Random, field: Field, boundary: tuple[Value | None, ...]) -> Value | None:
    if random.random() < UNUSABLE_SHARE:
        return UNSETTLED
    chosen = random.choice(boundary)
    if isinstance(chosen, Ratio):
        return _ratio(random, chosen)
    if isinstance(chosen, Decimal) and random.random() < ANY_VALUE_SHARE:
        return _between(random, field)
    return chosen


def _ratio(random: Random, near: Ratio) -> Ratio:
    """Return a ratio at a boundary value or beside it, over a denominator that doubles may not hold."""
    denominator = random.choice(DENOMINATORS)
    exact = near.numerator * denominator / near.denominator
    aside = random.choice((Decimal(0), Decimal(0), Decimal("0.001"), Decimal("-0.001"), Decimal(random.randint(-9, 9))))
    return Ratio(max(Decimal(0), round(exact + aside, 6)), denominator)


def _between(random: Random, field: Field) -> Decimal:
    low, high = field.minimum or Decimal(0), field.maximum or Decimal(100)
    if random.random() < ANY_VALUE_SHARE:
        high = min(high, Decimal(10))
    decimals = random.randint(0, MOST_DECIMALS)
    return round(low + (high - low) * Decimal(random.random()), decimals)
