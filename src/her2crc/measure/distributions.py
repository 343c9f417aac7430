"""What a measured number may truly be: normal on a declared scale, or a list of values with their chances.

The common language of the measurements (sequencing, hybridisation, plasma) and of :mod:`her2crc.measure.rules`.
Everything is a closed form; nothing is drawn at random.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import msgspec

from her2crc.model.proportion import student_quantile

STANDARD = NormalDist()

Scale = Literal["plain", "log2", "logit"]

_TO: dict[str, Callable[[float], float]] = {
    "plain": float,
    "log2": lambda value: math.log2(value) if value > 0 else -math.inf,
    "logit": lambda value: math.inf if value >= 1 else math.log(value / (1 - value)) if value > 0 else -math.inf,
}
_FROM: dict[str, Callable[[float], float]] = {
    "plain": float,
    "log2": lambda value: 2.0**value,
    "logit": lambda value: 1 / (1 + math.exp(-value)),
}


class Normal(msgspec.Struct, frozen=True):
    """A number whose ``scale`` transform is normal: ``middle`` is its median in its own unit.

    ``deviation`` is the standard deviation on the scale (``log2``: doublings, ``logit``: log odds); 0 is a number
    that is known.
    """

    middle: float
    deviation: float
    scale: Scale = "plain"

    def below(self, value: float) -> float:
        """Return the chance that the number is at most ``value``."""
        distance = _TO[self.scale](value) - _TO[self.scale](self.middle)
        if self.deviation <= 0 or math.isnan(distance):
            return 1.0 if value >= self.middle else 0.0
        return STANDARD.cdf(distance / self.deviation)

    def quantile(self, chance: float) -> float:
        """Return the value that the number stays below with this chance."""
        if self.deviation <= 0 or math.isinf(_TO[self.scale](self.middle)):
            return self.middle
        chance = min(max(chance, 1e-12), 1 - 1e-12)
        return _FROM[self.scale](_TO[self.scale](self.middle) + self.deviation * STANDARD.inv_cdf(chance))

    def atoms(self, count: int) -> tuple[tuple[float, float], ...]:
        """Return ``count`` values of equal chance, the middle of each of as many equal parts."""
        if self.deviation <= 0:
            return ((self.middle, 1.0),)
        return tuple((self.quantile((part + 0.5) / count), 1 / count) for part in range(count))


class Values(msgspec.Struct, frozen=True):
    """A number that takes one of ``atoms``: pairs of a value and its chance, in rising order; chances sum to 1."""

    pairs: tuple[tuple[float, float], ...]

    @classmethod
    def equally_likely(cls, values: tuple[float, ...]) -> Values:
        """Return the values (quantiles of anything) with the same chance each."""
        return cls(tuple((value, 1 / len(values)) for value in sorted(values)))

    def below(self, value: float) -> float:
        """Return the chance that the number is at most ``value``."""
        return sum(chance for at, chance in self.pairs if at <= value)

    def quantile(self, chance: float) -> float:
        """Return the lowest value that the number stays at or below with at least this chance."""
        reached = 0.0
        for value, weight in self.pairs:
            reached += weight
            if reached >= chance:
                return value
        return self.pairs[-1][0]

    def atoms(self, count: int) -> tuple[tuple[float, float], ...]:
        """Return all values with their chances, however many are asked for."""
        return self.pairs


Distribution = Normal | Values


def interval_of(distribution: Distribution, level: float) -> tuple[float, float]:
    """Return the interval that holds the number with chance ``level``, the rest divided equally above and below."""
    tail = (1 - level) / 2
    return distribution.quantile(tail), distribution.quantile(1 - tail)


@lru_cache(maxsize=256)
def student_factor(freedom: int, level: float) -> float:
    """Return how much wider than normal an interval is whose deviation was estimated with ``freedom`` degrees."""
    upper = (1 + level) / 2
    return student_quantile(upper, freedom) / STANDARD.inv_cdf(upper)
