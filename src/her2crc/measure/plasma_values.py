"""What ``measure plasma`` gives: adjusted copies with intervals, what stays invisible, and what each rule says.

Field names are the keys of the JSON. Fractions run 0..1; None is unknown, and an interval end of None has no bound.
"""

from __future__ import annotations

import msgspec

from her2crc.measure.rules import RuleChance
from her2crc.model.citation import Citation
from her2crc.model.dilution import Bounds
from her2crc.model.record import Issue


class PlasmaVariant(msgspec.Struct, frozen=True):
    """One variant; ``excluded`` says why its allele fraction is not used (empty: it is), ``confidence`` how sure."""

    gene: str
    change: str
    allele_fraction: float
    interval: tuple[float, float] | None
    reads: int | None
    excluded: str
    confidence: str
    place: str


class PlasmaEstimate(msgspec.Struct, frozen=True):
    """The reading of the copies under one tumour fraction.

    ``basis`` is ``given``, ``max_vaf`` or ``two_max_vaf``. ``invisible_below``: copies per tumour cell that stay under
    a set's cut at this fraction, by set. ``limit_of_detection_copies``: copies that reach the lowest cut with the
    declared certainty in spite of the assay's noise. ``impossible``: the reading is below what the loss of every copy
    would leave at this fraction, so that no rule is asked. ``basis`` may also be ``not_known``.
    """

    basis: str
    text: str
    tumour_fraction: float | None
    fraction_interval: tuple[float, float] | None
    adjusted_copies: float | None
    adjusted_interval: Bounds | None
    invisible_below: dict[str, float]
    limit_of_detection_copies: float | None
    impossible: bool
    rules: tuple[RuleChance, ...]


class PublishedAgreement(msgspec.Struct, frozen=True):
    """A published count of plasma against tissue, with its exact 95 % interval in percent."""

    id: str
    label: str
    events: int
    total: int
    interval: tuple[str, str]
    note: str
    cite: tuple[Citation, ...]


class PlasmaMeasurement(msgspec.Struct, frozen=True):
    """One plasma sample. ``rules`` are those under the given fraction, else what both conventions agree on."""

    patient_id: str
    specimen_id: str
    plasma_copies: float | None
    copies_interval: tuple[float, float] | None
    copies_cv: float
    fraction_cv: float
    cv_basis: str
    certainty: float
    estimates: tuple[PlasmaEstimate, ...]
    variants: tuple[PlasmaVariant, ...]
    rules: tuple[RuleChance, ...]
    smallest_fraction: dict[str, float]
    agreement: tuple[PublishedAgreement, ...]
    notes: tuple[str, ...]
    issues: tuple[Issue, ...]
    specimen: dict[str, str]

    def text(self) -> str:
        """Return the measurement for a person."""
        from her2crc.measure.plasma_text import plasma_text

        return plasma_text(self)
