"""The arithmetic of plasma: copies per tumour cell behind a reading, with an interval, and what stays invisible.

n = 2 + (observed - 2) / fraction. Numerator and denominator are both measured, so the interval is Fieller's: it has no
bound where the fraction cannot be told from none.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import Any

from her2crc.model.quantity import DIPLOID

Bounds = tuple[float | None, float | None]


def adjusted_copies(observed: float, fraction: float) -> float:
    """Return copies per tumour cell, at least none; ``fraction`` above zero."""
    return max(DIPLOID + (observed - DIPLOID) / fraction, 0.0)


def adjusted_interval(
    observed: float, observed_error: float, fraction: float, fraction_error: float, level: float
) -> Bounds:
    """Return Fieller's interval of copies per tumour cell; an end of None has no bound.

    Args:
        observed: copies read in plasma, with their standard deviation.
        observed_error: that deviation.
        fraction: tumour fraction 0..1, with its standard deviation.
        fraction_error: that deviation.
        level: e.g. 0.95.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    excess = observed - DIPLOID
    a = fraction**2 - (z * fraction_error) ** 2
    b = excess * fraction
    c = excess**2 - (z * observed_error) ** 2
    inside = b * b - a * c
    if a <= 0 or inside < 0:
        return None, None
    ends = ((b - sqrt(inside)) / a, (b + sqrt(inside)) / a)
    return max(DIPLOID + ends[0], 0.0), max(DIPLOID + ends[1], 0.0)


def reading_interval(value: float | None, cv: float, level: float) -> tuple[float, float] | None:
    """Return the interval of a reading with a coefficient of variation, from 0 up; None where there is no reading."""
    if value is None:
        return None
    half = NormalDist().inv_cdf((1 + level) / 2) * cv * value
    return max(value - half, 0.0), value + half


def is_impossible(observed: float, observed_error: float, fraction: float, fraction_error: float, level: float) -> bool:
    """Tell whether a reading is, beyond noise, below what even the loss of every copy in the tumour leaves.

    The cells that are no tumour hold their two copies, so no reading is below 2 (1 - fraction). Arguments as in
    :func:`adjusted_interval`.
    """
    return bool(shortfall(observed, observed_error, fraction, fraction_error, level) > 0)


def shortfall(observed: Any, observed_error: Any, fraction: Any, fraction_error: Any, level: float) -> Any:
    """Return the copies that a reading lacks, noise allowed for, to what the cells that are no tumour give alone.

    Above 0 no number of copies in the tumour explains the reading. Numbers, or arrays of them; arguments as in
    :func:`adjusted_interval`.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    error = (observed_error**2 + (DIPLOID * fraction_error) ** 2) ** 0.5
    return DIPLOID * (1 - fraction) - (observed + z * error)


def visible_from(cut: float, fraction: float) -> float:
    """Return the copies per tumour cell that read as ``cut``; fewer stay below it."""
    return DIPLOID + (cut - DIPLOID) / fraction


def detected_from(cut: float, fraction: float, copies_cv: float, level: float) -> float:
    """Return the copies per tumour cell that read at least ``cut`` with chance ``level``, noise included."""
    needed = cut / max(1 - NormalDist().inv_cdf(level) * copies_cv, 1e-6)
    return DIPLOID + (needed - DIPLOID) / fraction


def fraction_needed(cut: float, copies: float) -> float:
    """Return the tumour fraction at which so many copies per tumour cell read as ``cut``."""
    return (cut - DIPLOID) / (copies - DIPLOID)
