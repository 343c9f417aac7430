"""Exact arithmetic of small counts and few measurements: beta, binomial and Student distributions without a library.

One function, the incomplete beta function, carries them all; checked against scipy in the tests. Every stage and the
measuring of nuclei use it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import exp, lgamma, log, log1p, sqrt
from sys import float_info

HALVINGS = 60
"""Bisection steps: the quantile is then exact to the last digit of a float."""

MOST_TERMS = 10_000
"""Of the continued fraction; it needs about the square root of the larger parameter."""


def posterior_mean(events: int, total: int) -> float:
    """Return the mean of the posterior of a proportion after ``events`` of ``total``, prior uniform."""
    return (events + 1) / (total + 2)


def posterior_interval(events: int, total: int, level: float) -> tuple[float, float]:
    """Return the central interval of that posterior, e.g. ``level`` 0.95."""
    tail = (1 - level) / 2
    return posterior_quantile(events, total, tail), posterior_quantile(events, total, 1 - tail)


def posterior_quantile(events: int, total: int, probability: float) -> float:
    """Return a quantile of that posterior, Beta(events + 1, total - events + 1)."""
    return _bisect(lambda x: beta_cumulative(x, events + 1, total - events + 1), probability, 0.0, 1.0)


def exact_interval(events: int, total: int, level: float) -> tuple[float, float]:
    """Return the exact binomial interval of a proportion (Clopper and Pearson 1934), 0..1."""
    tail = (1 - level) / 2
    low = _bisect(lambda x: beta_cumulative(x, events, total - events + 1), tail, 0.0, 1.0) if events else 0.0
    if events == total:
        return low, 1.0
    return low, _bisect(lambda x: beta_cumulative(x, events + 1, total - events), 1 - tail, 0.0, 1.0)


@lru_cache(maxsize=4096)
def student_quantile(probability: float, degrees: float) -> float:
    """Return a quantile of Student's distribution with ``degrees`` of freedom, above zero."""
    half = 1 / 2
    if probability < half:
        return -student_quantile(1 - probability, degrees)
    tail = (1 - probability) / half
    x = _bisect(lambda x: beta_cumulative(x, degrees / 2, 1 / 2), tail, 0.0, 1.0)
    return sqrt(degrees * (1 - x) / x) if x > 0 else float("inf")


def beta_cumulative(x: float, a: float, b: float) -> float:
    """Return P(X <= x) for X of the beta distribution with parameters ``a`` and ``b``, both above zero."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    # the fraction converges fast on the near side of the mean only
    turn = (a + 1) / (a + b + 2)
    return _below(x, a, b) if x < turn else 1 - _below(1 - x, b, a)


def _below(x: float, a: float, b: float) -> float:
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    return min(1.0, front * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, _inverse(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            c, d = (1 + step / c) or float_info.min, _inverse(1 + step * d)
            value *= c * d
        if abs(c * d - 1) < float_info.epsilon:
            break
    return value


def _inverse(number: float) -> float:
    return 1 / (number or float_info.min)


def _bisect(cumulative: Callable[[float], float], probability: float, low: float, high: float) -> float:
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if cumulative(middle) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2
