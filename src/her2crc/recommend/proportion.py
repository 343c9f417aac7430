"""Exact arithmetic of small counts: beta-binomial posteriors without a numerical library.

With a uniform prior the posterior of a proportion is a beta distribution with whole-number parameters, whose
distribution function is a binomial tail: a finite sum. Checked against scipy in the tests.
"""

from __future__ import annotations

from math import comb

HALVINGS = 60
"""Bisection steps: the quantile is then exact to the last digit of a float."""


def posterior_mean(events: int, total: int) -> float:
    """Return the mean of the posterior of a proportion after ``events`` of ``total``, prior uniform."""
    return (events + 1) / (total + 2)


def posterior_interval(events: int, total: int, level: float) -> tuple[float, float]:
    """Return the central interval of that posterior, e.g. ``level`` 0.95."""
    tail = (1 - level) / 2
    return _quantile(events, total, tail), _quantile(events, total, 1 - tail)


def _cumulative(x: float, events: int, total: int) -> float:
    """P(proportion <= x) under Beta(events + 1, total - events + 1) = P(Binomial(total + 1, x) > events)."""
    n = total + 1
    return sum(comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(events + 1, n + 1))


def _quantile(events: int, total: int, probability: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _cumulative(middle, events, total) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2
