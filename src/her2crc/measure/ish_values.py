"""What ``measure ish`` gives: numbers with intervals, each rule's chance, and what a reader must keep in mind.

Field names are the keys of the JSON. Intervals are at ``certainty``; None is unknown.
"""

from __future__ import annotations

import msgspec

from her2crc.measure.rules import RuleChance
from her2crc.model.citation import Citation
from her2crc.model.record import Issue
from her2crc.model.verdict import Caveat


class Number(msgspec.Struct, frozen=True):
    """A number, exactly as a quotient of whole numbers, as a decimal, and with its interval (None: not known)."""

    exact: str
    value: float
    interval: tuple[float, float] | None


class Share(msgspec.Struct, frozen=True):
    """``events`` of ``total`` nuclei, in percent, with the exact binomial interval in percent."""

    events: int
    total: int
    percent: float
    interval: tuple[float, float]


class Part(msgspec.Struct, frozen=True):
    """One region or observer: its nuclei, ratio, means and share of amplified nuclei."""

    name: str
    nuclei: int | None
    ratio: Number | None
    her2_copies: Number | None
    cep17_copies: Number | None
    amplified_nuclei: Share | None


class Spread(msgspec.Struct, frozen=True):
    """How amplified nuclei lie. ``pattern``: ``clustered``, ``no_cluster_seen``, ``uniform`` or ``unknown``.

    ``basis`` is ``coordinates``, ``regions`` or ``none``; ``chance`` is how often a random arrangement of the same
    nuclei is at least as clustered. ``ratios``: lowest, quartiles and highest ratio of a nucleus.
    """

    pattern: str
    basis: str
    chance: float | None
    ratios: tuple[float, ...]
    text: str


class IshRule(RuleChance, frozen=True, kw_only=True):
    """One rule: its chance given the nuclei counted, and what it says of the exact numbers.

    ``as_given`` is the verdict on the specimen as it is, ``exact_status`` that with ``assumed`` added (empty where
    nothing had to be assumed): without staining most rules cannot say anything, so staining of 2+ is assumed, and said.
    ``settled``: one status is at least as sure as the declared certainty. ``more_nuclei``: how many further nuclei like
    these would settle it (0: settled; None: more than anybody counts, or no number of nuclei can).
    """

    as_given: str
    exact_status: str
    assumed: dict[str, str]
    settled: bool
    more_nuclei: int | None


class CountingRule(msgspec.Struct, frozen=True):
    """A published rule on how many nuclei to count, for one organ; ``met`` is None where no number is known.

    ``second_observer_met``: whether a second observer counted as many as the rule asks of one, where it does.
    """

    tumour: str
    met: bool | None
    second_observer_met: bool | None
    text: str
    confidence: str
    cite: tuple[Citation, ...]


class IshMeasurement(msgspec.Struct, frozen=True):
    """One specimen. ``source`` is ``nuclei`` or ``totals``; ``points`` are HER2, CEP17 and region of each nucleus."""

    patient_id: str
    specimen_id: str
    source: str
    probes: str
    nuclei: int | None
    her2_signals: int
    cep17_signals: int | None
    ratio: Number | None
    her2_copies: Number | None
    cep17_copies: Number | None
    amplified_nuclei: Share | None
    certainty: float
    method: str
    rules: tuple[IshRule, ...]
    counting_rules: tuple[CountingRule, ...]
    spread: Spread | None
    regions: tuple[Part, ...]
    observers: tuple[Part, ...]
    observers_agree: bool | None
    caveats: tuple[Caveat, ...]
    issues: tuple[Issue, ...]
    specimen: dict[str, str]
    points: tuple[tuple[int, int, str], ...]

    def text(self) -> str:
        """Return the measurement for a person."""
        from her2crc.measure.ish_text import ish_text

        return ish_text(self)

    def svg(self) -> str:
        """Return the scatter of HER2 against CEP17 per nucleus, with the rules' lines, as one SVG file."""
        from her2crc.measure.ish_plot import draw_nuclei

        return draw_nuclei(self)
