"""What follow-up finds in one patient over time.

``None`` is unknown. Field names of :class:`FollowUp` are the keys of ``follow_up`` in the result.
"""

from __future__ import annotations

from datetime import date

import msgspec

from her2crc.model.citation import Citation
from her2crc.model.course import Finding, Imaging, Treatment
from her2crc.model.record import Issue

Interval = tuple[float, float]


class Point(msgspec.Struct, frozen=True):
    """One dated result. ``kind``: ``plasma`` or ``tissue``; ``shown``: the finding in words.

    ``visible``: ``above_cut``, ``below_cut`` (copies read, under every cut) or ``not_read``. ``statuses``: what each
    set that decides says. ``treatment``: the regimens given on that day. Intervals are the assay's noise.
    """

    specimen_id: str
    on: date
    kind: str
    shown: str
    copies: float | None
    copies_interval: Interval | None
    tumour_fraction: float | None
    fraction_interval: Interval | None
    adjusted_copies: float | None
    adjusted_interval: tuple[float | None, float | None] | None
    visible: str
    treatment: tuple[str, ...]
    statuses: dict[str, str]


class Change(msgspec.Struct, frozen=True):
    """A change between two plasma results, with its interval and the chance that the true value fell or rose.

    ``what``: ``observed_copies``, ``tumour_fraction`` or ``adjusted_copies``. ``verdict``: ``real_fall``,
    ``real_rise`` or ``within_noise``; ``not_comparable`` where the assays differ.
    """

    what: str
    first: str
    second: str
    start: date
    end: date
    before: float
    after: float
    difference: float
    interval: Interval
    probability_fall: float
    probability_rise: float
    verdict: str


class Trend(msgspec.Struct, frozen=True):
    """The slope of a value since a day, in its unit for each ``per_days``, with its interval."""

    what: str
    since: date
    points: int
    per_days: int
    slope: float
    interval: Interval
    probability_rise: float


class Event(msgspec.Struct, frozen=True):
    """Something that happened, in words, with its source; ``confidence`` of the knowledge behind it."""

    id: str
    on: date
    specimen: str
    text: str
    confidence: str
    cite: tuple[Citation, ...]


class LeadTime(msgspec.Struct, frozen=True):
    """Days from a change beyond noise to imaging (below zero: imaging came first)."""

    what: str
    sign: date
    imaging: date
    finding: Finding
    days: int
    text: str
    cite: tuple[Citation, ...]


class FollowUp(msgspec.Struct, frozen=True):
    """HER2 over time in one patient; all of it exploratory, as ``label`` says."""

    patient_id: str
    label: str
    label_cite: tuple[Citation, ...]
    copies_cv: float
    fraction_cv: float
    cv_basis: str
    level: float
    cut: float | None
    points: tuple[Point, ...]
    changes: tuple[Change, ...]
    trends: tuple[Trend, ...]
    events: tuple[Event, ...]
    lead_times: tuple[LeadTime, ...]
    notes: tuple[str, ...]
    treatments: tuple[Treatment, ...]
    imaging: tuple[Imaging, ...]
    issues: tuple[Issue, ...]
