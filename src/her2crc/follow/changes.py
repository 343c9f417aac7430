"""Which change exceeds the noise of the assay, between plasma results and along them. Closed forms only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from math import sqrt
from statistics import NormalDist

from her2crc.follow.figures import FollowFigures, Noise
from her2crc.model.course import Treatment
from her2crc.model.dilution import is_impossible
from her2crc.model.follow import Change, Point, Trend
from her2crc.model.proportion import student_quantile
from her2crc.model.quantity import DIPLOID

OBSERVED, FRACTION, ADJUSTED = "observed_copies", "tumour_fraction", "adjusted_copies"
NORMAL = NormalDist()
LINE = 2
"""Numbers that a straight line is made of: its height and its slope."""


def value_of(point: Point, what: str, noise: Noise, figures: FollowFigures) -> tuple[float, float] | None:
    """Return a value with its standard deviation; None where it is not known, or too unsteady to compare."""
    copies, fraction = point.copies, point.tumour_fraction
    if what == OBSERVED:
        return None if copies is None else (copies, noise.copies_cv * copies)
    if what == FRACTION:
        return None if fraction is None else (fraction, noise.fraction_cv * fraction)
    if point.adjusted_copies is None or copies is None or not fraction or is_unexplained(point, noise, figures):
        return None
    if noise.fraction_cv * figures.steady_fraction > 1 or fraction < (noise.floor or 0):
        return None
    parts = noise.copies_cv * copies / fraction, (copies - DIPLOID) / fraction * noise.fraction_cv
    return point.adjusted_copies, sqrt(parts[0] ** 2 + parts[1] ** 2)


def is_unexplained(point: Point, noise: Noise, figures: FollowFigures) -> bool:
    """Tell whether no number of copies explains a reading at its tumour fraction."""
    copies, fraction = point.copies, point.tumour_fraction
    if copies is None or fraction is None:
        return False
    return is_impossible(copies, noise.copies_cv * copies, fraction, noise.fraction_cv * fraction, figures.level)


def changes_of(
    points: Sequence[Point], assays: dict[str, str | None], noise: Noise, figures: FollowFigures
) -> tuple[Change, ...]:
    """Return the change from each plasma result to the next, and from the first to the last where there are more.

    ``assays`` is the assay of each specimen: between two different ones a change is shown and not called real.
    """
    plasma = [point for point in points if point.kind == "plasma"]
    pairs = list(pairwise(plasma))
    if len(pairs) > 1:
        pairs.append((plasma[0], plasma[-1]))
    return tuple(
        change
        for first, second in pairs
        if first.on < second.on
        for what in (OBSERVED, FRACTION, ADJUSTED)
        if (change := compare(first, second, what, assays, noise, figures)) is not None
    )


def compare(
    first: Point, second: Point, what: str, assays: dict[str, str | None], noise: Noise, figures: FollowFigures
) -> Change | None:
    """Return the change of one value between two plasma results; None where it is not known of both."""
    before, after = value_of(first, what, noise, figures), value_of(second, what, noise, figures)
    if before is None or after is None:
        return None
    difference, error = after[0] - before[0], sqrt(before[1] ** 2 + after[1] ** 2)
    half = NORMAL.inv_cdf((1 + figures.level) / 2) * error
    rise = chance_above_none(difference, error)
    verdict = "real_rise" if difference > half else "real_fall" if difference < -half else "within_noise"
    return Change(
        what=what,
        first=first.specimen_id,
        second=second.specimen_id,
        start=first.on,
        end=second.on,
        before=before[0],
        after=after[0],
        difference=difference,
        interval=(difference - half, difference + half),
        probability_fall=1 - rise,
        probability_rise=rise,
        verdict="not_comparable" if differ((first, second), assays) else verdict,
    )


def differ(points: Iterable[Point], assays: dict[str, str | None]) -> bool:
    """Tell whether results are known to come from different assays."""
    return len({name for point in points if (name := assays.get(point.specimen_id))}) > 1


def chance_above_none(difference: float, error: float) -> float:
    """Return the chance that a true difference is above 0, all values equally likely before."""
    if error > 0:
        return NORMAL.cdf(difference / error)
    return 0.5 if difference == 0 else float(difference > 0)


def trends_of(
    points: Sequence[Point],
    treatments: Sequence[Treatment],
    assays: dict[str, str | None],
    noise: Noise,
    figures: FollowFigures,
) -> tuple[Trend, ...]:
    """Return the slopes over all plasma results, and since the last treatment began, where there are enough.

    Results of different assays make no trend: part of it would be the difference between the assays.
    """
    plasma = [point for point in points if point.kind == "plasma"]
    if differ(plasma, assays):
        return ()
    starts = sorted(item.start for item in treatments if any(point.on >= item.start for point in plasma))
    since = dict.fromkeys([plasma[0].on, *starts[-1:]]) if plasma else {}
    found = (_trend(plasma, day, what, noise, figures) for day in since for what in (OBSERVED, FRACTION, ADJUSTED))
    return tuple(trend for trend in found if trend is not None)


def _trend(plasma: Sequence[Point], since: date, what: str, noise: Noise, figures: FollowFigures) -> Trend | None:
    """Weighted least squares; where the points scatter more than the noise, by as much as they do."""
    known = [
        (point, value) for point in plasma if point.on >= since and (value := value_of(point, what, noise, figures))
    ]
    if len(known) < figures.fewest_for_trend or any(error <= 0 for _, (_, error) in known):
        return None
    days = [(point.on - known[0][0].on).days / figures.trend_days for point, _ in known]
    values = [value for _, (value, _) in known]
    weights = [1 / error**2 for _, (_, error) in known]
    total = sum(weights)
    middle = sum(w * x for w, x in zip(weights, days, strict=True)) / total
    level = sum(w * y for w, y in zip(weights, values, strict=True)) / total
    spread = sum(w * (x - middle) ** 2 for w, x in zip(weights, days, strict=True))
    if spread <= 0:
        return None
    slope = sum(w * (x - middle) * (y - level) for w, x, y in zip(weights, days, values, strict=True)) / spread
    rest = sum(w * (y - level - slope * (x - middle)) ** 2 for w, x, y in zip(weights, days, values, strict=True))
    freedom = len(known) - LINE
    scatter = max(rest / freedom, 1.0)
    error = sqrt(scatter / spread)
    tail = (1 + figures.level) / 2
    half = error * (student_quantile(tail, freedom) if scatter > 1 else NORMAL.inv_cdf(tail))
    return Trend(
        what=what,
        since=since,
        points=len(known),
        per_days=figures.trend_days,
        slope=slope,
        interval=(slope - half, slope + half),
        probability_rise=chance_above_none(slope, half / NORMAL.inv_cdf(tail)),
    )
