"""The statistics of the report, each from counts: exact intervals, differences, trends, agreement, multiplicity.

scipy does the distributions; it is imported where it is used, so that nothing else waits for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from typing import Any, NamedTuple

LEVEL = 0.95
Interval = tuple[float, float]


class Tested(NamedTuple):
    """An estimate with its interval and the p value of no effect."""

    estimate: float
    interval: Interval | None
    p: float


@lru_cache(maxsize=100_000)
def exact_interval(events: int, total: int, level: float = LEVEL) -> Interval:
    """Return the Clopper-Pearson interval of a proportion; (0, 1) where there is nobody."""
    from scipy.stats import beta

    if not total:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = beta.ppf(tail, events, total - events + 1) if events else 0.0
    high = beta.ppf(1 - tail, events + 1, total - events) if events < total else 1.0
    return float(low), float(high)


def wilson_interval(events: int, total: int, level: float = LEVEL) -> Interval:
    """Return Wilson's interval of a proportion, of which Newcombe's interval of a difference is made."""
    from scipy.stats import norm

    z = float(norm.ppf(1 - (1 - level) / 2))
    share, square = events / total, z * z
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = z / (1 + square / total) * sqrt(share * (1 - share) / total + square / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, Interval]:
    """Return first minus second of two independent proportions (events, total), with Newcombe's interval."""
    one, two = first[0] / first[1], second[0] / second[1]
    (low1, high1), (low2, high2) = wilson_interval(*first), wilson_interval(*second)
    below = sqrt((one - low1) ** 2 + (high2 - two) ** 2)
    above = sqrt((high1 - one) ** 2 + (two - low2) ** 2)
    return one - two, (one - two - below, one - two + above)


def fisher(table: Sequence[Sequence[int]]) -> Tested:
    """Return the conditional odds ratio of a 2 x 2 table with its exact interval, and Fisher's two-sided p."""
    from scipy.stats import fisher_exact
    from scipy.stats.contingency import odds_ratio

    found: Any = odds_ratio(table)
    low, high = found.confidence_interval(LEVEL)
    return Tested(float(found.statistic), (float(low), float(high)), float(fisher_exact(table)[1]))


def trend(events: Sequence[int], totals: Sequence[int], scores: Sequence[float]) -> Tested:
    """Return the Cochran-Armitage test of a trend of proportions; the estimate is the change a step of the score.

    The p value is two-sided, by the normal distribution.
    """
    from scipy.stats import norm

    n, hits = sum(totals), sum(events)
    share = hits / n
    mean = sum(score * total for score, total in zip(scores, totals, strict=True)) / n
    spread = sum(total * (score - mean) ** 2 for score, total in zip(scores, totals, strict=True))
    moved = sum((score - mean) * hit for score, hit in zip(scores, events, strict=True))
    variance = share * (1 - share) * spread
    if variance <= 0:
        return Tested(0.0, None, 1.0)
    return Tested(moved / spread, None, float(2 * norm.sf(abs(moved) / sqrt(variance))))


def kappa(both: int, first: int, second: int, neither: int) -> Tested | None:
    """Return Cohen's kappa of two yes/no judgements with its large-sample interval; None where it is not defined.

    Args:
        both: judged positive by both.
        first: positive by the first only.
        second: positive by the second only.
        neither: negative by both.
    """
    from scipy.stats import norm

    n = both + first + second + neither
    if not n:
        return None
    observed = (both + neither) / n
    expected = ((both + first) * (both + second) + (neither + first) * (neither + second)) / n**2
    if expected >= 1:
        return None
    value = (observed - expected) / (1 - expected)
    if observed >= 1:
        return Tested(value, None, float("nan"))  # the large-sample error is 0 there, which nobody should believe
    half = float(norm.ppf(1 - (1 - LEVEL) / 2)) * sqrt(observed * (1 - observed) / n) / (1 - expected)
    return Tested(value, (max(-1.0, value - half), min(1.0, value + half)), float("nan"))


def holm(values: Sequence[float]) -> list[float]:
    """Return p values adjusted by Holm's step-down method, in the order given."""
    adjusted, highest = [0.0] * len(values), 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda at: values[at])):
        highest = max(highest, min(1.0, values[place] * (len(values) - rank)))
        adjusted[place] = highest
    return adjusted
