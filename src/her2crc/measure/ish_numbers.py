"""The exact numbers of counted signals with their intervals, of a specimen and of each region and observer."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from statistics import fmean
from typing import Any, NamedTuple

import msgspec

from her2crc.frontends.ish.values import Counting, Nucleus
from her2crc.measure.ish_figures import Figures, figures
from her2crc.measure.ish_interval import (
    Interval,
    mean_interval,
    moments_of,
    moments_of_totals,
    ratio_interval,
)
from her2crc.measure.ish_rules import Evidence, evidence_of
from her2crc.measure.ish_spread import is_amplified
from her2crc.measure.ish_values import Number, Part, Share
from her2crc.model.proportion import exact_interval

PERCENT = 100
PERCENT_STEP = Decimal("0.000001")
"""Finer than any share of countable nuclei, so that rounding crosses no threshold."""


class Counted(NamedTuple):
    """The sums of a specimen (``cep17`` None: one probe), how many nuclei were read, and what the intervals rest on.

    A nucleus that two observers read is two readings, which keeps the sums whole, and one nucleus in ``evidence``.
    """

    her2: int
    cep17: int | None
    nuclei: int | None
    amplified: int | None
    with_ratio: int
    evidence: Evidence

    def facts(self) -> dict[str, Any]:
        """Return the facts of the specimen table, whole numbers where they are counts."""
        found: dict[str, Any] = {"ish_her2_signals": self.her2}
        if self.cep17 is not None:
            found["ish_cep17_signals"] = self.cep17
        if self.nuclei is not None:
            found["ish_nuclei"] = self.nuclei
        if self.amplified is not None and self.with_ratio:
            share = Decimal(PERCENT * self.amplified) / Decimal(self.with_ratio)
            found["ish_cell_percent"] = share.quantize(PERCENT_STEP).normalize()
        return found


class Numbers(NamedTuple):
    """Every number of a specimen or part of it."""

    ratio: Number | None
    her2_copies: Number | None
    cep17_copies: Number | None
    amplified_nuclei: Share | None


def same_nuclei(nuclei: Sequence[Nucleus]) -> dict[tuple[str, str], list[Nucleus]]:
    """Return the readings of each nucleus; observers share a nucleus where its name and region are the same."""
    found: dict[tuple[str, str], list[Nucleus]] = {}
    several = len({item.observer for item in nuclei}) > 1
    for number, item in enumerate(nuclei):
        found.setdefault((item.region, item.name) if several else ("", str(number)), []).append(item)
    shared = all(len({reading.observer for reading in items}) == len(items) for items in found.values())
    return found if shared else {("", str(number)): [item] for number, item in enumerate(nuclei)}


def counted_nuclei(counting: Counting) -> Counted:
    """Return the sums and the evidence of nuclei counted one by one."""
    nuclei = counting.nuclei
    dual = all(item.cep17 is not None for item in nuclei)
    readings = list(same_nuclei(nuclei).values())
    her2 = [fmean(item.her2 for item in items) for items in readings]
    cep17 = [fmean(item.cep17 or 0 for item in items) for items in readings] if dual else None
    moments = moments_of(her2, cep17)
    cut = figures().nucleus_ratio
    flags = [h >= cut * c for h, c in zip(her2, cep17, strict=True)] if cep17 else None
    evidence = evidence_of(moments, her2, cep17 or (), flags)
    known = [flag for item in nuclei if (flag := is_amplified(item, cut)) is not None]
    if flags is not None:
        evidence = msgspec.structs.replace(evidence, **_of_nuclei_with_ratio(known, readings))
    return Counted(
        sum(item.her2 for item in nuclei),
        sum(item.cep17 or 0 for item in nuclei) if dual else None,
        len(nuclei),
        sum(known) if dual else None,
        len(known),
        evidence,
    )


def _of_nuclei_with_ratio(known: Sequence[bool], readings: Sequence[Sequence[Nucleus]]) -> dict[str, int]:
    """The share as evidence: of distinct nuclei, although a nucleus may have been read twice."""
    each = len(known) / max(sum(map(len, readings)), 1)
    total = round(len(readings) * each)
    return {"amplified": round(sum(known) * total / len(known)) if known else 0, "total": total}


def counted_totals(counting: Counting, figure: Figures) -> Counted:
    """Return the sums of totals; without the number of nuclei there are no means and no evidence for rules."""
    totals = counting.totals
    her2 = sum(item.her2 for item in totals)
    cep17 = sum(item.cep17 or 0 for item in totals) if all(item.cep17 is not None for item in totals) else None
    each = [item.nuclei for item in totals]
    nuclei = sum(item or 0 for item in each) if all(item is not None for item in each) else None
    moments = moments_of_totals(her2, cep17, nuclei or 1, figure.dispersion_of_totals)
    return Counted(her2, cep17, nuclei, None, 0, Evidence(moments, None, 0, (0.0, 0.0, 0.0)))


def numbers_of(counted: Counted, figure: Figures) -> Numbers:
    """Return ratio, means and share, each with its interval."""
    moments, level, skew = counted.evidence.moments, figure.certainty, figure.skewness_nuclei
    ratio = _number(counted.her2, counted.cep17, ratio_interval(moments, level, skew)) if counted.cep17 else None
    if not counted.nuclei:
        return Numbers(ratio, None, None, None)
    her2 = mean_interval(moments.her2, moments.her2_variance, moments.her2_skewness, moments, level, skew)
    cep17 = None
    if moments.cep17 is not None:
        limits = mean_interval(moments.cep17, moments.cep17_variance, moments.cep17_skewness, moments, level, skew)
        cep17 = _number(counted.cep17 or 0, counted.nuclei, limits)
    share = None
    if counted.amplified is not None and counted.with_ratio:
        share = _share(counted, level)
    return Numbers(ratio, _number(counted.her2, counted.nuclei, her2), cep17, share)


def _share(counted: Counted, level: float) -> Share:
    """The share as read, with the exact interval of as many distinct nuclei."""
    events, total = counted.amplified or 0, counted.with_ratio
    low, high = exact_interval(counted.evidence.amplified or 0, counted.evidence.total or 1, level)
    return Share(events, total, PERCENT * events / total, (PERCENT * low, PERCENT * high))


def _number(above: int, below: int | None, interval: Interval | None) -> Number:
    return Number(f"{above}/{below}", float(Fraction(above, below or 1)), interval)


def of_observer(counting: Counting, name: str) -> Counted:
    """Return the sums of one observer."""
    return _counted(counting, "observer", name, figures())


def parts_of(counting: Counting, by: str, figure: Figures) -> tuple[Part, ...]:
    """Return the numbers of each region or observer (``by``), where there are several."""
    items = (*counting.nuclei, *counting.totals)
    names = list(dict.fromkeys(getattr(item, by) for item in items))
    if len(names) <= 1:
        return ()
    return tuple(_part(name, _counted(counting, by, name, figure), by, figure) for name in names)


def _part(name: str, counted: Counted, by: str, figure: Figures) -> Part:
    return Part(name or f"{by} not stated", counted.nuclei, *numbers_of(counted, figure))


def _counted(counting: Counting, by: str, name: str, figure: Figures) -> Counted:
    nuclei = tuple(item for item in counting.nuclei if getattr(item, by) == name)
    totals = tuple(item for item in counting.totals if getattr(item, by) == name)
    part = msgspec.structs.replace(counting, nuclei=nuclei, totals=totals)
    return counted_nuclei(part) if nuclei else counted_totals(part, figure)
