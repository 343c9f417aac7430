"""From a fold change to copies per tumour cell and back, with every uncertainty, in closed form.

A reading mixes tumour cells with ``n`` copies and normal cells with 2, in samples whose average ploidy sets the zero:
fold = (p n + 2 (1 - p)) / (p P + 2 (1 - p)), with purity p and ploidy P of the tumour. For one purity copies rise
strictly with the fold, so its interval carries over exactly; an uncertain purity is represented by values of equal
chance, and the ends of the interval are where the average chance of "at most x copies" crosses the tails. The
uncertainty of the ploidy widens log2 of the mixture (to first order: its share of the mixture is small).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec

from her2crc.measure.distributions import STANDARD, Normal
from her2crc.measure.tissue_defaults import defaults
from her2crc.model.quantity import DIPLOID

PARTS = 48
"""Values of equal chance that stand for an uncertain purity; 48 and 480 agree to 1 % of the interval's width."""
HALVINGS = 60
PRECISION = 1e-5


class Tumour(msgspec.Struct, frozen=True):
    """Purity and ploidy of a tumour, each with what it may be."""

    purity: Normal
    ploidy: Normal

    def mixture(self, fold: Normal, purity: float | None = None) -> Normal:
        """Return the copies in the mixture of all cells (at the middle purity if none is named)."""
        share = self.purity.middle if purity is None else purity
        average = share * self.ploidy.middle + DIPLOID * (1 - share)
        deviation = math.hypot(fold.deviation, share * self.ploidy.deviation / average / math.log(2))
        return Normal(fold.middle * average, deviation, "log2")

    def exact(self) -> Tumour:
        """Return the tumour with purity and ploidy taken at their word."""
        return Tumour(
            Normal(self.purity.middle, 0.0, self.purity.scale), Normal(self.ploidy.middle, 0.0, self.ploidy.scale)
        )


def copies_of(fold: float, purity: float, ploidy: float = DIPLOID) -> float:
    """Return copies per tumour cell; at ploidy 2 this is (2 fold - 2 (1 - purity)) / purity. May fall below 0."""
    return _undiluted(fold * (purity * ploidy + DIPLOID * (1 - purity)), purity)


def fold_of(copies: float, purity: float, ploidy: float = DIPLOID) -> float:
    """Return the fold change that a tumour with these copies per cell reads as: the inverse of :func:`copies_of`."""
    normal = DIPLOID * (1 - purity)
    return (purity * copies + normal) / (purity * ploidy + normal)


def copies_interval(fold: Normal, tumour: Tumour, level: float) -> tuple[float, float]:
    """Return the interval of copies per tumour cell at this level; an end below 0 is 0."""
    tail = (1 - level) / 2
    cases = [(purity, tumour.mixture(fold, purity)) for purity, _ in tumour.purity.atoms(PARTS)]
    if len(cases) == 1:
        purity, mixture = cases[0]
        low, high = (_undiluted(mixture.quantile(chance), purity) for chance in (tail, 1 - tail))
    else:
        chances = (tail / PARTS, 1 - tail / PARTS)
        ends = [_undiluted(mixture.quantile(chance), purity) for chance in chances for purity, mixture in cases]
        below = _chance_below(cases)
        low, high = (_crossing(below, chance, min(ends), max(ends)) for chance in (tail, 1 - tail))
    return max(low, 0.0), max(high, 0.0)


def _undiluted(mixture: float, purity: float) -> float:
    return (mixture - DIPLOID * (1 - purity)) / purity


def _chance_below(cases: list[tuple[float, Normal]]) -> Callable[[float], float]:
    """Return the chance of at most so many copies, averaged over the purities."""
    known = [(p, DIPLOID * (1 - p), math.log2(m.middle), m.deviation * math.sqrt(2)) for p, m in cases]

    def below(copies: float) -> float:
        reached = 0.0
        for purity, normal, middle, width in known:
            mixed = purity * copies + normal
            reached += math.erfc((middle - math.log2(mixed)) / width) if mixed > 0 else 0.0
        return reached / (2 * len(known))

    return below


def _crossing(rising: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Return where a rising function crosses a value, by halving."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
        if math.isclose(low, high, rel_tol=PRECISION, abs_tol=PRECISION):
            break
    return (low + high) / 2


def gain_threshold(error: float) -> float:
    """Return the log2 fold above which a gain is seen: a normal sample reads as high with the declared chance."""
    return STANDARD.inv_cdf(1 - defaults().false_positive) * error


def detectable_fold(error: float) -> float:
    """Return the fold change that is seen with all but the declared chance of missing it."""
    return float(2.0 ** (gain_threshold(error) + STANDARD.inv_cdf(1 - defaults().missed) * error))


def limit_of_detection(error: float, purity: float, ploidy: float = DIPLOID) -> float:
    """Return the copies per tumour cell from which a gain is seen at this purity and noise (log2 standard error)."""
    return copies_of(detectable_fold(error), purity, ploidy)
