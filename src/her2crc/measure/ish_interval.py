"""Intervals of signals counted in nuclei: ratio, mean copies, share of amplified nuclei. Closed forms only.

The ratio's interval is Student's on the logarithm (delta method), each limit moved outwards where the nuclei are
skewed (Hall 1992), which a minority of amplified nuclei makes them. It is the one of five that covers on simulated
counts; ``bench/validate_ish.py`` compares them, decision 0021 says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cbrt, exp, inf, sqrt
from statistics import fmean

import msgspec

from her2crc.model.proportion import student_quantile

Interval = tuple[float, float]

FEWEST_SKEWED = 3
"""Two values are always symmetrical."""

PLENTY = 1e6
"""Degrees of freedom at which Student's distribution is the normal one: a variance that is assumed, not seen."""


class Moments(msgspec.Struct, frozen=True):
    """Means per nucleus, variances of these means, their covariance, and the skewness of what each limit rests on.

    ``degrees`` of freedom is None where the variance is assumed and not seen (totals only).
    """

    nuclei: float
    her2: float
    cep17: float | None
    her2_variance: float
    cep17_variance: float
    covariance: float
    her2_skewness: float
    cep17_skewness: float
    ratio_skewness: float
    degrees: float | None

    def log_error(self) -> float:
        """Return the standard error of the logarithm of the ratio."""
        if not self.cep17 or not self.her2:
            return inf
        variance = (
            self.her2_variance / self.her2**2
            + self.cep17_variance / self.cep17**2
            - 2 * self.covariance / (self.her2 * self.cep17)
        )
        least = self.one_signal(self.her2) ** 2 + self.one_signal(self.cep17) ** 2
        return sqrt(max(variance, least))

    def one_signal(self, mean: float) -> float:
        """Return what one signal more would change a mean, as a part of it: counts are whole, so never less."""
        return 1 / (self.nuclei * mean)


def moments_of(her2: Sequence[float], cep17: Sequence[float] | None) -> Moments:
    """Return the moments of nuclei counted one by one; one nucleus alone has no spread."""
    n = len(her2)
    mean_h, mean_c = fmean(her2), fmean(cep17) if cep17 is not None else None
    off_h = [value - mean_h for value in her2]
    off_c = [value - mean_c for value in cep17] if cep17 is not None and mean_c is not None else [0.0] * n
    ratio = mean_h / mean_c if mean_c else 0.0
    residual = [h - ratio * c for h, c in zip(off_h, off_c, strict=True)]

    def per_mean(left: Sequence[float], right: Sequence[float]) -> float:
        return sum(a * b for a, b in zip(left, right, strict=True)) / (n - 1) / n if n > 1 else inf

    return Moments(
        n,
        mean_h,
        mean_c,
        per_mean(off_h, off_h),
        per_mean(off_c, off_c),
        per_mean(off_h, off_c) if n > 1 else 0.0,
        _skewness(off_h),
        _skewness(off_c),
        _skewness(residual),
        n - 1,
    )


def moments_of_totals(her2: int, cep17: int | None, nuclei: int, dispersion: float) -> Moments:
    """Return the moments of totals, each signal taken as independent up to ``dispersion``."""
    mean_h, mean_c = her2 / nuclei, cep17 / nuclei if cep17 is not None else None
    variances = [max(total, 1) * dispersion / nuclei**2 for total in (her2, cep17 or 0)]
    return Moments(nuclei, mean_h, mean_c, variances[0], variances[1], 0.0, 0.0, 0.0, 0.0, None)


def _skewness(deviations: Sequence[float]) -> float:
    """Return the skewness of deviations from their mean, corrected for few nuclei."""
    n = len(deviations)
    second = fmean(value**2 for value in deviations)
    if second <= 0 or n < FEWEST_SKEWED:
        return 0.0
    third = fmean(value**3 for value in deviations)
    return third / (second * sqrt(second)) * sqrt(n * (n - 1)) / (n - 2)


def ratio_interval(moments: Moments, level: float, skewness_nuclei: float) -> Interval | None:
    """Return the interval of the ratio; None where no ratio or no spread is known."""
    error = moments.log_error()
    if not moments.cep17 or not moments.her2 or error == inf:
        return None
    below, above = _limits(moments, moments.ratio_skewness, level, skewness_nuclei)
    ratio = moments.her2 / moments.cep17
    return ratio * exp(-below * error), ratio * exp(above * error)


def mean_interval(
    mean: float, variance: float, skewness: float, moments: Moments, level: float, skewness_nuclei: float
) -> Interval | None:
    """Return the interval of mean copies per nucleus, on the logarithm as that of the ratio."""
    if variance == inf or not mean:
        return None
    below, above = _limits(moments, skewness, level, skewness_nuclei)
    error = max(sqrt(variance) / mean, moments.one_signal(mean))
    return mean * exp(-below * error), mean * exp(above * error)


def _limits(moments: Moments, skewness: float, level: float, skewness_nuclei: float) -> tuple[float, float]:
    """How many standard errors each limit lies from the estimate: Student's, more on the side of the skew."""
    tail = (1 + level) / 2
    student = student_quantile(tail, moments.degrees or PLENTY)
    seen = skewness * moments.nuclei / (moments.nuclei + skewness_nuclei)
    return max(_hall(student, seen, moments.nuclei), student), max(-_hall(-student, seen, moments.nuclei), student)


def _hall(student: float, skewness: float, nuclei: float) -> float:
    """Invert Hall's cubic transformation of the Student statistic of skewed values (Hall 1992, J R Stat Soc B)."""
    slope, shift = skewness / (3 * sqrt(nuclei)), skewness / (6 * sqrt(nuclei))
    if not slope:
        return student
    inside = 1 + 3 * slope * (student - shift)
    return (cbrt(inside) - 1) / slope


def at_nuclei(moments: Moments, nuclei: float) -> Moments:
    """Return the moments that the same tumour would give with another number of nuclei."""
    share = moments.nuclei / nuclei
    return msgspec.structs.replace(
        moments,
        nuclei=nuclei,
        her2_variance=moments.her2_variance * share,
        cep17_variance=moments.cep17_variance * share,
        covariance=moments.covariance * share,
        degrees=None if moments.degrees is None else nuclei - 1,
    )
